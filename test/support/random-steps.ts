/** The steps of random graphs: each adds a few nodes of one family to the pool. */

import type { DType } from '../../src/core/dtype.ts';
import { sizeOf, tryBroadcast } from '../../src/core/shape.ts';
import type { Node } from '../../src/graph/node.ts';
import * as b from '../../src/ops/build.ts';
import { contraction, convolution, loops, pooling } from './random-layers.ts';
import { largest, type Maker, type Step } from './random-maker.ts';

const axesOf = (m: Maker, rank: number): number[] => {
  const mask = 1 + m.draw(2 ** rank - 1);
  return Array.from({ length: rank }, (_, i) => i).filter((i) => (mask >> i) & 1);
};
const extent = (x: Node, axes: readonly number[]): number => sizeOf(axes.map((a) => x.shape[a]));

const oneOperand: Step = (m) => {
  const x = m.float();
  const positive = (): Node => b.add(b.abs(x), 0.5);
  const small = (): Node => m.within(x, 3);
  const made: readonly (() => Node)[] = [
    () => b.neg(x),
    () => b.tanh(x),
    () => b.sigmoid(x),
    () => b.abs(x),
    () => b.exp(small()),
    () => b.log(positive()),
    () => b.sqrt(positive()),
    () => b.rsqrt(positive()),
    () => b.reciprocal(positive()),
    () => b.sin(small()),
    () => b.cos(small()),
    () => b.unary('erf', x),
    () => b.unary('log1p', b.abs(x)),
    () => b.unary('expm1', small()),
    () => b.unary('tan', m.within(x, 1)),
    () => b.floor(b.mul(x, 3)),
    () => b.unary('ceil', x),
    () => b.unary('round', b.mul(x, 2)),
    () => b.sign(x),
    () => {
      const s = m.within(x, 4);
      return b.mul(s, s);
    },
    () => b.maximum(x, 0),
    () => b.cast(b.unary('isNaN', x), x.dtype),
    () => b.add(b.mul(x, 0.5), 1.25),
  ];
  const y = made[m.draw(made.length)]();
  m.add(y, Math.max(3 * m.bound(x), 21));
};

/** Something that broadcasts with x. */
function partner(m: Maker, x: Node): Node {
  if (m.draw(2) === 0) {
    const fits = m.pool.filter((y) => {
      const shape = y.dtype === x.dtype ? tryBroadcast(x.shape, y.shape) : undefined;
      return shape !== undefined && sizeOf(shape) <= largest;
    });
    if (fits.length > 0) return fits[fits.length - 1 - m.draw(fits.length)];
  }
  const mask = m.draw(2 ** x.shape.length);
  const shape = x.shape.map((d, i) => ((mask >> i) & 1 ? 1 : d)).slice(m.draw(4) === 3 ? m.draw(x.shape.length + 1) : 0);
  return m.leaf({ shape, dtype: x.dtype });
}

const twoOperands: Step = (m) => {
  const x = m.within(m.float(), 30);
  const y = m.within(partner(m, x), 30);
  const positive = (): Node => b.add(b.abs(y), 0.5);
  const made: readonly (() => Node)[] = [
    () => b.add(x, y),
    () => b.mul(x, y),
    () => b.sub(x, y),
    () => b.div(x, positive()),
    () => b.maximum(x, y),
    () => b.minimum(x, y),
    () => b.pow(b.add(b.abs(m.within(x, 3)), 0.5), m.within(y, 2)),
    () => b.binary('mod', x, positive()),
    () => b.sub(y, x),
    () => b.select(b.less(x, y), x, y),
    () => b.select(b.greater(x, 0), y, b.mul(y, 0.1)),
    () => b.cast(b.lessEqual(x, y), 'float32'),
    () => b.mul(b.sub(x, y), b.sub(x, y)),
    () => b.select(b.logicalAnd(b.greater(x, 0), b.logicalNot(b.equal(y, 0))), x, y),
  ];
  const z = made[m.draw(made.length)]();
  if (sizeOf(z.shape) <= largest) m.add(z, Math.min(3600, Math.max(60, m.bound(x) * m.bound(y))));
};

const folds: Step = (m) => {
  const x = m.float();
  const axes = axesOf(m, x.shape.length);
  if (axes.length === 0) return;
  const keep = m.draw(3) === 2;
  const n = extent(x, axes);
  const fold = (op: 'sum' | 'max' | 'min' | 'prod', y: Node): Node => (keep ? b.foldKeep(op, y, axes) : b.fold(op, y, axes));
  const kind = m.draw(7);
  if (kind === 0) m.add(fold('sum', m.within(x, 1e4 / n + 1)), 1e4 + n);
  else if (kind === 1) m.add(b.mul(fold('sum', x), 1 / Math.max(1, n)), m.bound(x));
  else if (kind === 2) m.add(fold('max', x), m.bound(x));
  else if (kind === 3) m.add(fold('min', x), m.bound(x));
  else if (kind === 4) {
    if (n <= 12) m.add(fold('prod', m.within(x, 1.5)), 1.5 ** n);
  } else if (kind === 5) m.add(b.make('argMax', [x], { axis: axes[0] }), x.shape[axes[0]]);
  else m.add(b.sum(b.mul(m.within(x, 3), m.within(x, 3)), axes), 9 * n);
};

