/**
 * Contractions and convolutions as one thing: a product of two operands summed over some of the dimensions, every address an affine function of
 * the dimensions. A convolution is a contraction whose first operand has overlapping strides (the input carries its border, so that no address
 * falls outside); its gradients with respect to the kernel is one as well.
 */
import { sizeOf, stridesOf } from '../../core/shape.ts';
import { attributesOf, type Node } from '../../graph/node.ts';
import type { Target } from '../../ir/ir.ts';
import { Index, loopVar } from './affine.ts';
import { sourceIndex } from './emit.ts';
import { type Home, homeIndex } from './group.ts';

export interface Dim {
  readonly extent: number;
  /** Strides in elements in the operands and in the result; 0 where the dimension does not occur. */
  readonly a: number;
  readonly b: number;
  readonly out: number;
}

export interface Contraction {
  readonly node: Node;
  /** Buffers of the operands and the element where each starts. */
  readonly a: { readonly buffer: Node; readonly offset: number };
  readonly b: { readonly buffer: Node; readonly offset: number };
  /** Dimensions of the result, outer to inner, neighbours merged where all strides allow. The last one is the vector dimension: out stride 1, a stride 0. */
  readonly outer: readonly Dim[];
  readonly columns: Dim;
  /** Summed dimensions, outer to inner. */
  readonly depth: readonly Dim[];
  /** Packed second operand: columns lie in panels of this width, panels `panelStride` apart. */
  readonly panel: { readonly width: number; readonly stride: number } | undefined;
  readonly flops: number;
}

/** A second operand larger than the first: each thread takes its own columns, so that no two read the same of it. */
export function panelsAsUnits(c: Contraction, target: Target, width: number): boolean {
  const rows = c.outer.reduce((p, d) => p * (d.b === 0 ? d.extent : 1), 1);
  const depth = c.depth.reduce((p, d) => p * d.extent, 1);
  const large = c.columns.extent * depth * 4 > 4 * target.l1Bytes && c.columns.extent > 2 * rows && c.columns.extent >= 2 * target.threads * width;
  return rows < 2 * target.threads || (large && c.outer.length === 1);
}

/** Whether a kernel that goes panel by panel packs them itself: when columns are not neighbours in memory, or rows far apart are used more than once. */
export function packsInside(c: Contraction, target: Target, width: number): boolean {
  if (c.panel || c.depth.length === 0 || !panelsAsUnits(c, target, width) || c.outer.some((d) => d.b !== 0)) return false;
  const rows = c.outer.reduce((p, d) => p * d.extent, 1);
  return c.columns.b !== 1 || (rows >= 12 && c.depth[c.depth.length - 1].b > width);
}

/** Whether a kernel packs rows of the first operand: their depth lies in strides (gradients of kernels) and several panels go over each, or many go over deep ones. */
export const packsRows = ({ outer, depth, columns, node }: Contraction, width: number): boolean =>
  outer.length === 1 &&
  depth.length > 0 &&
  node.dtype === 'float32' &&
  (outer[0].a === 1 && depth[depth.length - 1].a !== 1
    ? columns.extent >= 4 * width
    : depth.length === 1 && depth[0].a === 1 && depth[0].extent >= 256 && outer[0].extent >= 12 && columns.extent >= 32 * width);

/** The buffers of which unit u of a kernel over dimension `first` touches only the u-th part. */
export function alignedBuffers(c: Contraction, first: number, members: readonly Node[], buffers: readonly { readonly node: Node }[]): Set<Node> {
  const out = new Set<Node>();
  const { extent } = first >= 0 ? c.outer[first] : { extent: 1 };
  if (extent <= 1) return out;
  const rest = (pick: (d: Dim) => number): number =>
    c.outer.reduce((sum, d, i) => sum + (i === first ? 0 : pick(d) * (d.extent - 1)), 0) + c.depth.reduce((sum, d) => sum + pick(d) * (d.extent - 1), 0);
  const d = c.outer[first];
  if (d.a * extent === sizeOf(c.a.buffer.shape) && c.a.offset + rest((x) => x.a) < d.a) out.add(c.a.buffer);
  if (!c.panel && d.b * extent === sizeOf(c.b.buffer.shape) && c.b.offset + rest((x) => x.b) + c.columns.extent - 1 < d.b) out.add(c.b.buffer);
  // Results and the epilogue's operands of the node's own shape; other operands only if they have nothing of the unit dimension.
  const outPart = d.out * extent === sizeOf(c.node.shape);
  const sized = (node: Node): boolean => node.shape[0] === c.node.shape[0] && sizeOf(node.shape) % extent === 0;
  for (const { node } of buffers) {
    if (node === c.a.buffer || node === c.b.buffer) continue;
    if (outPart && (members.includes(node) || sized(node)) && stridesOf(node.shape)[0] * node.shape[0] === sizeOf(node.shape)) out.add(node);
  }
  return out;
}

