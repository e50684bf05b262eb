/** The ops by name. Files of ops define themselves here; `make` builds checked nodes. ops/index.ts makes sure that none is missing. */
import { fail } from '../core/errors.ts';
import type { AttributesOf, OpName } from '../graph/attributes.ts';
import { type Node, newNode } from '../graph/node.ts';
import type { Op } from './op.ts';

const table = new Map<OpName, Op>();

export function define<K extends OpName>(op: Op<K>): Op<K> {
  table.set(op.name, op as unknown as Op);
  return op;
}

export function opNamed(name: OpName): Op {
  return table.get(name) ?? fail('internal', name, 'this op is not registered', 'Import gradix through its entry points.');
}

export const opOf = (node: Node): Op => opNamed(node.op);

/** A new node, its shape and dtype inferred and its inputs checked. */
export function make<K extends OpName>(name: K, inputs: readonly Node[], attributes: AttributesOf[K]): Node {
  return newNode(name, inputs, attributes, opNamed(name).infer(inputs, attributes));
}