const normalisations: Step = (m) => {
  const x = m.within(m.float(), 20);
  const rank = x.shape.length;
  if (rank === 0) return;
  const kind = m.draw(6);
  const axes = kind < 3 ? [kind === 0 ? rank - 1 : m.draw(rank)] : axesOf(m, rank);
  const keep = (y: Node): Node =>
    b.reshape(
      y,
      x.shape.map((d, i) => (axes.includes(i) ? 1 : d)),
    );
  if (kind <= 1) {
    const e = b.exp(b.sub(x, b.foldKeep('max', x, axes)));
    m.add(b.div(e, b.foldKeep('sum', e, axes)), 1);
    return;
  }
  if (kind === 2) {
    const top = b.foldKeep('max', x, axes);
    m.add(b.add(b.log(b.foldKeep('sum', b.exp(b.sub(x, top)), axes)), top), 40);
    return;
  }
  const mean = keep(b.mean(x, axes));
  const centred = b.sub(x, mean);
  const variance = keep(b.mean(b.mul(centred, centred), axes));
  const normal = b.mul(centred, b.rsqrt(b.add(variance, 0.1)));
  if (kind === 3) m.add(normal, 40);
  else {
    const features = x.shape[rank - 1];
    const g = m.leaf({ shape: [features], dtype: x.dtype });
    const h = m.leaf({ shape: [features], dtype: x.dtype });
    m.add(kind === 4 ? b.add(b.mul(normal, g), h) : b.maximum(b.add(b.mul(normal, b.exp(g)), h), 0), 120);
    if (m.draw(2) === 1) m.add(variance, 400);
  }
};

const movement: Step = (m) => {
  const x = m.any();
  const rank = x.shape.length;
  const kind = m.draw(8);
  const done = (y: Node): void => void m.add(y, m.bound(x));
  if (kind === 0) {
    const axes = x.shape.map((_, i) => i);
    for (let i = rank - 1; i > 0; i--) {
      const j = m.draw(i + 1);
      [axes[i], axes[j]] = [axes[j], axes[i]];
    }
    return done(b.permute(x, axes));
  }
  if (kind === 1) {
    let rest = sizeOf(x.shape);
    const shape: number[] = [];
    for (const d of [2, 3, 4, 5, 7, 8].slice(m.draw(4))) {
      if (rest % d === 0 && shape.length < 3 && m.draw(2) === 0) {
        shape.push(d);
        rest /= d;
      }
    }
    shape.splice(m.draw(shape.length + 1), 0, rest);
    if (m.draw(4) === 3) shape.push(1);
    return done(b.reshape(x, shape));
  }
  if (kind === 2) {
    const cut = x.shape.map((d) => {
      const start = m.draw(Math.min(d, 5));
      const step = 1 + m.draw(3);
      const most = Math.max(1, Math.ceil((d - start) / step));
      return { start, step, size: Math.max(1, most - m.draw(Math.min(most, 3))) };
    });
    return done(
      b.slice(
        x,
        cut.map((c) => c.start),
        cut.map((c) => c.size),
        cut.map((c) => c.step),
      ),
    );
  }
  if (kind === 3) {
    const padding = x.shape.map(() => [m.draw(3), m.draw(3)] as const);
    const shape = x.shape.map((d, i) => d + padding[i][0] + padding[i][1]);
    if (sizeOf(shape) <= largest) done(b.pad(x, padding, x.dtype === 'bool' ? m.draw(2) : m.draw(3)));
    return;
  }
  if (kind === 4) return rank > 0 ? done(b.flip(x, axesOf(m, rank))) : undefined;
  if (kind === 5) {
    if (rank === 0) return;
    const axis = m.draw(rank);
    const others = m.pool.filter((y) => y.dtype === x.dtype && y.shape.length === rank && y.shape.every((d, i) => i === axis || d === x.shape[i]));
    const parts = [x, ...Array.from({ length: 1 + m.draw(2) }, () => others[others.length - 1 - m.draw(others.length)])];
    const joined = b.concat(parts, axis);
    if (sizeOf(joined.shape) <= largest) m.add(joined, Math.max(...parts.map(m.bound)));
    return;
  }
  if (kind === 6) {
    const shape = [
      ...Array.from({ length: m.draw(2) }, () => [2, 3, 17][m.draw(3)]),
      ...x.shape.map((d) => (d === 1 && m.draw(2) === 0 ? [5, 16, 33][m.draw(3)] : d)),
    ];
    if (shape.length <= 6 && sizeOf(shape) <= largest) done(b.broadcast(x, shape));
    return;
  }
  if (rank >= 2) {
    // A convolution's border or a shift: pad one axis and cut it on the other side.
    const axis = m.draw(rank);
    const padded = b.pad(
      x,
      x.shape.map((_, i) => (i === axis ? [1, 0] : [0, 0])),
    );
    done(
      b.slice(
        padded,
        x.shape.map(() => 0),
        x.shape,
      ),
    );
  }
};