/** Strides of an operand along dimensions: its flat index must be affine in them. Undefined when it is not. */
export function operandStrides(
  operand: Node,
  extents: readonly number[],
  homeOf: (node: Node) => Home | undefined,
): { buffer: Node; offset: number; strides: number[] } | undefined {
  const vars = extents.map((extent) => (extent === 1 ? undefined : loopVar('d', extent)));
  let index: Index[] = vars.map((v) => (v ? Index.of(v) : Index.of(0)));
  let at = operand;
  for (;;) {
    const home = homeOf(at);
    if (home) {
      const flat = homeIndex(home, at.shape, index);
      if (vars.some((v) => v && flat.hides(v))) return undefined;
      return { buffer: home.buffer, offset: flat.constant, strides: vars.map((v) => (v ? flat.coefficientOf(v) : 0)) };
    }
    const source = sourceIndex(at, index);
    if (!source) return undefined;
    index = source;
    at = at.inputs[0];
  }
}

/** Merges neighbours (i, j) where i's stride is j's stride times j's extent in all three, and drops dimensions of extent 1. */
export function mergeDims(dims: readonly Dim[]): Dim[] {
  const out: Dim[] = [];
  for (const dim of dims) {
    if (dim.extent === 1) continue;
    const last = out[out.length - 1];
    if (last && last.a === dim.a * dim.extent && last.b === dim.b * dim.extent && last.out === dim.out * dim.extent) {
      out[out.length - 1] = { extent: last.extent * dim.extent, a: dim.a, b: dim.b, out: dim.out };
    } else out.push(dim);
  }
  return out;
}

/** The contraction of a `contract` node, operands ordered so that the second holds the last dimension of the result; undefined when it has no such form. */
export function contractDims(node: Node, homeOf: (node: Node) => Home | undefined): Contraction | undefined {
  const { a: la, b: lb, out, panel } = attributesOf(node, 'contract');
  const [na, nb] = node.inputs;
  const last = out[out.length - 1];
  if (last === undefined) return undefined;
  const swap = panel === undefined && la.includes(last);
  if (swap && lb.includes(last)) return undefined;
  const [labelsA, labelsB, nodeA, nodeB] = swap ? [lb, la, nb, na] : [la, lb, na, nb];
  const extents = new Map<string, number>();
  [...out].forEach((letter, i) => extents.set(letter, node.shape[i]));
  [...labelsA].forEach((letter, i) => extents.set(letter, nodeA.shape[i]));
  const extent = (letter: string): number => extents.get(letter) as number;
  const summed = [...labelsA].filter((letter) => !out.includes(letter));
  const operandA = operandStrides(nodeA, [...labelsA].map(extent), homeOf);
  if (!operandA) return undefined;
  const stridesBy = (labels: string, strides: readonly number[]) => (letter: string) => strides[labels.indexOf(letter)] ?? 0;
  const strideA = stridesBy(labelsA, operandA.strides);
  const flops = 2 * sizeOf(node.shape) * summed.reduce((p, l) => p * extent(l), 1);
  if (panel) return packedContract(node, { labelsA, labelsB, extent, strideA, operandA, width: panel.width, flops, homeOf });
  const operandB = operandStrides(nodeB, [...labelsB].map(extent), homeOf);
  if (!operandB) return undefined;
  const strideB = stridesBy(labelsB, operandB.strides);
  const outStrides = stridesOf(node.shape);
  const dims = mergeDims([...out].map((letter, i) => ({ extent: extent(letter), a: strideA(letter), b: strideB(letter), out: outStrides[i] })));
  const columns = dims.pop() ?? { extent: 1, a: 0, b: 1, out: 1 };
  if (columns.a !== 0 || columns.out !== 1) return undefined;
  const depth = mergeDims(summed.map((letter) => ({ extent: extent(letter), a: strideA(letter), b: strideB(letter), out: 0 })));
  return { node, a: operandA, b: operandB, outer: dims, columns, depth, panel: undefined, flops };
}

interface PackedContract {
  readonly labelsA: string;
  readonly labelsB: string;
  readonly extent: (letter: string) => number;
  readonly strideA: (letter: string) => number;
  readonly operandA: { buffer: Node; offset: number };
  readonly width: number;
  readonly flops: number;
  readonly homeOf: (node: Node) => Home | undefined;
}

