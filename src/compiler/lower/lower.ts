/** From an item of the fusion to its kernel: picks the schedule. */
import { fail } from '../../core/errors.ts';
import type { Node } from '../../graph/node.ts';
import type { Target } from '../../ir/ir.ts';
import type { Item } from '../fuse/fuse.ts';
import type { Homes } from '../fuse/homes.ts';
import { lowerContraction } from './contraction.ts';
import { contractDims, convDims } from './dims.ts';
import { type Lowered, lowerGroup } from './nest.ts';
import { lowerSequential } from './sequential.ts';

export function lowerItem(item: Item, homes: Homes, target: Target, batches: ReadonlySet<number>): Lowered {
  const { core, group, stores } = item;
  if (!core) return lowerGroup(group, { target, homeInside: homes.homeInside, stores, batches });
  if (core.op === 'contract' || core.op === 'conv') {
    const dims = core.op === 'contract' ? contractDims(core, homes.homeOf) : convDims(core, homes.homeOf);
    if (!dims)
      return fail('internal', core.op, `the layout pass left operands that the schedule cannot read (${core.inputs.map((n: Node) => n.op).join(', ')})`);
    return lowerContraction(dims, group, stores, homes.homeInside, target);
  }
  return lowerSequential(core, stores, homes.homeOf, target);
}
