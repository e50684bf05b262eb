/**
 * Interprets a graph node by node with the ops' own `evaluate`: the meaning of a program.
 * Loop bodies and the reference device both run through here.
 */
import type { TypedArray } from '../core/dtype.ts';
import { attributesOf, type Node, topologicalOrder } from '../graph/node.ts';
import { opOf } from './registry.ts';

/** Computes the outputs from the values of the leaves. May be called any number of times. Results may share memory with leaves: do not change them. */
export type Interpreter = (leafValue: (leaf: Node) => TypedArray) => TypedArray[];

/** Orders the graph once, for many runs. */
export function interpreterOf(outputs: readonly Node[]): Interpreter {
  const order = topologicalOrder(outputs);
  const slots = new Map(order.map((node, slot) => [node, slot]));
  const slotOf = (node: Node): number => slots.get(node) as number;
  const lastUse = new Map<number, number>();
  for (const [step, node] of order.entries()) for (const slot of [step, ...node.inputs.map(slotOf)]) lastUse.set(slot, step);
  for (const node of outputs) lastUse.delete(slotOf(node));
  const releases: number[][] = order.map(() => []);
  for (const [slot, step] of lastUse) releases[step].push(slot);
  // `inputs`: positions in the list of values; `release`: those of values that nobody reads after this step.
  const steps = order.map((node, step) => ({ node, op: opOf(node), inputs: node.inputs.map(slotOf), release: releases[step] }));

  return (leafValue) => {
    // Every value is a list of results: one, but for ops with several.
    const values: (readonly TypedArray[] | undefined)[] = new Array(order.length);
    const resultsAt = (slot: number): readonly TypedArray[] => values[slot] as readonly TypedArray[];
    for (const [slot, { node, op, inputs, release }] of steps.entries()) {
      if (node.op === 'leaf') values[slot] = [leafValue(node)];
      else if (node.op === 'part') values[slot] = [resultsAt(inputs[0])[attributesOf(node, 'part').index]];
      else {
        const call = { node, inputs: inputs.map((input) => resultsAt(input)[0]) };
        values[slot] = op.evaluateParts ? op.evaluateParts(call) : [op.evaluate(call)];
      }
      for (const done of release) values[done] = undefined;
    }
    return outputs.map((node) => resultsAt(slotOf(node))[0]);
  };
}

/** The values of `outputs`, given those of the leaves. */
export const evaluateGraph = (outputs: readonly Node[], leafValue: (leaf: Node) => TypedArray): TypedArray[] => interpreterOf(outputs)(leafValue);
