/** Copies a block of an operand together, so that a tile reads it in one piece: columns of the second operand a panel wide, rows of the first a tile high. */
import type { Expr, Target, Type } from '../../ir/ir.ts';
import { type Builder, indexAdd, indexConstant, indexMin, indexMul, indexSub } from './builder.ts';
import type { Block, Packed } from './depth.ts';
import type { Contraction } from './dims.ts';

export interface Packing {
  readonly b: Builder;
  readonly c: Contraction;
  readonly target: Target;
  readonly type: Type;
  /** Parameters: where the block is read, and where it goes. */
  readonly source: number;
  readonly destination: number;
  readonly packed: Packed;
  /** The summed dimension that is done in blocks. */
  readonly depthLevel: number;
}

/** Elements of a cache line. */
const line = 16;

type At = (k: Expr) => [Expr, Expr];

/** Goes through a block along its dimensions: where each step lies in the operand, and where it goes. `turn` takes a line of the last dimension at once. */
function walk(
  p: Packing,
  operand: 'a' | 'b',
  block: Block,
  [from, to]: [Expr, Expr],
  copy: (from: Expr, to: Expr) => void,
  turn?: (k: Expr, end: Expr, at: At) => void,
): void {
  const { b, c } = p;
  const along = (level: number, rowFrom: Expr, rowTo: Expr): void => {
    const d = c.depth[level];
    const around = block.around[level];
    if (!d) copy(rowFrom, rowTo);
    else if (around) along(level + 1, indexAdd(rowFrom, indexMul(around, d[operand])), rowTo);
    else {
      const blocked = level === p.depthLevel;
      const [start, end] = blocked ? [block.from, block.to] : [indexConstant(0), indexConstant(d.extent)];
      const at: At = (k) => [indexAdd(rowFrom, indexMul(k, d[operand])), indexAdd(rowTo, indexMul(blocked ? indexSub(k, start) : k, p.packed.strides[level]))];
      const name = b.fresh('depth');
      if (!turn || level < c.depth.length - 1) b.loop(name, start, end, 1, (k) => along(level + 1, ...at(k)));
      else b.loop(name, start, end, line, (k) => turn(k, b.let(indexMin(indexAdd(k, indexConstant(line)), end)), at));
    }
  };
  along(0, b.let(from), b.let(to));
}

/** From element `from` of the source to element `to` of the destination; lanes beyond the columns stay what they were (0). */
export function packPanel(p: Packing, columns: number, block: Block, from: Expr, to: Expr): void {
  const turned = p.c.columns.b !== 1 && p.c.depth[p.c.depth.length - 1].b === 1;
  const turn = (k: Expr, end: Expr, at: At): void => turnLines(p, columns, k, end, at);
  walk(p, 'b', block, [from, to], (rowFrom, rowTo) => copyRow(p, columns, p.c.columns.b, rowFrom, rowTo), turned ? turn : undefined);
}

/**
 * One tile of rows of the first operand, so that each step of the depth reads their values in one piece (`packed` is that of one row). Whole
 * vectors are written, so that up to a vector behind the tile is overwritten: tiles are packed in their order, and the last is followed by room.
 */
export function packTile(p: Packing, rows: number, block: Block, from: Expr, to: Expr): void {
  const tile = { ...p, packed: { ...p.packed, strides: p.packed.strides.map((stride) => stride * rows) } };
  walk(tile, 'a', block, [from, to], (rowFrom, rowTo) => copyRow(p, rows, p.c.outer[0].a, rowFrom, rowTo));
}

/** Asks for the cache lines of rows that are packed later. */
export function prefetchRows({ b, source }: Pick<Packing, 'b' | 'source'>, rows: { from: Expr; rows: number; stride: number; columns: number }): void {
  b.loop(b.fresh('row'), indexConstant(0), indexConstant(rows.rows), 1, (row) => {
    const at = indexAdd(rows.from, indexMul(row, rows.stride));
    for (let column = 0; column < rows.columns; column += line) b.push({ kind: 'prefetch', buffer: source, index: indexAdd(at, indexConstant(column)) });
  });
}

function copyRow({ b, target: { lanes }, type, source, destination }: Packing, columns: number, stride: number, from: Expr, to: Expr): void {
  for (let column = 0; column < columns; column += lanes) {
    const count = columns - column < lanes ? { count: indexConstant(columns - column) } : {};
    const index = indexAdd(from, indexConstant(column * stride));
    const value = b.let({ kind: 'load', type, buffer: source, index, stride, ...count });
    b.push({ kind: 'store', buffer: destination, index: indexAdd(to, indexConstant(column)), value, stride: 1 });
  }
}

/** Columns that are contiguous along the depth: a cache line of a vector's columns at a time, for the lines of a whole panel need not fit the first-level cache. */
function turnLines(p: Packing, columns: number, first: Expr, end: Expr, at: At): void {
  const { b, c, type, source, destination } = p;
  for (let column = 0; column < columns; column += type.lanes) {
    const count = columns - column < type.lanes ? { count: indexConstant(columns - column) } : {};
    b.loop(b.fresh('k'), first, end, 1, (k) => {
      const [from, to] = at(k);
      const index = indexAdd(from, indexConstant(column * c.columns.b));
      const value = b.let({ kind: 'load', type, buffer: source, index, stride: c.columns.b, ...count });
      b.push({ kind: 'store', buffer: destination, index: indexAdd(to, indexConstant(column)), value, stride: 1 });
    });
  }
}
