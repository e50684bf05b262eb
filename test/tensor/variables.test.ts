/** Variables: what readers see when a value changes, lazily and inside compiled functions. */
import { describe, expect, it } from 'vitest';
import { compile, type Tensor, tensor, variable } from '../../src/tensor/index.ts';

describe('lazy assignment', () => {
  it('shows the new value to later readers and the old one to earlier ones', async () => {
    const w = variable([1, 2], { name: 'w' });
    const before = w.mul(10);
    w.assign(w.add(1));
    const after = w.mul(10);
    expect(await after.array()).toEqual([20, 30]);
    expect(await before.array()).toEqual([10, 20]);
    expect(w.arraySync()).toEqual([2, 3]);
    w.assign(7);
    expect(w.arraySync()).toEqual([7, 7]);
  });

  it('refuses other shapes and dtypes', () => {
    const w = variable([1, 2], { name: 'w' });
    expect(() => w.assign(tensor([1, 2, 3]))).toThrow(/assign: variable w is \[2\] but the value is \[3\]/);
    expect(() => w.assign(tensor([1, 2], { dtype: 'int32' }))).toThrow(/w is float32 but the value is int32.*cast/);
  });

  it('gives copies that nothing changes', async () => {
    const w = variable([1, 2]);
    const snapshot = w.snapshot();
    const data = await w.data();
    compile(() => void w.assign(w.add(1)))();
    data[0] = 99;
    expect([Array.from(data), w.arraySync(), snapshot.arraySync()]).toEqual([
      [99, 2],
      [2, 3],
      [1, 2],
    ]);
  });

  it('does not tie a variable to the tensor it was assigned', () => {
    const t = tensor([1, 2]);
    const [v, w] = [variable([0, 0]), variable([0, 0])];
    v.assign(t);
    w.assign(t);
    compile(() => void v.assign(v.add(1)))();
    expect([t.arraySync(), v.arraySync(), w.arraySync()]).toEqual([
      [1, 2],
      [2, 3],
      [1, 2],
    ]);
  });
});

describe('in compiled functions', () => {
  it('snapshots for lazy readers of the version that is overwritten', async () => {
    const w = variable([1, 2]);
    const step = compile(() => void w.assign(w.mul(2)));
    step();
    const reader = w.add(0.5);
    step();
    const second = w.add(0.5);
    step();
    expect([reader.arraySync(), second.arraySync(), w.arraySync()]).toEqual([
      [2.5, 4.5],
      [4.5, 8.5],
      [8, 16],
    ]);
  });

  it('reads its own writes, and returns variables by value', () => {
    const w = variable(1);
    const step = compile((by: Tensor) => {
      const old = w.snapshot();
      w.assign(w.add(by));
      const middle = w.mul(100);
      w.assign(w.mul(2));
      return { old, middle, w };
    });
    const first = step(tensor(1));
    const second = step(tensor(2));
    expect([first.old, first.middle, first.w].map((t) => t.itemSync())).toEqual([1, 200, 4]);
    expect([second.old, second.middle, second.w].map((t) => t.itemSync())).toEqual([4, 600, 12]);
  });

  it('exchanges variables and assigns arguments', () => {
    const [a, b] = [variable(1), variable(2)];
    const exchange = compile(() => {
      const old = a.snapshot();
      a.assign(b);
      b.assign(old);
    });
    exchange();
    expect([a.itemSync(), b.itemSync()]).toEqual([2, 1]);
    exchange();
    exchange();
    expect([a.itemSync(), b.itemSync()]).toEqual([2, 1]);
    const same = compile((x: Tensor) => {
      a.assign(x);
      b.assign(x.mul(1));
    });
    same(tensor(5));
    expect([a.itemSync(), b.itemSync()]).toEqual([5, 5]);
  });

  it('assigns one value to two variables without tying them', () => {
    const [a, b] = [variable(1), variable(2)];
    compile(() => {
      const value = a.add(b);
      a.assign(value);
      b.assign(value);
    })();
    compile(() => void a.assign(a.add(1)))();
    expect([a.itemSync(), b.itemSync()]).toEqual([4, 3]);
  });

  it('takes variables as arguments to assign', () => {
    const increment = compile((v: ReturnType<typeof variable>) => void v.assign(v.add(1)));
    const [a, b] = [variable(1), variable(10)];
    increment(a);
    increment(b);
    increment(a);
    expect([a.itemSync(), b.itemSync()]).toEqual([3, 11]);
  });

  it('sees pending lazy assignments', () => {
    const w = variable(1);
    const double = compile(() => void w.assign(w.mul(2)));
    w.assign(w.add(4));
    double();
    w.assign(w.add(1));
    double();
    expect(w.itemSync()).toBe(22);
  });
});
