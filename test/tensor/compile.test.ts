/** compile(fn): recording, replay, signatures and the errors of recording. */
import { describe, expect, it } from 'vitest';
import {
  arange,
  compile,
  einsum,
  gradients,
  random,
  registerSignatureExtra,
  scan,
  seed,
  type Tensor,
  tensor,
  variable,
  zeros,
} from '../../src/tensor/index.ts';

describe('compile', () => {
  it('calls the function once per signature and gives what it gives', () => {
    let calls = 0;
    const f = compile((x: Tensor, scale: number, options: { negate: boolean }) => {
      calls++;
      const y = x.mul(scale);
      return { y: options.negate ? y.neg() : y, pair: [x.sum(), 'constant'] as const };
    });
    const first = f(tensor([1, 2]), 3, { negate: false });
    expect(first.y.arraySync()).toEqual([3, 6]);
    expect(f(tensor([3, 4]), 3, { negate: false }).pair[0].itemSync()).toBe(7);
    expect(first.pair[1]).toBe('constant');
    expect(calls).toBe(1);
    expect(f(tensor([3, 4]), 3, { negate: true }).y.arraySync()).toEqual([-9, -12]);
    expect(f(tensor([3, 4, 5]), 3, { negate: true }).y.arraySync()).toEqual([-9, -12, -15]);
    expect(f(tensor([3, 4], { dtype: 'int32' }), 3, { negate: true }).y.dtype).toBe('int32');
    expect(calls).toBe(4);
    expect(first.y.arraySync()).toEqual([3, 6]);
  });

  it('is recorded anew when what it depends on says so', () => {
    let mode = 'a';
    let calls = 0;
    registerSignatureExtra(() => mode);
    const f = compile((x: Tensor) => {
      calls++;
      return mode === 'a' ? x : x.neg();
    });
    const read = () => f(tensor(1)).itemSync();
    expect([read(), read()]).toEqual([1, 1]);
    mode = 'b';
    expect([read(), read()]).toEqual([-1, -1]);
    expect(calls).toBe(2);
  });

  it('trains: a step with gradients, state and randomness equals the lazy one', () => {
    const make = () => {
      const w = variable(arange(6).reshape([3, 2]).mul(0.1).sub(0.2).cast('float32'));
      const count = variable(0, { dtype: 'int32' });
      const step = (x: Tensor, y: Tensor) => {
        const noisy = x.add(random.normal(x.shape, { std: 0.1 }));
        const loss = noisy.matmul(w).tanh().sub(y).square().mean();
        const [dw] = gradients(loss, [w]);
        w.assign(w.sub(dw.mul(0.1)));
        count.assign(count.add(1));
        return loss;
      };
      return { w, count, step };
    };
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const y = tensor([
      [0, 1],
      [1, 0],
    ]);
    const [lazy, compiled] = [make(), make()];
    const step = compile(compiled.step);
    seed(11);
    const expected = Array.from({ length: 5 }, () => lazy.step(x, y).itemSync());
    seed(11);
    const got = Array.from({ length: 5 }, () => step(x, y).itemSync());
    got.forEach((loss, i) => expect(loss).toBeCloseTo(expected[i], 5));
    const weights = lazy.w.dataSync();
    compiled.w.dataSync().forEach((value, i) => expect(value).toBeCloseTo(weights[i], 5));
    expect(compiled.count.itemSync()).toBe(5);
    expect(new Set(got).size).toBe(5);
  });

  it('captures tensors from outside, computed or not, once', () => {
    const w = variable(2);
    const table = tensor([10, 20]);
    const lazy = table.mul(w);
    const f = compile((x: Tensor) =>
      x
        .add(lazy)
        .add(table)
        .add(zeros([2])),
    );
    expect(f(tensor([1, 2])).arraySync()).toEqual([31, 62]);
    w.assign(5);
    expect(f(tensor([1, 2])).arraySync()).toEqual([31, 62]);
  });

  it('returns arguments, constants and captured tensors as they are', () => {
    const table = tensor([10, 20]);
    const f = compile((x: Tensor, y: Tensor) => [x, y, table, zeros([2])] as const);
    expect(f(tensor(1), tensor(2)).map((t) => t.arraySync())).toEqual([1, 2, [10, 20], [0, 0]]);
    expect(compile(() => undefined)()).toBeUndefined();
  });

  it('inlines compiled functions', () => {
    const inner = compile((x: Tensor) => x.mul(2));
    const outer = compile((x: Tensor) => inner(x).add(1));
    expect(outer(tensor(3)).itemSync()).toBe(7);
  });

  it('makes variables inside, the first time only', () => {
    let weight: ReturnType<typeof variable> | undefined;
    const f = compile((x: Tensor) => {
      weight ??= variable([3, 4]);
      weight.assign(weight.add(x));
      return weight;
    });
    f(tensor([1, 1]));
    expect(f(tensor([1, 1])).arraySync()).toEqual([5, 6]);
  });

  it('explains itself', () => {
    const f = compile((x: Tensor) => x.add(1));
    const { kernels, source } = f.explain(tensor([1]));
    expect(Array.isArray(kernels)).toBe(true);
    expect(typeof source).toBe('string');
    expect(Array.isArray(f.profile(tensor([1])))).toBe(true);
  });

  it('serves asynchronous readers in order', async () => {
    const w = variable(0);
    const step = compile(() => {
      w.assign(w.add(1));
      return w;
    });
    const values = await Promise.all(Array.from({ length: 5 }, () => step().item()));
    expect(values).toEqual([1, 2, 3, 4, 5]);
    expect(await Promise.all([w.item(), step().item(), w.item()])).toEqual([5, 6, 6]);
  });
});

