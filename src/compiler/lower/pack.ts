/** Copies a block of the second operand's columns together, a panel wide, so that a tile reads them in one piece. */
import type { Expr, Target, Type } from '../../ir/ir.ts';
import { type Builder, indexAdd, indexConstant, indexMin, indexMul, indexSub, indexVariable } from './builder.ts';
import type { Block, Packed } from './depth.ts';
import type { Contraction } from './dims.ts';

export interface Packing {
  readonly b: Builder;
  readonly c: Contraction;
  readonly target: Target;
  readonly type: Type;
  /** Parameters: where columns are read, and where they go. */
  readonly source: number;
  readonly destination: number;
  readonly packed: Packed;
  /** The summed dimension that is done in blocks. */
  readonly depthLevel: number;
}

/** Elements of a cache line. */
const line = 16;

/** From element `from` of the source to element `to` of the destination; lanes beyond the columns stay what they were (0). */
export function packPanel(p: Packing, columns: number, block: Block, from: Expr, to: Expr): void {
  const { b, c } = p;
  const walk = (level: number, rowFrom: Expr, rowTo: Expr): void => {
    const d = c.depth[level];
    const around = block.around[level];
    if (!d) copyRow(p, columns, rowFrom, rowTo);
    else if (around) walk(level + 1, indexAdd(rowFrom, indexMul(around, d.b)), rowTo);
    else {
      const blocked = level === p.depthLevel;
      const [start, end] = blocked ? [block.from, block.to] : [indexConstant(0), indexConstant(d.extent)];
      const at = (k: Expr): [Expr, Expr] => [
        indexAdd(rowFrom, indexMul(k, d.b)),
        indexAdd(rowTo, indexMul(blocked ? indexSub(k, start) : k, p.packed.strides[level])),
      ];
      const name = b.fresh('p');
      const k = indexVariable(name);
      if (level < c.depth.length - 1 || d.b !== 1 || c.columns.b === 1) b.loop(name, start, end, 1, () => walk(level + 1, ...at(k)));
      else b.loop(name, start, end, line, () => turnLines(p, columns, k, b.let(indexMin(indexAdd(k, indexConstant(line)), end)), at));
    }
  };
  walk(0, b.let(from), b.let(to));
}

function copyRow({ b, c, target: { lanes }, type, source, destination }: Packing, columns: number, from: Expr, to: Expr): void {
  for (let column = 0; column < columns; column += lanes) {
    const count = columns - column < lanes ? { count: indexConstant(columns - column) } : {};
    const index = indexAdd(from, indexConstant(column * c.columns.b));
    const value = b.let({ kind: 'load', type, buffer: source, index, stride: c.columns.b, ...count });
    b.push({ kind: 'store', buffer: destination, index: indexAdd(to, indexConstant(column)), value, stride: 1 });
  }
}

/** Columns that are contiguous along the depth: a cache line of a vector's columns at a time, for the lines of a whole panel need not fit the first-level cache. */
function turnLines(p: Packing, columns: number, first: Expr, end: Expr, at: (k: Expr) => [Expr, Expr]): void {
  const { b, c, type, source, destination } = p;
  for (let column = 0; column < columns; column += type.lanes) {
    const count = columns - column < type.lanes ? { count: indexConstant(columns - column) } : {};
    const depth = b.fresh('k');
    b.loop(depth, first, end, 1, () => {
      const [from, to] = at(indexVariable(depth));
      const index = indexAdd(from, indexConstant(column * c.columns.b));
      const value = b.let({ kind: 'load', type, buffer: source, index, stride: c.columns.b, ...count });
      b.push({ kind: 'store', buffer: destination, index: indexAdd(to, indexConstant(column)), value, stride: 1 });
    });
  }
}
