/** Samples of contractions and convolutions. */
import { type ConvOptions, convGeometry } from '../../../src/ops/conv-geometry.ts';
import { inputs, padding, type Sample, type SamplesOf, sample, shapes, valuesOnly } from './sample.ts';

const labelled = (name: string, shapes: string, labels: string): Sample<'contract'> => {
  const [a, b, out] = labels.split(/,|->/);
  return sample(name, shapes, { a, b, out });
};

/** One sample per role. */
function convolved(name: string, shapeText: string, options: ConvOptions = {}): Sample<'conv'>[] {
  const [inputShape, kernelShape] = shapes(shapeText);
  const geometry = convGeometry('conv', inputShape, kernelShape, options);
  const [input, kernel, output] = [inputShape, kernelShape, geometry.outputShape].map((shape) => ({ shape }));
  return [
    sample(`${name}, output`, [input, kernel], { ...geometry, role: 'output' }),
    sample(`${name}, input`, [output, kernel], { ...geometry, role: 'input' }),
    sample(`${name}, kernel`, [input, output], { ...geometry, role: 'kernel' }),
  ];
}

const everything: ConvOptions = { inputDilation: [3, 2], stride: [2, 3], dilation: 2, padding: padding([1, 3], [4, 0]) };

export const contractionSamples: SamplesOf<'contract' | 'conv'> = {
  contract: [
    labelled('matrix product', '5,7 7,9', 'mk,kn->mn'),
    labelled('larger matrix product', '33,18 18,21', 'mk,kn->mn'),
    labelled('a transposed', '7,5 7,3', 'km,kn->mn'),
    labelled('b transposed', '4,6 5,6', 'mk,nk->mn'),
    valuesOnly('a transposed, many columns', '70,13 70,130', { a: 'km', b: 'kn', out: 'mn' }),
    valuesOnly('a transposed, deep', '600,31 600,97', { a: 'km', b: 'kn', out: 'mn' }),
    valuesOnly('b transposed, many columns', '37,41 150,41', { a: 'mk', b: 'nk', out: 'mn' }),
    labelled('transposed result', '4,6 6,5', 'mk,kn->nm'),
    labelled('matrix and vector', '4,6 6', 'mk,k->m'),
    labelled('vector and matrix', '6 6,3', 'k,kn->n'),
    labelled('inner product', '11 11', 'k,k->'),
    labelled('outer product', '3 4', 'm,n->mn'),
    labelled('scalars', '- -', ',->'),
    labelled('scalar and matrix', '- 2,3', ',mn->mn'),
    labelled('batch', '3,4,5 3,5,2', 'bmk,bkn->bmn'),
    labelled('batch letters inside', '4,3,5,2 5,3,2,6', 'qhkd,khde->hqe'),
    labelled('two batch letters', '2,3,4,5 2,3,6,5', 'bhqd,bhkd->bhqk'),
    labelled('elementwise with batch letters only', '3,4 3,4', 'ij,ij->ji'),
    labelled('three contracted letters', '2,3,4,2 3,4,2,5', 'abcd,bcde->ae'),
    labelled('free letters interleaved', '2,3,4 5,3,2', 'akb,ckd->cadb'),
    labelled('empty contraction', '2,0 0,3', 'mk,kn->mn'),
    labelled('empty result', '0,2 2,3', 'mk,kn->mn'),
    valuesOnly('int32', inputs('3,4 4,5', { dtype: 'int32', low: -9, high: 9 }), { a: 'mk', b: 'kn', out: 'mn' }),
  ],
  conv: [
    ...convolved('2-d', '2,5,6,3 3,3,3,4'),
    ...convolved('2-d same padding', '2,5,4,2 3,3,2,3', { padding: 'same' }),
    ...convolved('2-d stride 2 with remainder', '1,6,8,2 3,3,2,3', { stride: 2 }),
    ...convolved('2-d stride 3, even kernel, same padding', '1,7,8,1 2,4,1,3', { stride: 3, padding: 'same' }),
    ...convolved('2-d asymmetric padding and strides', '2,5,7,2 3,2,2,3', { stride: [1, 2], padding: padding([2, 0], [0, 1]) }),
    ...convolved('2-d dilation', '1,7,8,2 2,3,2,2', { dilation: [3, 2], padding: 1 }),
    ...convolved('2-d input dilation', '1,4,3,2 3,3,2,3', { inputDilation: [2, 3], padding: 2 }),
    ...convolved('2-d input dilation with stride and dilation', '1,4,5,1 3,2,1,2', everything),
    ...convolved('1 × 1', '2,3,4,5 1,1,5,6'),
    ...convolved('1 × 1 stride 2', '2,4,5,3 1,1,3,4', { stride: 2 }),
    ...convolved('kernel as large as the input', '2,4,5,2 4,5,2,7'),
    ...convolved('two groups', '2,4,5,4 3,2,2,6', { groups: 2, padding: 1 }),
    ...convolved('depthwise', '2,5,5,3 3,3,1,3', { groups: 3, padding: 'same' }),
    ...convolved('depthwise with multiplier and stride', '1,6,5,2 3,3,1,4', { groups: 2, stride: 2, padding: 1 }),
    ...convolved('1-d', '3,9,2 4,2,3', { stride: 2, padding: [[1, 2]] }),
    ...convolved('1-d causal, dilated', '2,8,3 2,3,2', { dilation: 4, padding: [[4, 0]] }),
    ...convolved('3-d', '1,3,4,5,2 2,2,3,2,3', { stride: [1, 2, 1], padding: padding([0, 1], [1, 0], [1, 1]) }),
    ...convolved('wide channels', '1,4,4,17 3,3,17,33', { padding: 1 }),
    ...convolved('empty batch', '0,4,4,2 3,3,2,3'),
    ...convolved('no input channels', '1,4,4,0 3,3,0,2'),
  ],
};
