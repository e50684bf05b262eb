/** How programs run: the compiled lazy path, work off the main thread, and in which order. */
import { describe, expect, it, vi } from 'vitest';
import { arange, compile, gradients, ones, random, setDebugLevel, type Tensor, tensor, variable } from '../../src/tensor/index.ts';

describe('large lazy programs', () => {
  it('are compiled and give what small ones give', async () => {
    const n = 1500;
    const x = random.normal([n, n], { seed: 1 });
    await x.realize();
    const w = variable(ones([n]).mul(0.5));
    for (let i = 0; i < 4; i++) {
      // A number that changes is an input of the program.
      const scaled = x
        .mul(w)
        .mul(1.25 + i)
        .sub(i * 0.1);
      w.assign(w.mul(1.1));
      const row = await scaled.slice([3], [1]).data();
      const all = await scaled.data();
      const source = await x.slice([3], [1]).data();
      const weight = 0.5 * 1.1 ** i;
      for (const k of [0, 7, n - 1]) {
        expect(all[3 * n + k]).toBeCloseTo(source[k] * weight * (1.25 + i) - i * 0.1, 4);
        expect(row[k]).toBeCloseTo(all[3 * n + k], 4);
      }
    }
    expect((await w.data())[5]).toBeCloseTo(0.5 * 1.1 ** 4, 5);
  });

  it('are compiled once, however old the variables in them are', async () => {
    const layers = [1, 2].map((seed) => variable(random.normal([600, 600], { seed })));
    const x = await random.normal([300, 600], { seed: 3 }).realize();
    const net = () => layers.reduce((h, w) => h.matmul(w).relu(), x as Tensor).sum();
    const compiled = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    setDebugLevel(1);
    for (let i = 0; i < 3; i++) await net().item();
    setDebugLevel(0);
    const lines = compiled.mock.calls.map(([line]) => String(line)).filter((line) => /lazy program: compiled/.test(line));
    compiled.mockRestore();
    expect(lines.length).toBeLessThanOrEqual(1);
  });

  it('take gradients with respect to variables that were computed in between', async () => {
    const w = variable(arange(1000).mul(0.001));
    const x = random.normal([3000, 1000], { seed: 2 });
    const loss = x.matmul(w).square().mean();
    w.assign(w.mul(2));
    const other = await w.sum().item();
    expect(other).toBeCloseTo(999, 0);
    const before = w.mul(3).sum();
    await w.sum().item();
    expect((await gradients(before, w).data())[0]).toBe(3);
    expect(() => gradients(loss, w)).toThrow(/does not depend/);
  });
});

describe('order', () => {
  const size = 4_000_000;
  const bigStep = () => {
    const w = variable(ones([size]));
    const step = compile((by: Tensor) => {
      w.assign(w.add(by));
      return w.slice([0], [2]).sum();
    });
    return { w, step };
  };

  it('steps that nobody waits for run in order, readers see their own version', async () => {
    const { w, step } = bigStep();
    const first = step(tensor(1));
    const between = w.slice([5], [1]);
    const snapshot = w.snapshot();
    const second = step(tensor(10));
    const third = step(tensor(100));
    expect(await Promise.all([third.item(), first.item(), second.item(), between.item()])).toEqual([224, 4, 24, 2]);
    expect((await snapshot.data())[9]).toBe(2);
    expect((await w.data())[9]).toBe(112);
  });

  it('a read while a program is under way waits, or says so when it cannot', async () => {
    const { w, step } = bigStep();
    const reading = step(tensor(1)).item();
    const late = step(tensor(1));
    const again = w.slice([0], [1]).item();
    expect(await Promise.all([reading, again, late.item()])).toEqual([4, 3, 6]);
    const x = tensor([1, 2]).add(1);
    expect(x.arraySync()).toEqual([2, 3]);
  });

  it('a loop of small steps that awaits each of them lets the event loop turn', async () => {
    const counter = variable(ones([16]));
    const step = compile(() => {
      counter.assign(counter.add(1));
      return counter.sum();
    });
    await step().item();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    for (const end = performance.now() + 100; performance.now() < end; ) await step().item();
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
  });
});
