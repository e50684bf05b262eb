/** Verifiers between passes: on in tests and whenever GRADIX_DEBUG ≥ 3. They find a broken pass before it becomes a wrong number. */
import { debugLevel, environmentVariable } from '../core/debug.ts';
import { fail, showShape } from '../core/errors.ts';
import { sameShape } from '../core/shape.ts';
import { type Node, topologicalOrder } from '../graph/node.ts';
import type { Expr, Kernel, Stmt } from '../ir/ir.ts';
import { opOf } from '../ops/registry.ts';

const active = (): boolean => debugLevel() >= 3 || environmentVariable('VITEST') !== undefined;

/** Every node's shape and dtype are what its op says of its inputs. Nodes that carry a compiler's layout are left out. */
export function verifyGraph(pass: string, outputs: readonly Node[]): void {
  if (!active()) return;
  for (const node of topologicalOrder(outputs)) {
    const { kind } = opOf(node);
    const attributes = node.attributes as { panel?: unknown; chunks?: unknown };
    if (kind === 'leaf' || kind === 'loop' || attributes.panel || attributes.chunks || node.op === 'part') continue;
    const type = opOf(node).infer(node.inputs, node.attributes);
    if (!sameShape(type.shape, node.shape) || type.dtype !== node.dtype) {
      fail('internal', `pass ${pass}`, `${node.op} is ${node.dtype} ${showShape(node.shape)} but its inputs make ${type.dtype} ${showShape(type.shape)}`);
    }
  }
}

/** Every variable is declared once in its scope before it is used, and every store goes to a written parameter. */
export function verifyKernel(kernel: Kernel): void {
  if (!active()) return;
  const bad = (what: string): never => fail('internal', 'kernel', `${what} (${kernel.comment})`);
  const check = (e: Expr, names: ReadonlySet<string>): void => {
    if (e.kind === 'var' && !names.has(e.name)) bad(`${e.name} is used before it is declared`);
    if (e.kind === 'op') for (const a of e.args) check(a, names);
    if (e.kind === 'load') {
      check(e.index, names);
      if (e.count) check(e.count, names);
    }
    if (e.kind === 'gather') check(e.indices, names);
  };
  const walk = (body: readonly Stmt[], outside: ReadonlySet<string>): void => {
    const names = new Set(outside);
    for (const s of body) {
      switch (s.kind) {
        case 'let':
        case 'declare':
          check(s.value, names);
          names.add(s.name);
          break;
        case 'assign':
          if (!names.has(s.name)) bad(`${s.name} is assigned before it is declared`);
          check(s.value, names);
          break;
        case 'prefetch':
          check(s.index, names);
          break;
        case 'scatter':
        case 'store':
          if (!kernel.parameters[s.buffer].written) bad(`parameter ${s.buffer} is stored to but not marked written`);
          check(s.kind === 'store' ? s.index : s.indices, names);
          check(s.value, names);
          if (s.count) check(s.count, names);
          break;
        case 'for':
          check(s.from, names);
          check(s.to, names);
          walk(s.body, new Set([...names, s.name]));
          break;
        case 'if':
          check(s.condition, names);
          walk(s.body, names);
          walk(s.otherwise, names);
      }
    }
  };
  walk(kernel.body, new Set(['unitsFrom', 'unitsTo']));
}
