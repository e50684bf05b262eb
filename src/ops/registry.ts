/** The ops by name. Files of ops define themselves here, a family at a time; `make` builds checked nodes. ops/index.ts makes sure that none is missing. */
import { fail } from '../core/errors.ts';
import type { AttributesOf, OpName } from '../graph/attributes.ts';
import { type Node, newNode } from '../graph/node.ts';
import type { Op, OpKind } from './op.ts';

const table = new Map<string, Op>();

/** What a family does not say for all of its ops. */
export type Member<K extends OpName> = Omit<Op<K>, 'name' | 'kind'>;

/** Registers ops of one kind, each under its key. */
export function family<K extends OpName>(kind: OpKind, facts: { readonly [N in K]: Member<N> }): { readonly [N in K]: Op<N> } {
  for (const [name, op] of Object.entries<object>(facts)) table.set(name, { name, kind, ...op } as unknown as Op);
  return Object.fromEntries(Object.keys(facts).map((name) => [name, table.get(name)])) as unknown as { readonly [N in K]: Op<N> };
}

/** The ops that the rows of a table describe. */
export const fromTable = <K extends OpName, Facts>(table: { readonly [N in K]: Facts }, member: (name: K, facts: Facts) => Member<K>) =>
  Object.fromEntries(Object.entries<Facts>(table).map(([name, facts]) => [name, member(name as K, facts)])) as unknown as { readonly [N in K]: Member<N> };

export const opNamed = (name: OpName): Op => table.get(name) ?? fail('internal', name, 'this op is not registered', 'Import gradix through its entry points.');
export const opOf = (node: Node): Op => opNamed(node.op);

/** A new node, its shape and dtype inferred and its inputs checked. */
export const make = <K extends OpName>(name: K, inputs: readonly Node[], attributes: AttributesOf[K]): Node =>
  newNode(name, inputs, attributes, opNamed(name).infer(inputs, attributes));
