/** Small seeded generator for data order and generated data (not for tensors: those use counter-based bits on the device). */

export interface Generator {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** A whole number in 0 … n−1. */
  below(n: number): number;
  /** Standard normal. */
  normal(): number;
}

/** sfc32 (Chris Doty-Humphrey's PractRand), seeded from whole numbers; different lists of seeds give independent streams. */
export function generator(...seeds: readonly number[]): Generator {
  let [a, b, c] = [0x9e3779b9, 0x243f6a88, 0xb7e15162];
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return t >>> 0;
  };
  for (const seed of seeds) {
    a ^= seed | 0;
    b ^= Math.floor(seed / 2 ** 32) | 0;
    for (let i = 0; i < 12; i++) next();
  }
  const uniform = () => next() / 2 ** 32;
  return {
    uniform,
    below: (n) => Math.floor(uniform() * n),
    // Box–Muller; the second value is thrown away so that the stream has no hidden state.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** 0 … n−1 in an order drawn by Fisher–Yates. */
export function permutation(n: number, random: Generator): Int32Array {
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  shuffle(order, random);
  return order;
}

export function shuffle(order: Int32Array, random: Generator): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const held = order[i];
    order[i] = order[j];
    order[j] = held;
  }
}