const indexed: Step = (m) => {
  const x = m.float();
  const rank = x.shape.length;
  if (rank === 0) return;
  const axis = m.draw(rank);
  const kind = m.draw(5);
  if (kind <= 1) {
    const shape = [[5], [2, 3], [], [17], [100]][m.draw(5)];
    const out = [...x.shape.slice(0, axis), ...shape, ...x.shape.slice(axis + 1)];
    if (sizeOf(out) > largest) return;
    const indices = m.leaf({ shape, dtype: 'int32' }, 0, x.shape[axis] - 1);
    m.add(b.take(x, indices, axis), m.bound(x));
  } else if (kind === 2) {
    const size = [3, 7, 20][m.draw(3)];
    const indices = m.leaf({ shape: [x.shape[axis]], dtype: 'int32' }, 0, size - 1);
    const out = [...x.shape.slice(0, axis), size, ...x.shape.slice(axis + 1)];
    if (sizeOf(out) <= largest) m.add(b.scatterAdd(indices, x, axis, size), m.bound(x) * x.shape[axis]);
  } else if (kind === 3) m.add(b.cumsum(m.within(x, 10), axis, { reverse: m.draw(2) === 1, exclusive: m.draw(2) === 1 }), 10 * x.shape[axis]);
  else m.add(b.make('argSort', [x], { descending: m.draw(2) === 1, count: 1 + m.draw(x.shape[rank - 1]) }), x.shape[rank - 1]);
};

const randomness: Step = (m) => {
  const x = m.float();
  const key = m.leaf({ shape: [2], dtype: 'int32' }, -1000, 1000);
  const bits = b.make('randomBits', [key], { shape: x.shape });
  const uniform = b.make('bitsToUniform', [bits], { dtype: 'float32' });
  const kind = m.draw(3);
  if (kind === 0) m.add(b.select(b.less(uniform, 0.6), b.div(x, 0.6), 0), m.bound(x) * 2);
  else if (kind === 1) m.add(b.add(x, b.cast(uniform, x.dtype)), m.bound(x) + 1);
  else m.add(bits, 1);
};

const casts: Step = (m) => {
  const x = m.any();
  const floating = x.dtype === 'float32' || x.dtype === 'float64';
  const targets: readonly DType[] = ['float32', 'float64', 'int32', 'bool', 'float16', 'bfloat16', 'uint8'];
  const to = targets[m.draw(7)];
  if (to === 'uint8' && x.dtype !== 'bool')
    m.add(b.cast(b.cast(b.abs(floating ? m.within(x, 100) : b.cast(b.cast(x, 'bool'), 'float32')), 'int32'), 'uint8'), 100);
  else m.add(b.cast(x, to), to === 'bool' ? 1 : m.bound(x));
  const y = m.pool[m.pool.length - 1];
  if (y.dtype !== 'float32' && m.draw(2) === 0) m.add(b.cast(y, 'float32'), m.bound(y));
};

const integers: Step = (m) => {
  const shape = [[7], [3, 5], [64], [16, 33], []][m.draw(5)];
  const i = m.leaf({ shape, dtype: 'int32' }, -20, 20);
  const j = m.draw(2) === 0 ? b.iota(shape.length === 0 ? [1] : shape, 0) : m.leaf({ shape, dtype: 'int32' }, 1, 9);
  const kind = m.draw(7);
  if (kind === 0) m.add(b.add(b.mul(i, 3), j), 700);
  else if (kind === 1) m.add(b.binary('mod', i, b.add(b.abs(j), 1)), 700);
  else if (kind === 2) m.add(b.sum(i), 2000);
  else if (kind === 3) m.add(b.cast(b.equal(i, j), 'float32'), 1);
  else if (kind === 4) m.add(b.select(b.less(i, j), i, j), 700);
  else if (kind === 5) m.add(b.max(i), 20);
  else m.add(b.cast(b.logicalAnd(b.greater(i, 0), b.less(j, 5)), 'bool'), 1);
};

export const steps: readonly Step[] = [
  oneOperand,
  twoOperands,
  folds,
  movement,
  normalisations,
  contraction,
  indexed,
  pooling,
  convolution,
  casts,
  randomness,
  integers,
  loops,
  oneOperand,
  twoOperands,
  twoOperands,
  folds,
  movement,
  movement,
  normalisations,
  contraction,
  convolution,
];
