/** Register tiles: which fit, what they cost, which is best for a shape. */
import type { Target } from '../../ir/ir.ts';

export interface TileShape {
  readonly rows: number;
  readonly vectors: number;
}

/** Register tiles that fit: accumulators, one vector of columns each and one broadcast row value. */
export function tileCandidates(target: Target, wide: boolean): TileShape[] {
  const registers = wide ? target.registers / 2 : target.registers;
  const out: TileShape[] = [];
  for (let vectors = 1; vectors <= 4; vectors++) {
    const most = Math.floor((registers - vectors - 1) / vectors);
    for (let rows = 1; rows <= Math.min(28, most); rows++) out.push({ rows, vectors });
  }
  // A single row needs no register for its columns: each is used once. Wide tiles read far memory in longer runs.
  for (let vectors = 5; vectors <= Math.min(16, registers - 2); vectors++) out.push({ rows: 1, vectors });
  return out;
}

/**
 * Cycles for one unit of depth over a block of rows × columns, on cores with two units of multiply-add. A load takes half a cycle where vectors are wide;
 * narrow cores were measured to need more for the row values. A tile may hold `inner` rows for each of its rows (two dimensions at once).
 */
export function tileCost(tile: TileShape, rows: number, columns: number, { lanes, registers }: Target, inner = 1): number {
  const load = registers > 16 ? 0.5 : 0.7;
  const cost = (r: number, v: number): number => Math.max((r * inner * v) / 2, (r * inner + v) * load, 4) + 0.4;
  const strip = (v: number): number => evenly(rows, tile.rows).reduce((sum, { size, count }) => sum + count * cost(size, v), 0);
  const vectors = Math.ceil(columns / lanes);
  const wholePanels = Math.floor(vectors / tile.vectors);
  const lastPanel = vectors % tile.vectors;
  return wholePanels * strip(tile.vectors) + (lastPanel > 0 ? strip(lastPanel) : 0);
}

/** A number of rows as few tiles of at most `most` rows, the larger first; their sizes differ by one at most. */
export function evenly(rows: number, most: number): { readonly size: number; readonly count: number }[] {
  const tiles = Math.ceil(rows / most);
  const size = Math.floor(rows / tiles);
  const larger = rows - size * tiles;
  return [
    { size: size + 1, count: larger },
    { size, count: tiles - larger },
  ].filter(({ count }) => count > 0);
}

/** Smaller tiles for what is left of a number of rows that is known only when the kernel runs. */
export const remainders = (rows: number): number[] => {
  const out: number[] = [];
  for (let r = Math.ceil(rows / 2); r >= 1; r = r === 1 ? 0 : Math.ceil(r / 2)) if (r < rows) out.push(r);
  return out;
};

export interface TileChoice extends TileShape {
  /** Rows of the inner row dimension that belong to each row of the tile: 1, or all of them. */
  readonly inner: number;
}

/** What is asked for: rows in the innermost row dimension, and in the one around it where a tile may span both (else 1). */
export interface TileRequest {
  readonly rows: number;
  readonly around: number;
  readonly columns: number;
  readonly wide: boolean;
  /** Columns of a panel that is already packed. */
  readonly width?: number | undefined;
}

export function chooseTile(target: Target, { rows, around, columns, wide, width }: TileRequest): TileChoice {
  let best: TileChoice = { rows: 1, vectors: 1, inner: 1 };
  let bestCost = Number.POSITIVE_INFINITY;
  const consider = (tile: TileChoice, cost: number): void => {
    // A last panel that is not full has to be packed lane by lane.
    const ragged = columns > tile.vectors * target.lanes && columns % (tile.vectors * target.lanes) > 0;
    const weighed = cost * (1 + 0.002 * tile.rows * tile.inner + (rows * around === 1 ? 0.1 / tile.vectors : 0) + (ragged ? 0.03 : 0));
    if (weighed < bestCost) [best, bestCost] = [tile, weighed];
  };
  for (const tile of tileCandidates(target, wide)) {
    if (width !== undefined && tile.vectors * target.lanes !== width) continue;
    if (tile.rows <= rows || tile.rows === 1) consider({ ...tile, inner: 1 }, around * tileCost(tile, rows, columns, target));
    if (around > 1 && rows > 1 && tile.rows % rows === 0 && tile.rows / rows <= around) {
      const both = { rows: tile.rows / rows, vectors: tile.vectors, inner: rows };
      consider(both, tileCost(both, around, columns, target, rows));
    }
  }
  return best;
}
