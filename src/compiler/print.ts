/** Prints what the compiler decided, for people. */
import { printNode } from '../graph/print.ts';
import type { Item } from './fuse/fuse.ts';
import type { Homes } from './fuse/homes.ts';

export function describeItems(items: readonly Item[], homes: Homes): string {
  return items
    .map((item, i) => {
      const { group } = item;
      const head = `group ${i}: space [${group.space.join(',')}]${group.axes.length > 0 ? ` folding ${group.axes.join(',')}` : ''}`;
      const members = group.members.map((m) => {
        const to = (item.stores.get(m) ?? []).map((h) => (h.buffer === m ? 'kept' : `into %${h.buffer.id}${h.start ? ` at [${h.start.join(',')}]` : ''}`));
        return `    ${printNode(m)}${to.length > 0 ? ` (${to.join(', ')})` : ''} = ${m.op}(${m.inputs.map((x) => `%${x.id}`).join(', ')})`;
      });
      return [head, ...members, `    reads ${[...item.reads].map((r) => `%${r.id}`).join(' ')}`].join('\n');
    })
    .concat(homes.zeroed.size > 0 ? [`bordered: ${[...homes.zeroed].map((n) => `%${n.id}`).join(' ')}`] : [])
    .join('\n');
}