describe('what recording refuses', () => {
  it('reading values', () => {
    expect(() => compile((x: Tensor) => (x.mul(2).itemSync() > 1 ? x : x.neg()))(tensor(1))).toThrow(
      /itemSync: a tensor float32 \[\] \(result of mul\) has no value yet.*compile is recording/,
    );
    const w = variable(1);
    expect(() => compile(() => w.dataSync())()).toThrow(/dataSync: .*recording/);
    expect(() => scan((c: Tensor, x: Tensor) => [c.add(x.itemSync()), c], tensor(0), tensor([1, 2]))).toThrow(/scan is recording/);
  });
  it('asynchronous functions, typed arrays, variables that start from inner values', () => {
    expect(() => compile(async (x: Tensor) => x)(tensor(1))).toThrow(/asynchronous/);
    expect(() => compile((x: Float32Array) => tensor(x))(new Float32Array(2))).toThrow(/Float32Array/);
    expect(() => compile((x: Tensor) => variable(x.add(1)))(tensor(1))).toThrow(/variable: .*recorded function/);
  });
  it('but not reading what is there already', () => {
    const table = tensor([1, 2]);
    expect(compile((x: Tensor) => x.mul(table.dataSync()[1]))(tensor(3)).itemSync()).toBe(6);
  });
});

describe('scan', () => {
  it('carries state, stacks results, runs in reverse', () => {
    const sums = scan((c: Tensor, x: Tensor) => [c.add(x), c], tensor(0), tensor([1, 2, 3]));
    expect(sums.map((t) => t.arraySync())).toEqual([6, [0, 1, 3]]);
    const back = scan((c: Tensor, x: Tensor) => [c.add(x), c], tensor(0), tensor([1, 2, 3]), { reverse: true });
    expect(back.map((t) => t.arraySync())).toEqual([6, [5, 3, 0]]);
    const [count, none] = scan((c: Tensor) => [c.mul(2), undefined], tensor(1), undefined, { length: 10 });
    expect([count.itemSync(), none]).toEqual([1024, undefined]);
  });

  it('equals the unrolled loop, forward and gradient, with weights from outside', () => {
    const w = variable([
      [0.3, -0.2],
      [0.5, 0.1],
    ]);
    const xs = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const step = (h: Tensor, x: Tensor) => einsum('ij,j->i', w, h).add(x).tanh();
    const looped = () =>
      scan(
        (h: Tensor, x: Tensor) => {
          const next = step(h, x);
          return [next, { twice: next.mul(2) }];
        },
        zeros([2]),
        xs,
      )[1]
        .twice.square()
        .sum();
    const unrolled = () => {
      let h = zeros([2]);
      let total = tensor(0);
      for (const x of xs.unstack()) {
        h = step(h, x);
        total = total.add(h.mul(2).square().sum());
      }
      return total;
    };
    const run = (f: () => Tensor) => {
      const loss = f();
      const [dw] = gradients(loss, [w]);
      return [loss.itemSync(), ...dw.flatten().dataSync()];
    };
    const expected = run(unrolled);
    run(looped).forEach((value, i) => expect(value).toBeCloseTo(expected[i], 4));
    const compiled = compile(() => {
      const loss = looped();
      return [loss, ...gradients(loss, [w])];
    })();
    expect(compiled[0].itemSync()).toBeCloseTo(expected[0], 5);
  });

  it('draws other random numbers in every step, the same under the same seed', () => {
    const walk = () => scan((c: Tensor) => [c, random.uniform([2])], tensor(0), undefined, { length: 4 })[1];
    seed(1);
    const first = walk().dataSync();
    seed(1);
    expect(walk().dataSync()).toEqual(first);
    expect(new Set(first).size).toBe(8);
    seed(1);
    expect(compile(walk)().dataSync()).toEqual(first);
  });

  it('refuses carries that change and assignments inside', () => {
    expect(() => scan((c: Tensor, x: Tensor) => [c.add(x).reshape([1]), c], tensor(0), tensor([1, 2]))).toThrow(
      /carry 0 began as float32 \[\] but the step returns float32 \[1\]/,
    );
    const w = variable(1);
    const assigning = (c: Tensor): [Tensor, Tensor] => [w.assign(c), c];
    expect(() => scan(assigning, tensor(0), undefined, { length: 2 })).toThrow(/assigned inside a scan/);
    expect(() => scan((c: Tensor) => [c, c], tensor(0), undefined)).toThrow(/number of steps/);
  });
});
