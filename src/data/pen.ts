/** A round pen: smooth curves through points, drawn with anti-aliasing on a square grid. Used by the generated digits. */
import type { Point } from './glyphs.ts';

/** A chain of points in pixels with the pen's radius at each. */
export interface PenPath {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly radius: Float64Array;
}

const samplesPerSpan = 6;

/** A Catmull–Rom curve through the points, as a fine chain. At corners the tangent breaks. */
export function smoothCurve(points: readonly Point[]): [number, number][] {
  const chain: [number, number][] = [[points[0][0], points[0][1]]];
  for (let i = 0; i + 1 < points.length; i++) {
    const [a, b] = [points[i], points[i + 1]];
    const before = a[2] || i === 0 ? a : points[i - 1];
    const after = b[2] || i + 2 === points.length ? b : points[i + 2];
    for (let s = 1; s <= samplesPerSpan; s++) {
      const t = s / samplesPerSpan;
      chain.push([catmullRom(before[0], a[0], b[0], after[0], t), catmullRom(before[1], a[1], b[1], after[1], t)]);
    }
  }
  return chain;
}

const catmullRom = (p: number, a: number, b: number, n: number, t: number): number => {
  const [ta, tb] = [(b - p) / 2, (n - a) / 2];
  return a + t * (ta + t * (3 * (b - a) - 2 * ta - tb + t * (2 * (a - b) + ta + tb)));
};

/** Raises `grid` [size, size] (0 … 1) to the coverage of a stroke; its edge is `softness` pixels wide. */
export function drawPath(grid: Float64Array, size: number, { x, y, radius }: PenPath, softness: number): void {
  for (let i = 0; i + 1 < x.length; i++) {
    const [ax, ay, bx, by] = [x[i], y[i], x[i + 1], y[i + 1]];
    const reach = Math.max(radius[i], radius[i + 1]) + softness;
    const [left, right] = [Math.max(0, Math.floor(Math.min(ax, bx) - reach)), Math.min(size - 1, Math.ceil(Math.max(ax, bx) + reach))];
    const [top, bottom] = [Math.max(0, Math.floor(Math.min(ay, by) - reach)), Math.min(size - 1, Math.ceil(Math.max(ay, by) + reach))];
    const [dx, dy] = [bx - ax, by - ay];
    const inverse = 1 / Math.max(1e-12, dx * dx + dy * dy);
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const [px, py] = [column + 0.5 - ax, row + 0.5 - ay];
        const along = (px * dx + py * dy) * inverse;
        const t = along < 0 ? 0 : along > 1 ? 1 : along;
        const [ex, ey] = [px - t * dx, py - t * dy];
        const coverage = 0.5 + (radius[i] + t * (radius[i + 1] - radius[i]) - Math.sqrt(ex * ex + ey * ey)) / softness;
        const at = row * size + column;
        if (coverage > grid[at]) grid[at] = coverage < 1 ? coverage : 1;
      }
    }
  }
}
