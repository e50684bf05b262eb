import { expect, test } from 'vitest';
import { type Node, newNode } from './node.ts';
import { substitute } from './substitute.ts';

const leaf = (...shape: number[]): Node => newNode('leaf', [], { source: { kind: 'input' } }, { shape, dtype: 'float32' });
const add = (a: Node, b: Node): Node => newNode('add', [a, b], {}, a);

test('replaces inner nodes, keeps what does not depend on them, and shares', () => {
  const [a, b, c] = [leaf(2), leaf(2), leaf(2)];
  const untouched = add(b, b);
  const middle = add(a, untouched);
  const twice = add(middle, middle);
  const [root, same, itself] = substitute([twice, untouched, a], new Map([[a, c]]));
  expect(root).not.toBe(twice);
  expect(root.inputs[0]).toBe(root.inputs[1]);
  expect(root.inputs[0].inputs).toEqual([c, untouched]);
  expect(same).toBe(untouched);
  expect(itself).toBe(c);
  expect(substitute([twice], new Map([[middle, c]]))[0].inputs).toEqual([c, c]);
});

test('refuses a replacement of another type', () => {
  expect(() => substitute([leaf(2)], new Map([[leaf(2), leaf(3)]]))).toThrow('float32 [3] cannot stand for float32 [2]');
});
