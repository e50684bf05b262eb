/** Loops that exercise scan: running sums, matrix recurrences, an LSTM cell, both directions, no steps at all. */
import type { DType } from '../../../src/core/dtype.ts';
import type { Node } from '../../../src/graph/node.ts';
import { add, bodyParameter, broadcast, cast, conv, matmul, mul, sigmoid, slice, sub, sum, take, tanh } from '../../../src/ops/build.ts';
import { convGeometry } from '../../../src/ops/conv-geometry.ts';
import '../../../src/ops/index.ts';
import { inputs, type Sample, type SampleInput, sample } from './sample.ts';

type Step = (constants: readonly Node[], carries: readonly Node[], xs: readonly Node[]) => { carries: Node[]; ys: Node[] };

interface Loop {
  readonly name: string;
  readonly length: number;
  readonly reverse?: boolean;
  /** Shapes of the parameters as text; those of xs without the time axis. */
  readonly constants?: string;
  readonly carries?: string;
  readonly xs?: string;
  /** xs that are indices below this. */
  readonly indicesBelow?: number;
  readonly step: Step;
  readonly dtype?: DType;
}

function sampleOf({ name, length, reverse = false, constants, carries, xs, indicesBelow, step, dtype = 'float32' }: Loop): Sample<'scan'> {
  const typed = (text: string | undefined, type: Omit<SampleInput, 'shape'> = { dtype }) => (text === undefined ? [] : inputs(text, type));
  const slices = typed(xs, indicesBelow === undefined ? { dtype } : { dtype: 'int32', low: 0, high: indicesBelow - 1 });
  const leaves = (list: readonly SampleInput[]): Node[] => list.map((type) => bodyParameter({ dtype, ...type }));
  const [c, s, x] = [typed(constants), typed(carries), slices].map(leaves);
  const result = step(c, s, x);
  const body = { parameters: [...c, ...s, ...x], results: [...result.carries, ...result.ys], constants: c.length, carries: s.length };
  const given = [...typed(constants), ...typed(carries), ...slices.map((type) => ({ ...type, shape: [length, ...type.shape] }))];
  return sample(`${name}${reverse ? ', reverse' : ''}, ${dtype}`, given, { body, length, reverse });
}

/** A step whose one new carry is also, or not, what it puts out. */
const carried = (next: Node, ys: Node[] = [next]) => ({ carries: [next], ys });
const product: Step = ([c], [s], [x]) => carried(mul(mul(s, c), x), [sub(s, c)]);
const recurrence: Step = ([w, u, b], [h], [x]) => carried(tanh(add(add(matmul(x, w), matmul(h, u)), b)));
const lookedUp: Step = ([table, u], [h], [i]) => carried(tanh(add(take(table, cast(i, 'int32'), 0), matmul(h, u))));
const filter = { ...convGeometry('conv1d', [2, 4, 2], [3, 2, 2], { padding: 1 }), role: 'output' as const };
const filtered: Step = ([w], [h], [x]) => carried(tanh(add(conv(h, w, filter), x)), []);
/** v is stretched in each step, k scales. */
const stretched: Step = ([v, k], [s], [x]) => {
  const next = tanh(add(mul(s, broadcast(v, [2, 3])), mul(x, k)));
  return carried(next, [sum(next, [1])]);
};
const lstmCell: Step = ([w, u, b], [h, c], [x]) => {
  const gates = add(add(matmul(x, w), matmul(h, u)), b); // [batch, 4 · hidden]
  const gate = (i: number): Node => slice(gates, [0, 3 * i], [2, 3]);
  const cell = add(mul(sigmoid(gate(0)), c), mul(sigmoid(gate(1)), tanh(gate(2))));
  const next = mul(sigmoid(gate(3)), tanh(cell));
  return { carries: [next, cell], ys: [next] };
};

const plain = { constants: '3,4 4,4 4', carries: '2,4', xs: '2,3', step: recurrence };
const lstm = { constants: '2,12 3,12 12', carries: '2,3 2,3', xs: '2,2', step: lstmCell };

const loops: readonly Loop[] = [
  { name: 'running sum', length: 5, carries: '-', xs: '-', step: (_, [s], [x]) => ({ carries: [add(s, x)], ys: [add(s, x)] }) },
  { name: 'running product with a constant', length: 5, constants: '3', carries: '3', xs: '3', step: product },
  { name: 'no xs, no ys', length: 4, constants: '2', carries: '2', step: ([c], [s]) => carried(add(mul(s, s), c), []) },
  { name: 'no carries', length: 3, constants: '2,3', xs: '2', step: ([w], _, [x]) => ({ carries: [], ys: [matmul(broadcast(x, [1, 2]), w)] }) },
  { name: 'a carry passes through, one is exchanged', length: 3, carries: '2 2 2', step: (_, [a, b, c]) => ({ carries: [a, mul(a, c), b], ys: [b] }) },
  { name: 'carry not read', length: 3, carries: '2', xs: '2', step: (_, __, [x]) => carried(mul(x, x), []) },
  { name: 'constant used directly and summed', length: 4, constants: '3 -', carries: '2,3', xs: '2,3', step: stretched },
  { name: 'table looked up in the loop', length: 4, constants: '5,3 3,3', carries: '2,3', xs: '2', indicesBelow: 5, step: lookedUp },
  { name: 'convolution in the loop', length: 3, constants: '3,2,2', carries: '2,4,2', xs: '2,4,2', step: filtered },
  { ...plain, name: 'recurrence', length: 5 },
  { ...plain, name: 'recurrence', length: 5, reverse: true },
  { ...plain, name: 'recurrence of one step', length: 1 },
  { ...plain, name: 'recurrence of no steps', length: 0 },
  { ...lstm, name: 'LSTM', length: 5 },
  { ...lstm, name: 'LSTM', length: 3, reverse: true },
];

export const scanSamples: readonly Sample<'scan'>[] = [...loops, ...loops.map((loop) => ({ ...loop, dtype: 'float64' as const }))].map(sampleOf);
