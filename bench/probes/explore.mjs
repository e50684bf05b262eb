/** 100 expressions, no two alike in structure or shape, as somebody trying things out would type them; time from the first operation to the value, each. */
import { concat, grad, tensor, valueAndGrad } from 'gradix';

const unary = ['relu', 'tanh', 'sigmoid', 'exp', 'square', 'abs', 'sin', 'cos', 'softplus', 'gelu', 'silu', 'neg', 'floor', 'erf'];
const numbers = (shape, seed) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.7 + seed)),
    { shape },
  );
const chain = (x, i, length) => Array.from({ length }, (_, j) => unary[(i * 3 + j * 5) % unary.length]).reduce((value, name) => value[name](), x);

const kinds = [
  (i) => chain(numbers([7 + i, 11], i), i, 3).sum(),
  (i) =>
    numbers([5 + i, 9], i)
      .matmul(numbers([9, 4 + i], i + 1))
      .relu()
      .mean({ axis: 0 }),
  (i) => grad((x) => chain(x, i, 2).mul(x).sum())(numbers([i + 3], i)),
  (i) =>
    chain(numbers([3, i + 2, 5], i), i, 2)
      .softmax()
      .logSumExp({ axis: 1 }),
  (i) =>
    valueAndGrad((w) =>
      numbers([20, i + 2], i)
        .matmul(w)
        .sub(1)
        .square()
        .mean(),
    )(numbers([i + 2, 3], i))[1],
  (i) =>
    numbers([i + 4, 6], i)
      .transpose()
      .reshape([3, -1])
      .cumsum({ axis: 1 })
      .max({ axis: 0 }),
  (i) =>
    concat([numbers([i + 1, 4], i), numbers([2, 4], i)], { axis: 0 })
      .sort({ axis: 0 })
      .variance({ axis: 1 }),
  (i) =>
    grad((k) =>
      numbers([1, 8, 8 + (i % 5), 2], i)
        .conv(k, { padding: 1 })
        .tanh()
        .sum(),
    )(numbers([3, 3, 2, 1 + (i >> 3)], i)),
  (i) =>
    chain(numbers([100, i + 1], i), i, 4)
      .sub(numbers([i + 1], i))
      .norm({ axis: 1 }),
  (i) =>
    numbers([2, 16, 16, 1 + (i >> 3)], i)
      .maxPool({ size: 2 })
      .sum({ axis: [1, 2] }),
];

const times = [];
for (let i = 0; i < 100; i++) {
  const start = performance.now();
  const values = await kinds[i % kinds.length](i).data();
  times.push(performance.now() - start);
  if (values.length === 0) throw new Error(`expression ${i} is empty`);
}
const sorted = [...times].sort((a, b) => a - b);
const round = (value) => Number(value.toFixed(3));
const mean = times.reduce((a, b) => a + b, 0) / times.length;
console.log(
  JSON.stringify({ expressions: times.length, mean_ms: round(mean), median_ms: round(sorted[50]), max_ms: round(sorted[99]), first_ms: round(times[0]) }),
);
process.exit(0);
