/** Ops without inputs: leaves (values from outside the graph), constants and index ramps. */
import { newArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { storedNumber } from '../core/half.ts';
import { sizeOf, stridesOf } from '../core/shape.ts';
import { family } from './registry.ts';

const typeComesWithTheNode = (name: string): never => fail('internal', name, 'its shape and dtype cannot be inferred', 'Build it with newNode.');

export const leafOps = family('leaf', {
  leaf: {
    doc: 'Values from outside the graph: a stored tensor, a variable, an argument.',
    infer: () => typeComesWithTheNode('leaf'),
    gradient: null,
    evaluate: () => fail('internal', 'leaf', 'a leaf has no values of its own', 'The interpreter binds them.'),
  },
  constant: {
    doc: 'One number in every element.',
    infer: () => ({ shape: [], dtype: 'float32' }),
    gradient: null,
    evaluate: ({ node }) => newArray(node.dtype, sizeOf(node.shape)).fill(storedNumber(node.dtype, node.attributes.value)),
  },
  iota: {
    doc: '0, 1, 2, … along one axis, the same along the others.',
    infer: () => typeComesWithTheNode('iota'),
    gradient: null,
    evaluate: ({ node: { shape, dtype, attributes } }) => {
      const { axis } = attributes;
      const inner = stridesOf(shape)[axis];
      const out = newArray(dtype, sizeOf(shape));
      for (let at = 0; at < out.length; at += inner) out.fill(storedNumber(dtype, (at / inner) % shape[axis]), at, at + inner);
      return out;
    },
  },
});
