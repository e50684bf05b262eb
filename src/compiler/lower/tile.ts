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
 * Cycles for one unit of depth over a block of rows × columns, on cores with two units of multiply-add and two loads per cycle. A tile may hold
 * `inner` rows for each of its rows (two dimensions at once).
 */
export function tileCost(tile: TileShape, rows: number, columns: number, lanes: number, inner = 1): number {
  const cost = (r: number, v: number): number => Math.max((r * inner * v) / 2, (r * inner + v) / 2, 4) + 0.4;
  const strip = (v: number): number => {
    const whole = Math.floor(rows / tile.rows);
    let rest = rows - whole * tile.rows;
    let cycles = whole * cost(tile.rows, v);
    for (const r of remainders(tile.rows)) {
      cycles += Math.floor(rest / r) * cost(r, v);
      rest %= r;
    }
    return cycles;
  };
  const vectors = Math.ceil(columns / lanes);
  const wholePanels = Math.floor(vectors / tile.vectors);
  const lastPanel = vectors % tile.vectors;
  return wholePanels * strip(tile.vectors) + (lastPanel > 0 ? strip(lastPanel) : 0);
}

/** Smaller tiles for what is left of the rows. */
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
    const weighed = cost * (1 + 0.002 * tile.rows * tile.inner + (rows * around === 1 ? 0.1 / tile.vectors : 0));
    if (weighed < bestCost) [best, bestCost] = [tile, weighed];
  };
  for (const tile of tileCandidates(target, wide)) {
    if (width !== undefined && tile.vectors * target.lanes !== width) continue;
    if (tile.rows <= rows || tile.rows === 1) consider({ ...tile, inner: 1 }, around * tileCost(tile, rows, columns, target.lanes));
    if (around > 1 && rows > 1 && tile.rows % rows === 0 && tile.rows / rows <= around) {
      const both = { rows: tile.rows / rows, vectors: tile.vectors, inner: rows };
      consider(both, tileCost(both, around, columns, target.lanes, rows));
    }
  }
  return best;
}
