/**
 * Random graphs from lists of numbers (so that a failing one shrinks): each step adds a few nodes to a pool of known values, with bounds on
 * magnitudes so that float32 and float64 stay close. `problemOf` turns a recipe into outputs, inputs with values, gradients and assignments.
 */
import fc from 'fast-check';
import { gradientsOf } from '../../src/autodiff/reverse.ts';
import { isFloating, type TypedArray } from '../../src/core/dtype.ts';
import { encodeArray } from '../../src/core/half.ts';
import { type Shape, sameShape, sizeOf } from '../../src/core/shape.ts';
import { type Node, newNode } from '../../src/graph/node.ts';
import * as b from '../../src/ops/build.ts';
import type { Problem } from '../differential/harness.ts';
import { largest, type Maker } from './random-maker.ts';
import { steps } from './random-steps.ts';
import { seeded } from './samples.ts';

export interface Recipe {
  readonly seed: number;
  /** 0: leaves of a few elements; higher: a few of up to 60,000. */
  readonly size: number;
  readonly steps: readonly (readonly number[])[];
  /** What comes out: picks, gradients, assignments. */
  readonly ends: readonly (readonly number[])[];
}

const numbers = fc.array(fc.nat(9999), { minLength: 10, maxLength: 24 });

export const recipes = (size: number): fc.Arbitrary<Recipe> =>
  fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    size: fc.constant(size),
    steps: fc.array(numbers, { minLength: 1, maxLength: 14, size: 'max' }),
    ends: fc.array(numbers, { minLength: 0, maxLength: 4, size: 'max' }),
  });

const dimensions = [1, 2, 3, 5, 4, 7, 8, 6, 13, 16, 17, 31, 32, 64, 100];
const largeShapes: readonly Shape[] = [
  [20480],
  [300, 70],
  [32, 640],
  [64, 900],
  [3, 20011],
  [20011, 3],
  [50, 20, 30],
  [32, 12, 12, 8],
  [7, 40, 40, 3],
  [256, 8, 16],
  [2, 4, 6, 20, 30],
  [59999],
  [128, 128],
];

function shapeOf(draw: Maker['draw'], size: number): Shape {
  if (size > 0 && draw(100) < 12 * size) return largeShapes[draw(largeShapes.length)];
  const rank = [2, 1, 3, 4, 0, 2, 3, 5][draw(8)];
  const shape = Array.from({ length: rank }, () => dimensions[draw(rank > 3 ? 8 : dimensions.length)]);
  while (sizeOf(shape) > 8000) shape[shape.indexOf(Math.max(...shape))] = 2;
  return shape;
}

