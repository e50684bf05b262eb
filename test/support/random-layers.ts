import { type Shape, sizeOf } from '../../src/core/shape.ts';
import type { ConvGeometry, WindowGeometry } from '../../src/graph/attributes.ts';
import * as b from '../../src/ops/build.ts';
import { convGeometry } from '../../src/ops/conv-geometry.ts';
import { windowShape } from '../../src/ops/windows.ts';
import { largest, type Step } from './random-maker.ts';

export const contraction: Step = (m) => {
  const x = m.within(m.float(), 4);
  if (x.shape.length > 4) return;
  const letters = [...'abcd'].slice(0, x.shape.length);
  const roles = letters.map(() => m.draw(4)); // 0, 1 contracted; 2 free; 3 batch
  const contracted = letters.filter((_, i) => roles[i] < 2);
  const batch = letters.filter((_, i) => roles[i] === 3);
  const free = letters.filter((_, i) => roles[i] === 2);
  const fresh = [...'uv'].slice(0, m.draw(3));
  const shuffle = (list: readonly string[]): string[] => {
    const out = [...list];
    if (m.draw(2) === 0) return out;
    for (let i = out.length - 1; i > 0; i--) {
      const j = m.draw(i + 1);
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  };
  const sizes = m.large ? [16, 1, 64, 100, 33, 257, 500, 7] : [1, 4, 8, 3, 16, 17, 33, 10];
  const length = new Map<string, number>([...letters.map((l, i) => [l, x.shape[i]] as const), ...fresh.map((l) => [l, sizes[m.draw(sizes.length)]] as const)]);
  const shapeOf = (list: readonly string[]): number[] => list.map((l) => length.get(l) ?? 1);
  const second = shuffle([...batch, ...contracted, ...fresh]);
  const out = shuffle([...batch, ...free, ...fresh]);
  const n = sizeOf(shapeOf(contracted));
  if (sizeOf(shapeOf(out)) > largest || sizeOf(shapeOf(second)) > largest || sizeOf(shapeOf([...letters, ...fresh])) > 1e7) return;
  const y = m.leaf({ shape: shapeOf(second), dtype: x.dtype });
  const z = b.contract(x, y, { a: letters.join(''), b: second.join(''), out: out.join('') });
  m.add(b.mul(z, 1 / Math.sqrt(n)), 4 * Math.sqrt(n));
  const scaled = m.pool[m.pool.length - 1];
  if (m.draw(3) === 1 && scaled.shape.length > 0) {
    const bias = m.leaf({ shape: [scaled.shape[scaled.shape.length - 1]], dtype: x.dtype });
    m.add(b.maximum(b.add(scaled, bias), 0), m.bound(scaled) + 1);
  }
};

const operands = { output: ['input', 'kernel'], input: ['output', 'kernel'], kernel: ['input', 'output'] } as const;

export const convolution: Step = (m) => {
  const spatial = 1 + m.draw(2);
  const batch = (m.large ? [16, 1, 32, 64, 10, 7] : [2, 1, 3, 8, 16, 32])[m.draw(6)];
  const groups = [1, 1, 1, 2, 3, 4][m.draw(6)];
  const perGroup = (m.large ? [16, 1, 3, 32, 64, 20] : [1, 2, 3, 4, 8, 5])[m.draw(6)];
  const features = groups * (m.large ? [16, 1, 10, 32, 64, 50, 24] : [1, 4, 3, 8, 5, 16, 17])[m.draw(7)];
  const sizes = Array.from({ length: spatial }, () => (m.large ? [8, 4, 14, 12, 16, 7] : [5, 4, 7, 8, 11, 12])[m.draw(6)]);
  const kernel = Array.from({ length: spatial }, () => [1, 3, 2, 4][m.draw(4)]);
  const options = {
    stride: Array.from({ length: spatial }, () => [1, 1, 2, 3][m.draw(4)]),
    dilation: Array.from({ length: spatial }, () => [1, 1, 1, 2][m.draw(4)]),
    inputDilation: Array.from({ length: spatial }, () => [1, 1, 1, 1, 2, 3][m.draw(6)]),
    padding: Array.from({ length: spatial }, () => [m.draw(3), m.draw(3)] as const),
    groups,
  };
  let inputShape: Shape = [batch, ...sizes, perGroup * groups];
  const reused = m.pool.find(
    (x) =>
      x.dtype === 'float32' &&
      x.shape.length === spatial + 2 &&
      x.shape.slice(1, -1).every((d) => d >= 4 && d < 60) &&
      x.shape[spatial + 1] % groups === 0 &&
      x.op !== 'leaf',
  );
  if (reused && m.draw(2) === 1) inputShape = reused.shape;
  const kernelShape = [...kernel, inputShape[spatial + 1] / groups, features];
  let geometry: ConvGeometry;
  try {
    geometry = convGeometry('conv', inputShape, kernelShape, options);
  } catch {
    return;
  }
  if (sizeOf(geometry.outputShape) > largest || sizeOf(geometry.outputShape) * sizeOf(kernelShape) > 4e7) return;
  const role = (['output', 'output', 'input', 'kernel'] as const)[m.draw(4)];
  const shapes = { input: inputShape, kernel: kernelShape, output: geometry.outputShape };
  const [first, second] = operands[role].map((name) =>
    name === 'input' && reused && inputShape === reused.shape ? m.within(reused, 4) : m.leaf({ shape: shapes[name], dtype: 'float32' }),
  );
  const n = Math.max(1, sizeOf(role === 'kernel' ? geometry.outputShape.slice(0, -1) : kernelShape));
  const y = m.add(b.mul(b.conv(first, second, { ...geometry, role }), 1 / Math.sqrt(n)), 4 * Math.sqrt(n));
  const kind = m.draw(4);
  if (kind === 0) return;
  const bias = m.leaf({ shape: [y.shape[y.shape.length - 1]], dtype: 'float32' });
  const biased = b.add(y, bias);
  m.add(kind === 1 ? biased : kind === 2 ? b.maximum(biased, 0) : b.add(b.tanh(biased), y), 4 * Math.sqrt(n) + 2);
};

export const pooling: Step = (m) => {
  const x = m.float();
  const axes = x.shape.flatMap((d, i) => (d >= 3 && d < 100 && m.draw(2) === 0 ? [i] : [])).slice(0, 2);
  if (axes.length === 0) return;
  const size = axes.map(() => 2 + m.draw(2));
  const geometry: WindowGeometry = {
    axes,
    size,
    stride: axes.map(() => [2, 1, 3][m.draw(3)]),
    padding: size.map((s) => [m.draw(2), m.draw(Math.min(2, s))] as const),
    inputShape: x.shape,
  };
  const outer = windowShape(geometry);
  if (sizeOf(outer) > largest) return;
  const kind = m.draw(5);
  const taps = sizeOf(size);
  if (kind === 0) m.add(b.windowed('windowMax', [x], geometry), m.bound(x));
  else if (kind === 1) m.add(b.mul(b.windowed('windowSum', [x], geometry), 1 / taps), m.bound(x));
  else if (kind === 2) m.add(b.windowed('windowArgMax', [x], geometry), taps);
  else if (kind === 3) m.add(b.windowed('windowSpread', [m.leaf({ shape: outer, dtype: x.dtype })], geometry), taps);
  else m.add(b.windowed('windowPlace', [b.windowed('windowArgMax', [x], geometry), m.leaf({ shape: outer, dtype: x.dtype })], geometry), taps);
};

export const loops: Step = (m) => {
  const length = [3, 1, 2, 5, 8][m.draw(5)];
  const rows = [2, 16, 1, 5, 32][m.draw(5)];
  const width = [3, 8, 4, 17][m.draw(4)];
  const reverse = m.draw(2) === 1;
  const candidates = m.pool.filter((x) => x.dtype === 'float32' && x.shape.length === 3 && x.shape[0] <= 40 && sizeOf(x.shape) < 10_000);
  const xs =
    candidates.length > 0 && m.draw(2) === 1 ? m.within(candidates[candidates.length - 1], 4) : m.leaf({ shape: [length, rows, width], dtype: 'float32' });
  const [steps, n, d] = xs.shape;
  const h = b.bodyParameter({ shape: [n, d], dtype: 'float32' });
  const c = b.bodyParameter({ shape: [n, d], dtype: 'float32' });
  const u = b.bodyParameter({ shape: [d, d], dtype: 'float32' });
  const v = b.bodyParameter({ shape: [d], dtype: 'float32' });
  const x = b.bodyParameter({ shape: [n, d], dtype: 'float32' });
  const kind = m.draw(5);
  const next =
    kind === 0
      ? b.tanh(b.add(b.mul(h, 0.5), x))
      : kind === 1
        ? b.tanh(b.add(b.add(x, b.matmul(h, u)), v))
        : kind === 2
          ? b.add(b.mul(h, 0.9), b.mul(b.sigmoid(x), v))
          : kind === 3
            ? b.add(b.mul(b.sigmoid(b.matmul(h, u)), c), x)
            : b.tanh(b.add(c, b.foldKeep('sum', b.mul(x, 0.1), [0])));
  const other = kind === 3 ? b.tanh(b.add(h, c)) : kind === 4 ? h : b.add(b.mul(c, 0.5), next);
  const ys = m.draw(2) === 0 ? [next] : [b.mul(next, x), b.sum(other, [1])];
  const body = { parameters: [u, v, h, c, x], results: [next, other, ...ys], constants: 2, carries: 2 };
  const start = m.leaf({ shape: [n, d], dtype: 'float32' });
  const inputs = [
    m.leaf({ shape: [d, d], dtype: 'float32' }, -0.3, 0.3),
    m.leaf({ shape: [d], dtype: 'float32' }),
    start,
    m.draw(2) === 0 ? start : b.zerosLike(start),
    xs,
  ];
  const loop = b.scan(inputs, { body, length: steps, reverse });
  const used = 1 + m.draw(7);
  body.results.forEach((_, i) => {
    if ((used >> (i % 3)) & 1) m.add(b.part(loop, i), 60);
  });
};
