/** Ops without inputs: leaves (values from outside the graph), constants and index ramps. */
import { newArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { storedNumber } from '../core/half.ts';
import { sizeOf, stridesOf } from '../core/shape.ts';
import { attributesOf } from '../graph/node.ts';
import { define } from './registry.ts';

const typeComesWithTheNode = (name: string): never => fail('internal', name, 'its shape and dtype cannot be inferred', 'Build it with newNode.');

export const leaf = define<'leaf'>({
  name: 'leaf',
  kind: 'leaf',
  doc: 'Values from outside the graph: a stored tensor, a variable, an argument.',
  infer: () => typeComesWithTheNode('leaf'),
  gradient: null,
  evaluate: () => fail('internal', 'leaf', 'a leaf has no values of its own', 'The interpreter binds them.'),
  samples: () => [],
});

export const constant = define<'constant'>({
  name: 'constant',
  kind: 'leaf',
  doc: 'One number in every element.',
  infer: () => ({ shape: [], dtype: 'float32' }),
  gradient: null,
  evaluate: ({ node }) => newArray(node.dtype, sizeOf(node.shape)).fill(storedNumber(node.dtype, attributesOf(node, 'constant').value)),
  samples: () => [{ name: 'scalar', inputs: [], attributes: { value: 2.5 } }],
});

export const iota = define<'iota'>({
  name: 'iota',
  kind: 'leaf',
  doc: '0, 1, 2, … along one axis, the same along the others.',
  infer: () => typeComesWithTheNode('iota'),
  gradient: null,
  evaluate: ({ node }) => {
    const { axis } = attributesOf(node, 'iota');
    const out = newArray(node.dtype, sizeOf(node.shape));
    const length = node.shape[axis];
    const inner = stridesOf(node.shape)[axis];
    for (let position = 0, i = 0; position < out.length; position += inner, i = i + 1 === length ? 0 : i + 1) {
      out.fill(storedNumber(node.dtype, i), position, position + inner);
    }
    return out;
  },
  samples: () => [],
});
