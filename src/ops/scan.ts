/**
 * A compiled loop: a body graph is run `length` times on carried state, slices of xs come in and slices of ys go out.
 * Inputs: constants, initial carries, xs (leading axis = length). Results, read through `part`: final carries, then ys (leading axis = length).
 * `reverse` runs from the last slice to the first; ys stay aligned with xs.
 */
import { newArray, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sameType, showType, sizeOf } from '../core/shape.ts';
import type { AttributesOf } from '../graph/attributes.ts';
import { type Node, type TensorType, topologicalOrder } from '../graph/node.ts';
import { checkOperands, isCount } from './check.ts';
import { interpreterOf } from './evaluate.ts';
import type { Evaluation } from './op.ts';
import { family, opNamed } from './registry.ts';
import { gradientOfScan } from './scan-gradient.ts';

function inferParts(inputs: readonly TensorType[], { body, length }: AttributesOf['scan']): TensorType[] {
  const { parameters, results, constants, carries } = body;
  if (!isCount(length)) fail('argument', 'scan', `length must be a whole number ≥ 0, got ${length}`);
  checkOperands('scan', inputs, parameters.length);
  if (results.length < carries) fail('argument', 'scan', `the body must return its ${carries} carries first, got ${results.length} results`);
  const known = new Set(parameters);
  const stranger = topologicalOrder(results).find((node) => node.op === 'leaf' && !known.has(node));
  if (stranger) fail('internal', 'scan', `the body reads a ${showType(stranger)} that is not one of its parameters`, 'Pass it as a constant.');
  for (const [i, parameter] of parameters.entries()) {
    const stacked = i >= constants + carries;
    const expected = stacked ? { dtype: parameter.dtype, shape: [length, ...parameter.shape] } : parameter;
    if (!sameType(inputs[i], expected)) {
      const what = i < constants ? `constant ${i}` : stacked ? `xs ${i - constants - carries}` : `initial carry ${i - constants}`;
      const hint = stacked ? 'The leading axis of xs is the number of steps.' : undefined;
      fail('shape', 'scan', `${what} should be ${showType(expected)}, got ${showType(inputs[i])}`, hint);
    }
  }
  for (const [i, result] of results.slice(0, carries).entries()) {
    const begun = parameters[constants + i];
    if (sameType(result, begun)) continue;
    fail('shape', 'scan', `carry ${i} began as ${showType(begun)} but the step returns ${showType(result)}`, 'A carry keeps its shape and dtype.');
  }
  return results.map(({ dtype, shape }, i) => ({ dtype, shape: i < carries ? shape : [length, ...shape] }));
}

function evaluateParts({ node, inputs }: Evaluation<'scan'>): TypedArray[] {
  const { body, length, reverse } = node.attributes;
  const { parameters, results, constants, carries } = body;
  const run = interpreterOf(body.results);
  const firstX = constants + carries;
  const sizes = parameters.map((parameter) => sizeOf(parameter.shape));
  const ys = results.slice(carries).map((result) => newArray(result.dtype, length * sizeOf(result.shape)));
  let state: readonly TypedArray[] = inputs.slice(constants, firstX);
  const values = new Map(parameters.map((parameter, i) => [parameter, inputs[i]]));
  for (let step = 0; step < length; step++) {
    const t = reverse ? length - 1 - step : step;
    for (const [i, value] of state.entries()) values.set(parameters[constants + i], value);
    for (let i = firstX; i < parameters.length; i++) values.set(parameters[i], inputs[i].subarray(t * sizes[i], (t + 1) * sizes[i]));
    const now = run((leaf) => values.get(leaf) as TypedArray);
    state = now.slice(0, carries);
    for (const [i, y] of ys.entries()) y.set(now[carries + i], t * sizeOf(results[carries + i].shape));
  }
  return [...state, ...ys];
}

export const loopOps = family('loop', {
  scan: {
    doc: 'runs a body graph step by step: (constants, carries, slices of xs) → (carries, slices of ys)',
    infer(inputs, attributes) {
      inferParts(inputs, attributes);
      return { shape: [], dtype: 'float32' };
    },
    inferParts,
    gradient: null,
    gradientOfParts: gradientOfScan,
    evaluate: () => fail('internal', 'scan', 'this op has several results', 'Interpret it with evaluateParts.'),
    evaluateParts,
  },
  part: {
    doc: 'one result of an op with several',
    infer(inputs, { index }) {
      checkOperands('part', inputs, 1);
      const { op, inputs: given, attributes } = inputs[0] as Node;
      const types = opNamed(op).inferParts?.(given, attributes) ?? fail('internal', 'part', `${op} has one result only`);
      return types[index] ?? fail('argument', 'part', `the op has ${types.length} results, there is no result ${index}`);
    },
    gradient: null,
    evaluate: () => fail('internal', 'part', 'a part is read off its op', 'Interpret it with evaluateParts.'),
  },
});
