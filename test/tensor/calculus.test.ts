/** Gradients against numbers that were computed by hand or with other tools. */
import { describe, expect, it } from 'vitest';
import {
  checkGradients,
  checkpoint,
  compile,
  customGradient,
  grad,
  gradients,
  hessian,
  jacobian,
  random,
  type Tensor,
  tensor,
  valueAndGrad,
  variable,
} from '../../src/tensor/index.ts';

const float64 = { dtype: 'float64' } as const;

describe('grad', () => {
  const taylorSine = (counts: number[]) => (x: Tensor) => {
    let term = x;
    let sum = x;
    let i = 0;
    for (; Math.abs(term.itemSync()) > 1e-3; i++) {
      term = term
        .mul(x)
        .mul(x)
        .neg()
        .div((2 * i + 3) * (2 * i + 2));
      sum = sum.add(term);
    }
    counts.push(i);
    return sum;
  };

  it('goes through a while loop on values: the Taylor series of sine at π', async () => {
    const counts: number[] = [];
    const [value, slope] = valueAndGrad(taylorSine(counts))(tensor(Math.PI, float64));
    expect(counts).toEqual([6]);
    expect(await value.item()).toBeCloseTo(2.11426e-5, 9);
    expect(await slope.item()).toBeCloseTo(-0.9998995297, 9);
    expect(await grad(taylorSine([]))(tensor(Math.PI)).item()).toBeCloseTo(-0.9998995, 6);
  });

  it('differentiates e = (a + b)(b + 1)', () => {
    const [a, b] = [tensor(2), tensor(1)];
    const e = a.add(b).mul(b.add(1));
    const [da, db] = gradients(e, [a, b]);
    expect([e.itemSync(), da.itemSync(), db.itemSync()]).toEqual([6, 2, 5]);
  });

  it('takes trees, numbers and further arguments', () => {
    const f = (p: { w: Tensor; list: [Tensor, Tensor] }, scale: number) => p.w.mul(p.list[0]).mul(p.list[1]).mul(scale).sum();
    const g = grad(f)({ w: tensor([1, 2]), list: [tensor([3, 4]), tensor(5)] }, 10);
    expect(g.w.arraySync()).toEqual([150, 200]);
    expect(g.list[1].arraySync()).toBe(110);
    expect(grad((x: Tensor) => x.mul(x))(3 as unknown as Tensor).itemSync()).toBe(6);
  });

  it('is with respect to the argument alone when the function closes over the same tensor', () => {
    const x = tensor(3);
    expect(grad((y: Tensor) => y.mul(x))(x).itemSync()).toBe(3);
  });

  it('nests', () => {
    const f = (x: Tensor) => x.mul(x).mul(x);
    expect(grad(grad(grad(f)))(tensor(2)).itemSync()).toBe(6);
    // d/dx (x · d/dy (x + y)) is 1: no perturbation confusion.
    expect(grad((x: Tensor) => x.mul(grad((y: Tensor) => x.add(y))(tensor(1))))(tensor(1)).itemSync()).toBe(1);
  });

  it('gives zeros where nothing flows, and an error when nothing flows at all', () => {
    const [a, b] = [tensor([1, 2]), tensor([3, 4])];
    expect(gradients(a.sum(), [a, b])[1].arraySync()).toEqual([0, 0]);
    expect(() => gradients(a.sum(), [b])).toThrow(/does not depend/);
    expect(() => gradients(a, [a])).toThrow(/single number, got float32 \[2\]/);
  });

  it('computes linear regression to the known digits', () => {
    const x = tensor(
      Array.from({ length: 10 }, (_, i) => i - 5),
      float64,
    );
    const y = x.mul(3).add(4);
    const [w, b] = [variable(1, float64), variable(1, float64)];
    const errors: string[] = [];
    for (let step = 0; step < 25; step++) {
      const loss = w.mul(x).add(b).sub(y).square().sum();
      const [dw, db] = gradients(loss, [w, b]);
      w.assign(w.sub(dw.mul(0.01)));
      b.assign(b.sub(db.mul(0.01)));
      errors.push(loss.itemSync().toFixed(4));
    }
    expect([errors[0], errors[1], errors[24]]).toEqual(['370.0000', '199.0500', '0.0031']);
    expect(w.itemSync()).toBeCloseTo(2.99934, 5);
    expect(b.itemSync()).toBeCloseTo(3.98549, 5);
  });
});