export function problemOf(recipe: Recipe): Problem {
  const random = seeded(recipe.seed);
  const inputs: Node[] = [];
  const arrays: TypedArray[] = [];
  const pool: Node[] = [];
  const bounds = new Map<Node, number>();
  let tape: readonly number[] = [];
  let at = 0;
  const draw = (n: number): number => (at < tape.length ? tape[at++] % n : 0);
  const load = (numbers: readonly number[]): void => {
    tape = numbers;
    at = 0;
  };
  const leaf: Maker['leaf'] = ({ shape, dtype }, low = -1, high = 1) => {
    const node = newNode('leaf', [], { source: { kind: draw(3) === 1 ? 'variable' : 'input' } }, { shape, dtype });
    const span = high - low;
    const value = isFloating(dtype)
      ? () => low + random() * span
      : dtype === 'bool'
        ? () => Math.floor(random() * 2)
        : () => Math.floor(low + random() * (span + 1));
    inputs.push(node);
    arrays.push(encodeArray(dtype, Array.from({ length: sizeOf(shape) }, value)));
    bounds.set(node, Math.max(Math.abs(low), Math.abs(high)));
    pool.push(node);
    return node;
  };
  const add: Maker['add'] = (x, bound = 1) => {
    if (sizeOf(x.shape) > largest) return x;
    bounds.set(x, Math.max(bounds.get(x) ?? 0, bound));
    if (!pool.includes(x)) pool.push(x);
    return x;
  };
  const bound = (x: Node): number => bounds.get(x) ?? 1;
  const pick = (from: readonly Node[]): Node => from[from.length - 1 - draw(Math.min(from.length, 9))];
  const anyLeaf = (): Node => leaf({ shape: shapeOf(draw, recipe.size), dtype: 'float32' });
  const maker: Maker = {
    draw,
    pool,
    large: recipe.size > 0,
    bound,
    leaf,
    add,
    any: () => (pool.length === 0 || draw(5) === 4 ? anyLeaf() : pick(pool)),
    float: () => {
      const floats = pool.filter((x) => x.dtype === 'float32' || x.dtype === 'float64');
      return floats.length === 0 || draw(5) === 4 ? anyLeaf() : pick(floats);
    },
    within: (x, limit) => (bound(x) <= limit ? x : add(b.mul(b.tanh(x), limit), limit)),
  };
  for (const numbers of recipe.steps) {
    load(numbers);
    const step = steps[draw(steps.length)];
    if (pool.length === 0) anyLeaf();
    step(maker);
  }
  if (pool.length === 0) anyLeaf();
  const outputs: Node[] = [];
  const aliases: (number | undefined)[] = [];
  const put = (x: Node, alias?: number): void => {
    outputs.push(x);
    aliases.push(alias);
  };
  put(pool[pool.length - 1]);
  const computed = pool.filter((x) => x.op !== 'leaf' && isFloating(x.dtype));
  for (const numbers of recipe.ends) {
    load(numbers);
    const kind = draw(8);
    if (kind === 0) put(pool[pool.length - 1 - draw(pool.length)]);
    else if (kind === 1) {
      const x = pool[pool.length - 1 - draw(pool.length)];
      put(x);
      put(b.reshape(x, [sizeOf(x.shape)]));
    } else if (kind <= 4) gradientEnd(computed);
    else assignEnd();
  }
  return { outputs, inputs, arrays, aliases };

  /** Gradients of a scalar with respect to some values. */
  function gradientEnd(from: readonly Node[]): Node[] {
    if (from.length === 0) return [];
    const picked = Array.from({ length: 1 + draw(2) }, () => from[from.length - 1 - draw(Math.min(from.length, 4))]);
    const loss = picked.map((x) => b.cast(b.mean(b.mul(b.cast(x, 'float32'), b.add(b.cast(x, 'float32'), 0.7))), 'float32')).reduce((x, y) => b.add(x, y));
    const wanted = [...pool].filter((x) => isFloating(x.dtype) && (x.op === 'leaf' || draw(6) === 5)).slice(-6);
    const out = gradientsOf([loss], [b.constant(1)], wanted).flatMap((g) => (g ? [g] : []));
    if (draw(3) !== 2) put(loss);
    for (const g of out) put(g);
    return out;
  }

  /** A new value of an input, sometimes while another input takes the old one. */
  function assignEnd(): void {
    const free = inputs.flatMap((x, i) => (!aliases.includes(i) && isFloating(x.dtype) && x.dtype !== 'float16' && x.dtype !== 'bfloat16' ? [i] : []));
    if (free.length === 0) return;
    const i = free[free.length - 1 - draw(free.length)];
    const w = inputs[i];
    const twin = free.find((k) => k !== i && sameShape(inputs[k].shape, w.shape) && inputs[k].dtype === w.dtype);
    const kind = draw(10);
    const rank = w.shape.length;
    const axis = rank === 0 ? -1 : draw(rank);
    if (kind === 1 && twin !== undefined) {
      put(inputs[twin], i);
      put(w, twin);
      return;
    }
    put(newValue(w, kind, axis), i);
    if (twin !== undefined && draw(2) === 1) put(b.add(inputs[twin], w), twin);
    if (draw(3) === 1) put(b.mul(w, 2));
    if (draw(3) === 1) put(w);
  }

  function newValue(w: Node, kind: number, axis: number): Node {
    const same = pool.filter((x) => x !== w && x.dtype === w.dtype && sizeOf(x.shape) === sizeOf(w.shape));
    switch (kind) {
      case 0:
        return b.mul(w, 0.9);
      case 2:
        return axis < 0 ? b.neg(w) : b.flip(w, [axis]);
      case 3: {
        const axes = w.shape.map((_, i) => i).reverse();
        const turned = b.permute(w, axes);
        return sameShape(turned.shape, w.shape) ? turned : b.reshape(turned, w.shape);
      }
      case 4: {
        if (axis < 0 || w.shape[axis] < 2) return b.add(w, 1);
        const start = w.shape.map((_, i) => (i === axis ? 1 : 0));
        const tail = b.slice(
          w,
          start,
          w.shape.map((d, i) => (i === axis ? d - 1 : d)),
        );
        const head = b.slice(
          w,
          w.shape.map(() => 0),
          w.shape.map((d, i) => (i === axis ? 1 : d)),
        );
        return b.concat([tail, head], axis);
      }
      case 5:
        return axis < 0 ? b.sigmoid(w) : b.add(w, b.broadcast(b.foldKeep('sum', w, [axis]), w.shape));
      case 6:
        return axis < 0 ? b.sigmoid(w) : b.cumsum(w, axis);
      case 7: {
        const loss = b.mean(
          b.mul(
            b.cast(same.length > 0 ? same[same.length - 1] : w, 'float32'),
            b.reshape(b.cast(w, 'float32'), (same.length > 0 ? same[same.length - 1] : w).shape),
          ),
        );
        const [g] = gradientsOf([loss], [b.constant(1)], [w]);
        return g ? b.sub(w, b.mul(g, 0.1)) : w;
      }
      case 8: {
        if (computed.length === 0) return b.tanh(w);
        const loss = b.mean(b.cast(computed[computed.length - 1], 'float32'));
        const [g] = gradientsOf([loss], [b.constant(1)], [w]);
        return g ? b.sub(w, b.mul(g, 0.1)) : b.tanh(w);
      }
      default:
        return same.length > 0 ? b.reshape(same[same.length - 1], w.shape) : w;
    }
  }
}
