/** Copies a block of rows of the first operand together, tile by tile, so that each step of the depth reads the values of a tile's rows in one piece. */
import type { Expr, Target, Type } from '../../ir/ir.ts';
import { type Builder, indexAdd, indexConstant, indexMul, indexSub, indexVariable } from './builder.ts';
import type { Block, Packed } from './depth.ts';
import type { Contraction } from './dims.ts';

export interface RowPacking {
  readonly b: Builder;
  readonly c: Contraction;
  readonly target: Target;
  readonly type: Type;
  /** Parameters: where rows are read, and where they go. */
  readonly source: number;
  readonly destination: number;
  /** A packed block of one row. */
  readonly packed: Packed;
  /** The summed dimension that is done in blocks. */
  readonly depthLevel: number;
}

/**
 * One tile of `rows` neighbours, from element `from` of the source to element `to` of the destination. Whole vectors are written, so that up to a vector behind
 * the tile is overwritten: tiles are packed in their order, and the last is followed by room.
 */
export function packTile(p: RowPacking, rows: number, block: Block, from: Expr, to: Expr): void {
  const { b, c, type, source, destination } = p;
  const { lanes } = p.target;
  const walk = (level: number, rowFrom: Expr, rowTo: Expr): void => {
    const d = c.depth[level];
    const around = block.around[level];
    if (!d) {
      for (let at = 0; at < rows; at += lanes) {
        const count = rows - at < lanes ? { count: indexConstant(rows - at) } : {};
        const value = b.let({ kind: 'load', type, buffer: source, index: indexAdd(rowFrom, indexConstant(at)), stride: 1, ...count });
        b.push({ kind: 'store', buffer: destination, index: indexAdd(rowTo, indexConstant(at)), value, stride: 1 });
      }
    } else if (around) walk(level + 1, indexAdd(rowFrom, indexMul(around, d.a)), rowTo);
    else {
      const blocked = level === p.depthLevel;
      const [start, end] = blocked ? [block.from, block.to] : [indexConstant(0), indexConstant(d.extent)];
      const name = b.fresh('p');
      const k = indexVariable(name);
      const step = p.packed.strides[level] * rows;
      b.loop(name, start, end, 1, () =>
        walk(level + 1, indexAdd(rowFrom, indexMul(k, d.a)), indexAdd(rowTo, indexMul(blocked ? indexSub(k, start) : k, step))),
      );
    }
  };
  walk(0, b.let(from), b.let(to));
}
