/** Blocks of the summed dimensions: how much of the depth is done at a time, and how a block of the second operand lies when it is packed. */
import type { Expr, Target } from '../../ir/ir.ts';
import { type Contraction, packsInside, panelsAsUnits } from './dims.ts';

/** A block of the depth: a turn of each summed dimension around, and a range of the blocked one. */
export interface Block {
  readonly around: readonly Expr[];
  readonly from: Expr;
  readonly to: Expr;
}

/**
 * The summed dimension that is done in blocks (those around it go turn by turn), and the turns of a block. What a block touches of the second operand's
 * columns should be about two first-level caches (half of one where rows are packed, too), and deep enough that sums stay in registers for a while. Rows that
 * are contiguous along the depth stream well, so that a somewhat deeper sum is better left whole.
 */
export function chooseDepthBlock(c: Contraction, target: Target, width: number, packsRows: boolean): [number, number] {
  const { depth, node } = c;
  const inside = packsRows && packsInside(c, target, width);
  const near = Math.floor((target.l1Bytes * (inside ? 0.5 : 2)) / (4 * width));
  // Where panels go by one after the other, all rows should stay in the second-level cache.
  const rows = c.outer.reduce((p, d) => p * (d.b === 0 ? d.extent : 1), 1);
  const shared = panelsAsUnits(c, target, width) ? Math.floor(target.l2Bytes / (8 * rows)) : near;
  // Operands in strides (gradients of kernels): every step touches a cache line of each, and a quarter of the first-level cache should hold them all (strides often are powers of two).
  const strided = !packsRows && depth.length > 1 && depth[depth.length - 1].a !== 1;
  const wanted = strided ? Math.min(near, target.l1Bytes / 4 / 128) : Math.max(Math.min(near, shared), 256);
  for (let level = 0; level < depth.length && node.dtype !== 'float64'; level++) {
    const each = depth.slice(level + 1).reduce((p, d) => p * d.extent, 1);
    const { extent } = depth[level];
    if (each * extent <= wanted * (depth[depth.length - 1].a === 1 ? 3 : 2)) return [level, extent];
    if (each > wanted && level + 1 < depth.length) continue;
    const blocks = Math.ceil((each * extent) / wanted);
    return [level, Math.max(1, Math.ceil(extent / blocks))];
  }
  return [0, depth[0]?.extent ?? 1];
}

/** Rows of the first operand (packed: of so many elements) of which a block of the depth takes somewhat more than half of the second-level cache: whole tiles, two at least. */
export function rowsInCache({ depth }: Contraction, target: Target, packed: number | undefined, block: number, tileRows: number): number {
  const bytes = 4 * (packed ?? (depth.length === 1 ? block : depth.reduce((p, d) => p * d.extent, 1)));
  return tileRows * Math.max(2, Math.floor((0.6 * target.l2Bytes) / bytes / tileRows));
}

/** A packed block: the blocked dimension and those inside it, row-major, a panel wide. */
export interface Packed {
  readonly strides: readonly number[];
  /** Elements. */
  readonly size: number;
}

export function packedStrides({ depth }: Contraction, width: number, level: number, block: number): Packed {
  const strides = depth.map(() => 0);
  let size = width;
  for (let i = depth.length - 1; i >= level; i--) {
    strides[i] = size;
    size *= i === level ? block : depth[i].extent;
  }
  return { strides, size };
}
