/**
 * One handwritten digit: pen strokes with random slant, width, proportions and wobble, prepared as MNIST's were
 * (fitted into a box of 20 × 20 pixels of 28, centred by mass).
 */
import { glyphs, type Point, type Variant } from './glyphs.ts';
import { drawPath, type PenPath, smoothCurve } from './pen.ts';
import type { Generator } from './random.ts';

/** The size of the box that holds the ink, relative to the image: 20 of 28. */
const inkBox = 20 / 28;

/** Draws one digit as bytes, 0 paper to 255 ink, into `out` [size, size]. */
export function drawDigit(digit: number, random: Generator, out: Uint8Array, size: number): void {
  const chains = bend(chooseVariant(glyphs[digit], random), random);
  const box = Math.round(size * inkBox);
  const margin = Math.floor((size - box) / 2);
  const grid = new Float64Array(size * size);
  const softness = 1 + 0.5 * random.uniform();
  for (const path of fit(chains, box, margin, random)) drawPath(grid, size, path, softness);
  centreByMass(grid, size, out);
}

function chooseVariant(variants: readonly Variant[], random: Generator): Variant {
  let pick = random.uniform() * variants.reduce((sum, { weight }) => sum + weight, 0);
  for (const variant of variants) {
    pick -= variant.weight;
    if (pick < 0) return variant;
  }
  return variants[0];
}

/** Numbers that make a hand: chosen by looking at MNIST's digits, and at those that a net trained on generated ones misread. */
const hand = {
  stray: 0.03,
  warp: 0.038,
  slantMean: 0.14,
  slant: 0.25,
  turn: 0.11,
  proportion: 0.25,
  pressure: 0.15,
  thickness: 2.55,
  thicknessSpread: 0.25,
  boldest: 5,
  thinnest: 1.3,
};

/** The strokes as fine chains, after straying points, a slow warp of the plane, proportions, slant and rotation. */
function bend({ strokes, looseness = 1 }: Variant, random: Generator): [number, number][][] {
  const stray = hand.stray * looseness * (0.4 + 1.2 * random.uniform());
  const slant = hand.slantMean + hand.slant * random.normal();
  const turn = hand.turn * random.normal();
  const wide = Math.exp(hand.proportion * random.normal());
  const waves = [0, 1, 2, 3].map(() => ({
    amount: hand.warp * random.normal(),
    kx: 5 * random.normal(),
    ky: 5 * random.normal(),
    phase: 2 * Math.PI * random.uniform(),
  }));
  const squeeze = 0.16 * random.normal();
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)];
  return strokes.map((stroke) => {
    const points = stroke.map(([x, y, ...corner]): Point => [x + stray * random.normal(), y + stray * random.normal(), ...corner]);
    return smoothCurve(points).map(([x0, y0]) => {
      let [x, y] = [x0, y0];
      waves.forEach(({ amount, kx, ky, phase }, i) => {
        const shift = amount * Math.sin(kx * x0 + ky * y0 + phase);
        if (i % 2 === 0) x += shift;
        else y += shift;
      });
      y += squeeze * y * (1 - y);
      const u = (x - 0.3) * wide - slant * (y - 0.5);
      return [cosine * u - sine * (y - 0.5), sine * u + cosine * (y - 0.5)];
    });
  });
}

/** Scales and moves chains so that the ink just fills a box of `box` pixels, its proportions kept; the pen's pressure varies slowly. */
function fit(chains: readonly (readonly [number, number])[][], box: number, margin: number, random: Generator): PenPath[] {
  const width = Math.min(hand.boldest, Math.max(hand.thinnest, hand.thickness * Math.exp(hand.thicknessSpread * random.normal())));
  const radius = (width / 2) * (box / 20);
  const all = chains.flat();
  const [xs, ys] = [all.map(([x]) => x), all.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const extent = Math.max(Math.max(...xs) - left, Math.max(...ys) - top, 1e-3);
  const scale = (box - 2 * radius) / extent;
  const [swell, frequency, phase] = [hand.pressure * random.normal(), 2 + 4 * random.uniform(), 2 * Math.PI * random.uniform()];
  return chains.map((chain) => ({
    x: Float64Array.from(chain, ([x]) => margin + radius + (x - left) * scale),
    y: Float64Array.from(chain, ([, y]) => margin + radius + (y - top) * scale),
    radius: Float64Array.from(chain, ([x, y]) => radius * (1 + swell * Math.sin(frequency * (x + y) + phase))),
  }));
}

/** Copies the grid as bytes, moved by whole pixels so that its centre of mass is at the middle. */
function centreByMass(grid: Float64Array, size: number, out: Uint8Array): void {
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const ink = grid[row * size + column];
      mass += ink;
      sumX += ink * column;
      sumY += ink * row;
    }
  }
  const [dx, dy] = [Math.round((size - 1) / 2 - sumX / mass), Math.round((size - 1) / 2 - sumY / mass)];
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const [fromRow, fromColumn] = [row - dy, column - dx];
      const inside = fromRow >= 0 && fromRow < size && fromColumn >= 0 && fromColumn < size;
      out[row * size + column] = inside ? Math.round(255 * grid[fromRow * size + fromColumn]) : 0;
    }
  }
}