function packedContract(node: Node, p: PackedContract): Contraction | undefined {
  const { out } = attributesOf(node, 'contract');
  const packed = p.homeOf(node.inputs[1]);
  if (!packed) return undefined;
  const [, panels, depthSize, width] = node.inputs[1].shape;
  const letters = packLetters(p.labelsA, p.labelsB, out);
  const groupStrides = stridesOf([...letters.groups.map(p.extent), panels * depthSize * width]);
  const b = (letter: string): number => groupStrides[letters.groups.indexOf(letter)] ?? 0;
  const outStrides = stridesOf(node.shape);
  const columnLetters = new Set(letters.columns);
  const rows = [...out].map((letter, i) => ({ letter, i })).filter(({ letter }) => !columnLetters.has(letter));
  const outer = mergeDims(rows.map(({ letter, i }) => ({ extent: p.extent(letter), a: p.strideA(letter), b: b(letter), out: outStrides[i] })));
  const columns = { extent: letters.columns.reduce((n, l) => n * p.extent(l), 1), a: 0, b: 1, out: 1 };
  const depthExtents = letters.depth.map(p.extent);
  const depthStrides = stridesOf(depthExtents);
  const depth = mergeDims(letters.depth.map((letter, i) => ({ extent: depthExtents[i], a: p.strideA(letter), b: depthStrides[i] * width, out: 0 })));
  const panel = { width: p.width, stride: depthSize * p.width };
  return { node, a: p.operandA, b: { buffer: packed.buffer, offset: 0 }, outer, columns, depth, panel, flops: p.flops };
}

/** How the letters of a second operand are grouped when it is packed: batch letters, summed letters in the first operand's order, trailing column letters of the result. */
export function packLetters(labelsA: string, labelsB: string, out: string): { groups: string[]; depth: string[]; columns: string[] } {
  const columns: string[] = [];
  for (let i = out.length - 1; i >= 0 && labelsB.includes(out[i]) && !labelsA.includes(out[i]); i--) columns.unshift(out[i]);
  const depth = [...labelsA].filter((l) => !out.includes(l));
  const groups = [...out].filter((l) => labelsB.includes(l) && !columns.includes(l));
  return { groups, depth, columns };
}

/** The contraction of a convolution whose borders are in its operands (padding 0, no input dilation). */
export function convDims(node: Node, homeOf: (node: Node) => Home | undefined): Contraction | undefined {
  const g = attributesOf(node, 'conv');
  const x = homeOf(node.inputs[0]);
  const second = homeOf(node.inputs[1]);
  if (!x || x.start || !second || second.start || g.role === 'input') return undefined;
  const [batch, ...inner] = g.inputShape;
  const channels = inner[inner.length - 1];
  const space = inner.slice(0, -1);
  const kernel = g.kernelShape.slice(0, space.length);
  const positions = g.outputShape.slice(1, -1);
  const groupIn = channels / g.groups;
  const outChannels = g.outputShape[g.outputShape.length - 1];
  const groupOut = outChannels / g.groups;
  const xStrides = stridesOf(g.inputShape);
  const yStrides = stridesOf(g.outputShape);
  const flops = 2 * sizeOf(g.outputShape) * sizeOf(kernel) * groupIn;
  const columns = { extent: groupOut, a: 0, b: 1, out: 1 };
  const common = { node, a: { buffer: x.buffer, offset: 0 }, b: { buffer: second.buffer, offset: 0 }, columns, flops };
  if (g.role === 'output') {
    if (!g.panel) return undefined;
    const { width } = g.panel;
    const depthSize = sizeOf(kernel) * groupIn;
    const panels = Math.ceil(groupOut / width);
    const depthStrides = stridesOf([...kernel, groupIn]);
    const outer = mergeDims([
      { extent: batch, a: xStrides[0], b: 0, out: yStrides[0] },
      ...positions.map((extent, i) => ({ extent, a: xStrides[1 + i] * g.stride[i], b: 0, out: yStrides[1 + i] })),
      { extent: g.groups, a: groupIn, b: panels * depthSize * width, out: groupOut },
    ]);
    const depth = mergeDims([
      ...kernel.map((extent, i) => ({ extent, a: xStrides[1 + i] * g.kernelDilation[i], b: depthStrides[i] * width, out: 0 })),
      { extent: groupIn, a: 1, b: width, out: 0 },
    ]);
    // Groups go outside of positions, so that a panel is used for a whole row.
    const ordered = g.groups > 1 ? [outer[outer.length - 1], ...outer.slice(0, -1)] : outer;
    const groupsFirst = g.groups > 1 && batch > 1 ? [ordered[1], ordered[0], ...ordered.slice(2)] : ordered;
    return { ...common, outer: groupsFirst, depth, panel: { width, stride: depthSize * width } };
  }
  const chunks = g.chunks ?? 1;
  const perChunk = batch / chunks;
  const kStrides = stridesOf([...kernel, groupIn, outChannels]);
  const outer = mergeDims([
    { extent: chunks, a: perChunk * xStrides[0], b: perChunk * yStrides[0], out: sizeOf(g.kernelShape) },
    { extent: g.groups, a: groupIn, b: groupOut, out: groupOut },
    ...kernel.map((extent, i) => ({ extent, a: xStrides[1 + i] * g.kernelDilation[i], b: 0, out: kStrides[i] })),
    { extent: groupIn, a: 1, b: 0, out: outChannels },
  ]);
  const depth = mergeDims([
    { extent: perChunk, a: xStrides[0], b: yStrides[0], out: 0 },
    ...positions.map((extent, i) => ({ extent, a: xStrides[1 + i] * g.stride[i], b: yStrides[1 + i], out: 0 })),
  ]);
  return { ...common, outer, depth, panel: undefined };
}
