/**
 * Reverse-mode differentiation of graphs: walks from the outputs back, asks each op for its rule and sums what arrives at a node.
 * The result is again a graph of ordinary nodes. Knows no op by name but `part`, through which the results of ops with several are read.
 */
import { isFloating } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { isHalf } from '../core/half.ts';
import { sameShape } from '../core/shape.ts';
import { attributesOf, isOp, type Node } from '../graph/node.ts';
import { overrideOf } from '../graph/override.ts';
import { add, cast } from '../ops/build.ts';
import type { Differentiate } from '../ops/op.ts';
import { opOf } from '../ops/registry.ts';

const severalResults = (node: Node): boolean => opOf(node).gradientOfParts !== undefined;

/** The nodes a gradient at `node` goes on to. */
const sourcesOf = (node: Node): readonly Node[] => overrideOf(node)?.targets ?? node.inputs;

/**
 * Gradients of Σ ⟨dOutputs[i], outputs[i]⟩ with respect to each node of `wrt`, inner nodes included; null where none flows (not connected, or only through
 * whole numbers and piecewise constant ops). A null in dOutputs leaves that output out.
 */
export const gradientsOf: Differentiate = (outputs, dOutputs, wrt) => {
  const path = pathBetween(
    outputs.filter((_, i) => dOutputs[i] !== null),
    wrt,
  );
  const arrived = new Map<Node, Node>();
  const arrivedAtParts = new Map<Node, (Node | null)[]>();
  const deposit = (node: Node, gradient: Node): void => {
    checkGradient(node, gradient);
    const before = arrived.get(node);
    arrived.set(node, before ? total(before, gradient) : gradient);
  };

  outputs.forEach((output, i) => {
    const dOutput = dOutputs[i];
    if (dOutput && path.has(output)) deposit(output, dOutput);
  });
  // Ids grow from inputs to users, so that by the time of a node all of its users have been visited.
  for (const node of [...path].sort((a, b) => b.id - a.id)) {
    const dOut = arrived.get(node);
    const sources = sourcesOf(node);
    let gradients: readonly (Node | null)[] = [];
    if (severalResults(node)) {
      const dParts = arrivedAtParts.get(node);
      if (dParts)
        gradients =
          opOf(node).gradientOfParts?.(
            node,
            dParts,
            sources.map((s) => path.has(s)),
            gradientsOf,
          ) ?? [];
    } else if (dOut && isOp(node, 'part') && !overrideOf(node)) {
      const dParts = arrivedAtParts.get(node.inputs[0]) ?? [];
      const { index } = attributesOf(node, 'part');
      for (let i = dParts.length; i <= index; i++) dParts.push(null);
      const before = dParts[index];
      dParts[index] = before ? total(before, dOut) : dOut;
      arrivedAtParts.set(node.inputs[0], dParts);
    } else if (dOut) {
      const override = overrideOf(node);
      if (override) gradients = override.rule(dOut, override.targets);
      else if (sources.some((s) => path.has(s)))
        gradients =
          opOf(node).gradient?.(
            node,
            dOut,
            sources.map((s) => path.has(s)),
          ) ?? [];
    }
    gradients.forEach((gradient, i) => {
      if (gradient && path.has(sources[i])) deposit(sources[i], gradient);
    });
  }
  return wrt.map((node) => arrived.get(node) ?? null);
};

/** The nodes through which a gradient may flow from `outputs` to `wrt`: reachable from both sides over floating-point values. */
function pathBetween(outputs: readonly Node[], wrt: readonly Node[]): Set<Node> {
  const asked = new Set(wrt);
  const oldest = wrt.reduce((least, node) => Math.min(least, node.id), Number.POSITIVE_INFINITY);
  const seen = new Set<Node>();
  const stack = [...outputs];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.id < oldest || seen.has(node) || !(isFloating(node.dtype) || severalResults(node))) continue;
    seen.add(node);
    stack.push(...sourcesOf(node));
  }
  const path = new Set<Node>();
  for (const node of [...seen].sort((a, b) => a.id - b.id)) {
    if (asked.has(node) || sourcesOf(node).some((source) => path.has(source))) path.add(node);
  }
  return path;
}

/** Half floats are only stored: their sum is taken in float32. */
function total(a: Node, b: Node): Node {
  return isHalf(a.dtype) ? cast(add(cast(a, 'float32'), cast(b, 'float32')), a.dtype) : add(a, b);
}

function checkGradient(node: Node, gradient: Node): void {
  if (gradient.dtype === node.dtype && sameShape(gradient.shape, node.shape)) return;
  fail(
    'internal',
    'gradient',
    `a ${node.dtype} ${showShape(node.shape)} result of ${node.op} was given a gradient ${gradient.dtype} ${showShape(gradient.shape)}`,
  );
}
