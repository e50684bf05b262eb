/** Loops that exercise scan: running sums, matrix recurrences, an LSTM cell, both directions, no steps at all. */
import type { DType } from '../core/dtype.ts';
import type { Shape } from '../core/shape.ts';
import type { Node } from '../graph/node.ts';
import { add, bodyParameter, broadcast, cast, conv, matmul, mul, sigmoid, slice, sub, sum, take, tanh } from './build.ts';
import { convGeometry } from './conv-geometry.ts';
import type { Sample, SampleInput } from './op.ts';

interface Loop {
  readonly name: string;
  readonly length: number;
  readonly reverse?: boolean;
  /** Shapes of the parameters; those of xs without the time axis. */
  readonly constants?: readonly Shape[];
  readonly carries: readonly Shape[];
  readonly xs?: readonly Shape[];
  /** xs that are indices below this. */
  readonly indicesBelow?: number;
  readonly step: (constants: readonly Node[], carries: readonly Node[], xs: readonly Node[]) => { carries: Node[]; ys: Node[] };
  readonly dtype?: DType;
}

function sampleOf({ name, length, reverse = false, constants = [], carries, xs = [], indicesBelow, step, dtype = 'float32' }: Loop): Sample<'scan'> {
  const xType: SampleInput = indicesBelow === undefined ? { shape: [], dtype } : { shape: [], dtype: 'int32', low: 0, high: indicesBelow - 1 };
  const inputs: SampleInput[] = [...constants, ...carries].map((shape) => ({ shape, dtype }));
  for (const shape of xs) inputs.push({ ...xType, shape: [length, ...shape] });
  const leaf =
    (type: DType) =>
    (shape: Shape): Node =>
      bodyParameter({ shape, dtype: type });
  const [c, s, x] = [constants.map(leaf(dtype)), carries.map(leaf(dtype)), xs.map(leaf(xType.dtype ?? dtype))];
  const result = step(c, s, x);
  const body = { parameters: [...c, ...s, ...x], results: [...result.carries, ...result.ys], constants: c.length, carries: s.length };
  return { name: `${name}${reverse ? ', reverse' : ''}, ${dtype}`, inputs, attributes: { body, length, reverse } };
}

const plainRecurrence: Omit<Loop, 'name' | 'length'> = {
  constants: [[3, 4], [4, 4], [4]],
  carries: [[2, 4]],
  xs: [[2, 3]],
  step: ([w, u, b], [h], [x]) => {
    const next = tanh(add(add(matmul(x, w), matmul(h, u)), b));
    return { carries: [next], ys: [next] };
  },
};

const lstm: Omit<Loop, 'name' | 'length'> = {
  constants: [[2, 12], [3, 12], [12]],
  carries: [
    [2, 3],
    [2, 3],
  ],
  xs: [[2, 2]],
  step: ([w, u, b], [h, c], [x]) => {
    const gates = add(add(matmul(x, w), matmul(h, u)), b); // [batch, 4 · hidden]
    const gate = (i: number): Node => slice(gates, [0, 3 * i], [2, 3]);
    const cell = add(mul(sigmoid(gate(0)), c), mul(sigmoid(gate(1)), tanh(gate(2))));
    const next = mul(sigmoid(gate(3)), tanh(cell));
    return { carries: [next, cell], ys: [next] };
  },
};

const loops: readonly Loop[] = [
  { name: 'running sum', length: 5, carries: [[]], xs: [[]], step: (_, [s], [x]) => ({ carries: [add(s, x)], ys: [add(s, x)] }) },
  {
    name: 'running product with a constant',
    length: 5,
    constants: [[3]],
    carries: [[3]],
    xs: [[3]],
    step: ([c], [s], [x]) => ({ carries: [mul(mul(s, c), x)], ys: [sub(s, c)] }),
  },
  { name: 'no xs, no ys', length: 4, constants: [[2]], carries: [[2]], step: ([c], [s]) => ({ carries: [add(mul(s, s), c)], ys: [] }) },
  {
    name: 'no carries',
    length: 3,
    constants: [[2, 3]],
    carries: [],
    xs: [[2]],
    step: ([w], _, [x]) => ({ carries: [], ys: [matmul(broadcast(x, [1, 2]), w)] }),
  },
  {
    name: 'a carry that passes through and one that is exchanged',
    length: 3,
    carries: [[2], [2], [2]],
    step: (_, [a, b, c]) => ({ carries: [a, mul(a, c), b], ys: [b] }),
  },
  { name: 'carry not read', length: 3, carries: [[2]], xs: [[2]], step: (_, __, [x]) => ({ carries: [mul(x, x)], ys: [] }) },
  {
    name: 'constant used directly and summed',
    length: 4,
    constants: [[3], []],
    carries: [[2, 3]],
    xs: [[2, 3]],
    step: ([v, k], [s], [x]) => {
      const next = tanh(add(mul(s, broadcast(v, [2, 3])), mul(x, k)));
      return { carries: [next], ys: [sum(next, [1])] };
    },
  },
  {
    name: 'table looked up in the loop',
    length: 4,
    constants: [
      [5, 3],
      [3, 3],
    ],
    carries: [[2, 3]],
    xs: [[2]],
    indicesBelow: 5,
    step: ([table, u], [h], [i]) => {
      const next = tanh(add(take(table, cast(i, 'int32'), 0), matmul(h, u)));
      return { carries: [next], ys: [next] };
    },
  },
  {
    name: 'convolution in the loop',
    length: 3,
    constants: [[3, 2, 2]],
    carries: [[2, 4, 2]],
    xs: [[2, 4, 2]],
    step: ([w], [h], [x]) => {
      const next = tanh(add(conv(h, w, { ...convGeometry('conv1d', [2, 4, 2], [3, 2, 2], { padding: 1 }), role: 'output' }), x));
      return { carries: [next], ys: [] };
    },
  },
  { ...plainRecurrence, name: 'recurrence', length: 5 },
  { ...plainRecurrence, name: 'recurrence', length: 5, reverse: true },
  { ...plainRecurrence, name: 'recurrence of one step', length: 1 },
  { ...plainRecurrence, name: 'recurrence of no steps', length: 0 },
  { ...lstm, name: 'LSTM', length: 5 },
  { ...lstm, name: 'LSTM', length: 3, reverse: true },
];

export const scanSamples = (): Sample<'scan'>[] => [...loops, ...loops.map((loop) => ({ ...loop, dtype: 'float64' as const }))].map(sampleOf);