describe('higher derivatives', () => {
  const a = tensor(
    [
      [2, 1, 0],
      [1, 3, 1],
      [0, 1, 4],
    ],
    float64,
  );
  it('hessian of a quadratic form', () => {
    const form = (x: Tensor) => x.dot(a.matmul(x)).mul(0.5);
    expect(hessian(form)(tensor([1, -2, 3], float64)).arraySync()).toEqual([
      [2, 1, 0],
      [1, 3, 1],
      [0, 1, 4],
    ]);
  });
  it('jacobian of a matrix product', () => {
    expect(jacobian((x) => a.matmul(x))(tensor([1, 2, 3], float64)).arraySync()).toEqual(a.arraySync());
    expect(
      jacobian((x) => x.mul(x))(
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ).shape,
    ).toEqual([2, 2, 2, 2]);
  });
});

describe('rules of one’s own', () => {
  it('customGradient', () => {
    const f = customGradient(
      (x: Tensor, y: Tensor) => x.mul(y),
      (dOut, _x, y) => [dOut.mul(y).mul(10), null],
    );
    const g = grad((p: [Tensor, Tensor]) => f(...p).sum())([tensor([1, 2]), tensor([3, 4])]);
    expect(g.map((t) => t.arraySync())).toEqual([
      [30, 40],
      [0, 0],
    ]);
    const odd = customGradient(
      (x: Tensor) => x.sum(),
      (dOut) => dOut,
    );
    expect(() => grad((x: Tensor) => odd(x))(tensor([1, 2]))).toThrow(/customGradient: .* gradient \[\] for an input \[2\]/);
  });
  it('checkpoint changes no value and draws the same random numbers', () => {
    const layer = (x: Tensor) =>
      x
        .tanh()
        .mul(random.uniform([3], { seed: 4 }))
        .exp();
    const x = tensor([0.1, 0.2, 0.3]);
    const plain = valueAndGrad((v: Tensor) => layer(layer(v)).sum())(x);
    const recomputed = valueAndGrad((v: Tensor) => checkpoint(layer)(checkpoint(layer)(v)).sum())(x);
    expect(recomputed.map((t) => t.arraySync())).toEqual(plain.map((t) => t.arraySync()));
  });
  it('stopGradient', () => {
    expect(grad((x: Tensor) => x.mul(x.stopGradient()).sum())(tensor([2, 3])).arraySync()).toEqual([2, 3]);
  });
});

describe('checkGradients', () => {
  it('accepts right gradients of compositions', () => {
    const x = tensor([
      [0.3, -1.2, 0.7],
      [1.1, 0.4, -0.6],
    ]);
    const fs: Record<string, (x: Tensor) => Tensor> = {
      softmax: (t) => t.softmax(),
      logSoftmax: (t) => t.logSoftmax(0),
      logSumExp: (t) => t.logSumExp({ axis: 1 }),
      gelu: (t) => t.gelu(),
      geluTanh: (t) => t.gelu({ approximate: 'tanh' }),
      silu: (t) => t.silu(),
      softplus: (t) => t.softplus(),
      elu: (t) => t.elu(),
      leakyRelu: (t) => t.leakyRelu(0.1),
      relu: (t) => t.relu(),
      variance: (t) => t.variance({ axis: 0 }),
      std: (t) => t.std({ axis: 1, ddof: 1 }),
      norm: (t) => t.norm({ axis: 1 }),
      clip: (t) => t.clip(-0.5, 0.5),
      cumsum: (t) => t.cumsum(1),
      sort: (t) => t.sort({ axis: 1 }),
      topK: (t) => t.topK(2).values,
      tile: (t) => t.tile([2, 3]),
      repeat: (t) => t.repeat(2, 1),
      outer: (t) => t.flatten().outer(t.flatten()),
      batched: (t) => t.reshape([2, 3, 1]).matmul(t.reshape([2, 1, 3])),
      takeAlong: (t) =>
        t.takeAlong(
          tensor(
            [
              [2, 0],
              [1, 1],
            ],
            { dtype: 'int32' },
          ),
        ),
    };
    for (const [name, f] of Object.entries(fs)) expect(checkGradients(f, [x]), name).toBeLessThan(1e-7);
  });
  it('names the worst entry of a wrong one', () => {
    const wrong = customGradient(
      (x: Tensor) => x.mul(x),
      (dOut) => dOut,
    );
    expect(() => checkGradients(wrong, [tensor([0.5, 3])])).toThrow(/input 0 \[2\], element 1: the gradient is .* finite differences give/);
  });
});

it('grad inlines compiled functions', () => {
  const cube = compile((x: Tensor) => x.mul(x).mul(x));
  expect(grad((x: Tensor) => cube(x))(tensor(2)).itemSync()).toBe(12);
});
