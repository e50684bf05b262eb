/** Random tensors: known values, determinism, distributions. */
import { describe, expect, it } from 'vitest';
import { random, seed, tensor } from '../../src/tensor/index.ts';

const moments = (values: ArrayLike<number>) => {
  const list = Array.from(values);
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  return { mean, variance: list.reduce((a, b) => a + (b - mean) ** 2, 0) / list.length };
};

describe('keys', () => {
  it('give known bits: Threefry-2×32, 20 rounds (test vectors of the Random123 library)', () => {
    // Key and counter 0: the words 6b200159 and 99ba4efe. The uniform number is the top 24 bits of the first.
    expect(random.uniform([1], { seed: 0 }).itemSync()).toBe((0x6b200159 >>> 8) * 2 ** -24);
  });
  it('are independent of what was drawn before', () => {
    const key = random.key(7);
    const first = random.normal([3], { key }).dataSync();
    random.normal([5]).dataSync();
    expect(random.normal([3], { seed: 7 }).dataSync()).toEqual(first);
    const [a, b] = random.split(key);
    expect(a.arraySync()).not.toEqual(b.arraySync());
    expect(random.split(key, 3)[0].arraySync()).not.toEqual(key.arraySync());
    expect(() => random.normal([1], { key: tensor([1, 2]) })).toThrow(/a key is int32 \[2\]/);
  });
});

describe('the default sequence', () => {
  it('starts anew with the same seed and can be saved', () => {
    const draw = () => [...random.normal([2]).dataSync(), ...random.uniform([2]).dataSync()];
    seed(7);
    const first = draw();
    const state = random.state();
    const second = draw();
    seed(7);
    expect(draw()).toEqual(first);
    random.setState(state);
    expect(draw()).toEqual(second);
    expect(second).not.toEqual(first);
    expect(() => seed(-1)).toThrow(/whole number/);
  });
  it('draws when the call is made, not when it is read', () => {
    seed(1);
    const [a, b] = [random.uniform([1]), random.uniform([1])];
    const [second, first] = [b.itemSync(), a.itemSync()];
    seed(1);
    expect([random.uniform([1]).itemSync(), random.uniform([1]).itemSync()]).toEqual([first, second]);
  });
});

describe('distributions', () => {
  const n = 20000;
  it('have the right moments and ranges', () => {
    const uniform = random.uniform([n], { seed: 1, low: -1, high: 3 }).dataSync();
    expect(moments(uniform).mean).toBeCloseTo(1, 1);
    expect(uniform.every((x) => x >= -1 && x < 3)).toBe(true);
    const normal = moments(random.normal([n], { seed: 2, mean: 5, std: 2 }).dataSync());
    expect(Math.abs(normal.mean - 5)).toBeLessThan(0.05);
    expect(Math.abs(normal.variance - 4)).toBeLessThan(0.15);
    expect(moments(random.bernoulli([n], { seed: 3, probability: 0.3 }).dataSync()).mean).toBeCloseTo(0.3, 1);
    const cut = random.truncatedNormal([n], { seed: 4 }).dataSync();
    expect(cut.every((x) => Math.abs(x) <= 2)).toBe(true);
    expect(moments(cut).variance).toBeCloseTo(0.774, 1);
    const whole = random.randint([n], { seed: 5, low: 2, high: 5 }).dataSync<Int32Array>();
    expect([...new Set(whole)].sort()).toEqual([2, 3, 4]);
    const classes = random.categorical(tensor([Math.log(0.2), Math.log(0.8)]).broadcastTo([n, 2]), { seed: 6 }).dataSync();
    expect(moments(classes).mean).toBeCloseTo(0.8, 1);
  });
  it('permutations hold every number once', () => {
    const order = random.permutation(100, { seed: 3 }).dataSync();
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect([...order]).not.toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});
