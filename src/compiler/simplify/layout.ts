/**
 * Layouts as nodes: convolutions get inputs that carry their border, second operands are packed into panels, gradients of convolutions become
 * convolutions or chunked sums. What must be in memory as it is comes back as `forced`. After this pass every convolution has padding 0.
 */
import { sizeOf, stridesOf } from '../../core/shape.ts';
import type { AttributesOf } from '../../graph/attributes.ts';
import { attributesOf, type Node, newNode } from '../../graph/node.ts';
import type { Target } from '../../ir/ir.ts';
import * as build from '../../ops/build.ts';
import { opOf } from '../../ops/registry.ts';
import { hasOwnSchedule, throughMovement, throughReshape } from '../fuse/homes.ts';
import { contractDims, packLetters, packsInside } from '../lower/dims.ts';
import type { Home } from '../lower/group.ts';
import { chooseTile } from '../lower/tile.ts';
import { prepareLoop } from './loops.ts';
import { rewriteGraph } from './simplify.ts';
import { chunksOf } from './split.ts';

/** Partial results of a chunked convolution gradient take at most this many elements. */
const mostPartials = 1 << 21;

/** The graph with its layouts; adds to `forced` what must be in memory as it is. */
export function chooseLayouts(outputs: readonly Node[], target: Target, forced: Set<Node>, inLoop = false): Node[] {
  const known = new Map<string, Node>();
  const force = (key: string, make: () => Node): Node => {
    const found = known.get(key);
    if (found) return found;
    const node = make();
    known.set(key, node);
    if (node.op !== 'leaf') forced.add(node);
    return node;
  };
  const passes: Passes = { target, force, inLoop };
  return rewriteGraph(outputs, (node) => {
    if (node.op === 'conv') return convolution(node, passes);
    if (node.op === 'contract') return contraction(node, passes);
    if (node.op === 'concat' || node.op === 'pad') {
      // What a sort or a loop writes is copied into its window by a kernel of its own.
      const inputs = node.inputs.map((x) => (hasOwnSchedule(x) && opOf(x).kind !== 'contraction' ? newNode('cast', [x], { dtype: x.dtype }, x) : x));
      return inputs.some((x, i) => x !== node.inputs[i]) ? newNode(node.op, inputs, node.attributes, node) : node;
    }
    if (node.op === 'scan') {
      const loop = prepareLoop(node, (body) => chooseLayouts(body, target, forced, true), forced);
      const inputs = loop.inputs.map((input) => dense(input, passes));
      return newNode('scan', inputs, loop.attributes, loop);
    }
    return node;
  });
}

interface Passes {
  readonly target: Target;
  /** In the body of a loop, what is packed can often be packed once, outside. */
  readonly inLoop: boolean;
  /** A node to be kept in memory, the same one for the same key. */
  readonly force: (key: string, make: () => Node) => Node;
}

type Geometry = AttributesOf['conv'];

function convolution(node: Node, passes: Passes): Node {
  const g = attributesOf(node, 'conv');
  if (g.role === 'input') return inputGradient(node, g, passes);
  const rank = g.stride.length;
  let x = node.inputs[0];
  if (g.inputDilation.some((d) => d > 1)) x = dilate(x, g.inputDilation);
  if (g.padding.some(([low, high]) => low !== 0 || high !== 0)) {
    const inner = x;
    const padding = [[0, 0] as const, ...g.padding, [0, 0] as const];
    x = passes.force(`pad ${inner.id} ${JSON.stringify(padding)}`, () => cropOrPad(inner, padding));
  } else x = dense(x, passes);
  const plain: Geometry = { ...g, padding: g.padding.map(() => [0, 0] as const), inputDilation: g.stride.map(() => 1), inputShape: x.shape };
  const merged = positionsPerVector(plain, passes.target);
  if (merged > 1) return widened(node, x, plain, merged, passes);
  if (g.role === 'kernel') return kernelGradient(node, x, plain, passes);
  const w = node.inputs[1];
  const groupOut = plain.outputShape[rank + 1] / plain.groups;
  const depth = sizeOf(plain.kernelShape) / plain.outputShape[rank + 1];
  const width = panelWidth(passes.target, plain.outputShape.slice(1, -1), groupOut, node);
  const packed = passes.force(`pack ${w.id} ${width} ${plain.groups}`, () => {
    // [K, G·O] as [G, panels, K, width]
    const split = build.permute(build.reshape(w, [depth, plain.groups, groupOut]), [1, 0, 2]);
    return toPanels(split, width);
  });
  return newNode('conv', [x, packed], { ...plain, panel: { width } }, node);
}

/**
 * Few output channels leave lanes empty. Then p neighbouring positions are computed as p times the channels: the kernel gets a shifted copy for each,
 * the stride grows p-fold, and the result is the same memory. Some products with zero are the price.
 */
function positionsPerVector(g: Geometry, target: Target): number {
  const rank = g.stride.length;
  const channels = g.outputShape[rank + 1];
  const [taps, stride, dilation] = [g.kernelShape[rank - 1], g.stride[rank - 1], g.kernelDilation[rank - 1]];
  if (g.groups > 1 || channels > target.lanes / 2 || dilation > 1 || g.kernelShape[rank] * taps > 1024) return 1;
  const cost = (p: number): number => ((taps + (p - 1) * stride) / p) * Math.ceil((p * channels) / target.lanes);
  let best = 1;
  for (let p = 2; p * channels <= 2 * target.lanes; p++) if (g.outputShape[rank] % p === 0 && cost(p) < 0.8 * cost(best)) best = p;
  return best;
}

function widened(node: Node, x: Node, g: Geometry, p: number, passes: Passes): Node {
  const rank = g.stride.length;
  const [taps, stride, channels] = [g.kernelShape[rank - 1], g.stride[rank - 1], g.outputShape[rank + 1]];
  const replaceAt = (shape: readonly number[], changes: Readonly<Record<number, number>>): number[] => shape.map((d, i) => changes[i] ?? d);
  const wide: Geometry = {
    ...g,
    stride: replaceAt(g.stride, { [rank - 1]: stride * p }),
    kernelShape: replaceAt(g.kernelShape, { [rank - 1]: taps + (p - 1) * stride, [rank + 1]: channels * p }),
    outputShape: replaceAt(g.outputShape, { [rank]: g.outputShape[rank] / p, [rank + 1]: channels * p }),
  };
  const shifts = Array.from({ length: p }, (_, k) => k);
  if (g.role === 'kernel') {
    const dy = build.reshape(node.inputs[1], wide.outputShape);
    const all = kernelGradient(newNode('conv', [x, dy], wide, { shape: wide.kernelShape, dtype: node.dtype }), x, wide, passes);
    const startOf = (k: number): number[] => wide.kernelShape.map((_, i) => (i === rank - 1 ? k * stride : i === rank + 1 ? k * channels : 0));
    return shifts.map((k) => build.slice(all, startOf(k), g.kernelShape)).reduce((sum, piece) => build.add(sum, piece));
  }
  const w = node.inputs[1];
  const around = (k: number) => g.kernelShape.map((_, i) => (i === rank - 1 ? ([k * stride, (p - 1 - k) * stride] as const) : ([0, 0] as const)));
  const copies = shifts.map((k) => build.pad(w, around(k)));
  const kernel = build.concat(copies, rank + 1);
  return build.reshape(convolution(newNode('conv', [x, kernel], wide, { shape: wide.outputShape, dtype: node.dtype }), passes), node.shape);
}

function panelWidth(target: Target, positions: readonly number[], columns: number, node: Node): number {
  const [rows, around] = [positions[positions.length - 1], positions[positions.length - 2] ?? 1];
  return chooseTile(target, { rows, around, columns, wide: node.dtype === 'float64' }).vectors * target.lanes;
}

/** [groups, depth, columns] as [groups, panels, depth, width] */
function toPanels(x: Node, width: number): Node {
  const [groups, depth, columns] = x.shape;
  const panels = Math.ceil(columns / width);
  const padded = build.pad(x, [
    [0, 0],
    [0, 0],
    [0, panels * width - columns],
  ]);
  return build.permute(build.reshape(padded, [groups, depth, panels, width]), [0, 2, 1, 3]);
}

/** Negative padding crops. */
function cropOrPad(x: Node, padding: readonly (readonly [number, number])[]): Node {
  const start = padding.map(([low]) => Math.max(0, -low));
  const size = x.shape.map((d, i) => d - start[i] - Math.max(0, -padding[i][1]));
  return build.pad(
    build.slice(x, start, size),
    padding.map(([low, high]) => [Math.max(0, low), Math.max(0, high)] as const),
  );
}

/** `size` elements of every axis, from its beginning. */
const corner = (x: Node, size: readonly number[], step?: readonly number[]): Node => build.slice(x, new Array<number>(size.length).fill(0), size, step);

/** Zeros between the elements along the spatial axes: length (d − 1) · dilation + 1. */
function dilate(x: Node, dilation: readonly number[]): Node {
  const [batch, ...rest] = x.shape;
  const channels = rest[rest.length - 1];
  const space = rest.slice(0, -1);
  const spread = build.reshape(x, [batch, ...space.flatMap((d) => [d, 1]), channels]);
  const padding = [[0, 0] as const, ...dilation.flatMap((d) => [[0, 0] as const, [0, d - 1] as const]), [0, 0] as const];
  const wide = build.reshape(build.pad(spread, padding), [batch, ...space.map((d, i) => d * dilation[i]), channels]);
  const size = [batch, ...space.map((d, i) => (d - 1) * dilation[i] + 1), channels];
  return corner(wide, size);
}

/** The gradient with respect to the input: a convolution of the (dilated, bordered) result's gradient with the flipped kernel. */
function inputGradient(node: Node, g: Geometry, passes: Passes): Node {
  const [dy, w] = node.inputs;
  const rank = g.stride.length;
  if (g.inputDilation.some((d) => d > 1)) {
    // With respect to the dilated input, then every d-th element of it.
    const dilated = g.inputShape.map((d, i) => (i === 0 || i > rank ? d : (d - 1) * g.inputDilation[i - 1] + 1));
    const whole = newNode('conv', [dy, w], { ...g, inputShape: dilated, inputDilation: g.stride.map(() => 1) }, { shape: dilated, dtype: node.dtype });
    return corner(convolution(whole, passes), g.inputShape, [1, ...g.inputDilation, 1]);
  }
  if (g.stride.some((s) => s > 1) && g.kernelDilation.every((d) => d === 1)) return gradientByPhases(node, g, passes);
  const spread = g.stride.some((s) => s > 1) ? dilate(dy, g.stride) : dy;
  const padding = g.stride.map((_, i) => {
    const reach = g.kernelDilation[i] * (g.kernelShape[i] - 1);
    const low = reach - g.padding[i][0];
    return [low, g.inputShape[1 + i] - 1 - (spread.shape[1 + i] - 1) - low + reach] as const;
  });
  return correlate(spread, turnedKernel(w, g.groups), { padding, dilation: g.kernelDilation, groups: g.groups, space: g.inputShape.slice(1, -1) }, passes);
}

/** The kernel that leads back from results to inputs: flipped, input and output channels of every group exchanged. */
function turnedKernel(w: Node, groups: number): Node {
  const rank = w.shape.length - 2;
  const kernel = w.shape.slice(0, rank);
  const [groupIn, outChannels] = w.shape.slice(rank);
  const axes = kernel.map((_, i) => i);
  const split = build.reshape(build.flip(w, axes), [...kernel, groupIn, groups, outChannels / groups]);
  return build.reshape(build.permute(split, [...axes, rank + 2, rank + 1, rank]), [...kernel, outChannels / groups, groups * groupIn]);
}

interface Correlation {
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly groups: number;
  /** Spatial shape of the result. */
  readonly space: readonly number[];
}

/** A convolution of stride 1. */
function correlate(x: Node, kernel: Node, { padding, dilation, groups, space }: Correlation, passes: Passes): Node {
  const outputShape = [x.shape[0], ...space, kernel.shape[kernel.shape.length - 1]];
  const ones = space.map(() => 1);
  const plain: Geometry = {
    role: 'output',
    stride: ones,
    padding,
    kernelDilation: dilation,
    inputDilation: ones,
    groups,
    inputShape: x.shape,
    kernelShape: kernel.shape,
    outputShape,
  };
  return convolution(newNode('conv', [x, kernel], plain, { shape: outputShape, dtype: x.dtype }), passes);
}

/**
 * The gradient of a strided convolution with respect to its input, without products with zero: inputs with the same remainder modulo the stride see the
 * same taps of the kernel, so that every remainder is a small convolution of its own; their results lie interleaved.
 */
function gradientByPhases(node: Node, g: Geometry, passes: Passes): Node {
  const [dy, w] = node.inputs;
  const rank = g.stride.length;
  const counts = g.stride.map((s, i) => Math.ceil(g.inputShape[1 + i] / s));
  const phases = sizeOf(g.stride);
  const channels = g.inputShape[rank + 1];
  const pieces = Array.from({ length: phases }, (_, number) => {
    const remainder = stridesOf(g.stride).map((s, i) => Math.floor(number / s) % g.stride[i]);
    const first = remainder.map((r, i) => (r + g.padding[i][0]) % g.stride[i]);
    const taps = first.map((phase, i) => Math.max(0, Math.ceil((g.kernelShape[i] - phase) / g.stride[i])));
    const shape = [g.inputShape[0], ...counts, 1, channels];
    if (taps.includes(0)) return build.constant(0, node.dtype, shape);
    const kernel = build.slice(w, [...first, 0, 0], [...taps, ...g.kernelShape.slice(rank)], [...g.stride, 1, 1]);
    const padding = taps.map((t, i) => {
      const start = (remainder[i] + g.padding[i][0] - first[i]) / g.stride[i];
      const low = t - 1 - start;
      return [low, counts[i] + t - 1 - dy.shape[1 + i] - low] as const;
    });
    const dilation = g.stride.map(() => 1);
    return build.reshape(correlate(dy, turnedKernel(kernel, g.groups), { padding, dilation, groups: g.groups, space: counts }, passes), shape);
  });
  const together = build.reshape(build.concat(pieces, rank + 1), [g.inputShape[0], ...counts, ...g.stride, channels]);
  const interleaved = build.permute(together, [0, ...counts.flatMap((_, i) => [1 + i, 1 + rank + i]), 2 * rank + 1]);
  const whole = build.reshape(interleaved, [g.inputShape[0], ...counts.map((c, i) => c * g.stride[i]), channels]);
  return corner(whole, g.inputShape);
}

function kernelGradient(node: Node, x: Node, g: Geometry, passes: Passes): Node {
  const dy = dense(node.inputs[1], passes);
  let chunks = chunksOf(g.inputShape[0]);
  while (chunks > 1 && (chunks * sizeOf(node.shape) > mostPartials || g.inputShape[0] % chunks !== 0)) chunks--;
  if (chunks === 1) return newNode('conv', [x, dy], g, node);
  const partial = newNode('conv', [x, dy], { ...g, chunks }, { shape: [chunks, ...node.shape], dtype: node.dtype });
  return newNode('sum', [partial], { axes: [0] }, node);
}

/** As homes.ts will have it: every value that is no index renaming lies in memory as itself. */
const assumedHome = (node: Node): Home | undefined => (throughMovement(node, new Set()) === node ? { buffer: node, start: undefined } : undefined);

function contraction(node: Node, passes: Passes): Node {
  const { a, b, out } = attributesOf(node, 'contract');
  const last = out[out.length - 1];
  const [x, y] = node.inputs;
  if (last === undefined || (a.includes(last) && b.includes(last))) return productSum(node);
  if (a.includes(last)) return contraction(newNode('contract', [y, x], { a: b, b: a, out }, node), passes);
  const letters = packLetters(a, b, out);
  const extent = (letter: string): number => (a.includes(letter) ? x.shape[a.indexOf(letter)] : y.shape[b.indexOf(letter)]);
  const product = (list: readonly string[]): number => list.reduce((p, l) => p * extent(l), 1);
  const rows = product([...out].filter((l) => !b.includes(l)));
  const columns = product(letters.columns);
  const depth = product(letters.depth);
  const parts = deepChunks(rows, columns, letters, extent);
  if (parts > 1) return chunkedContraction(node, letters.depth[0], parts, passes);
  const dims = contractDims(node, assumedHome);
  const direct = dims?.columns.b === 1 ? dims : undefined;
  if (!direct && rows === 1 && columns * depth > 256) return productSum(node);
  const stride = direct ? (direct.depth[direct.depth.length - 1]?.b ?? 0) : 0;
  const tile = chooseTile(passes.target, { rows: Math.ceil(rows / passes.target.threads), around: 1, columns, wide: node.dtype === 'float64' });
  const width = tile.vectors * passes.target.lanes;
  const far = stride > width && stride * 4 >= 512;
  const inside = !passes.inLoop && dims !== undefined && packsInside(dims, passes.target, width);
  const packs = !inside && (!direct || (far && rows >= 4 * tile.rows && depth >= 8));
  // The first operand only needs addresses that are affine in its own dimensions.
  const first = isAffine(x) ? x : dense(x, passes);
  if (!packs) return newNode('contract', [first, y], node.attributes as AttributesOf['contract'], node);
  const order = [...letters.groups, ...letters.depth, ...letters.columns].map((l) => b.indexOf(l));
  const packed = passes.force(`panel ${y.id} ${order.join(',')} ${letters.groups.length} ${letters.depth.length} ${width}`, () => {
    const sorted = build.reshape(build.permute(y, order), [product(letters.groups), depth, columns]);
    return toPanels(sorted, width);
  });
  return newNode('contract', [first, packed], { a, b, out, panel: { width } }, node);
}

/** A small result with a deep sum: the depth is divided, so that threads read different halves of both operands. */
function deepChunks(
  rows: number,
  columns: number,
  letters: { groups: readonly string[]; depth: readonly string[] },
  extent: (letter: string) => number,
): number {
  if (letters.groups.length > 0 || letters.depth.length !== 1 || rows > 128 || columns > 128) return 1;
  const depth = extent(letters.depth[0]);
  if (depth < 1024) return 1;
  for (let parts = 8; parts > 1; parts--) if (depth % parts === 0) return parts;
  return 1;
}

function chunkedContraction(node: Node, letter: string, parts: number, passes: Passes): Node {
  const { a, b, out } = attributesOf(node, 'contract');
  const chunk = [...'abcdefghijklmnopqrstuvwxyz'].find((l) => !(a + b + out).includes(l)) as string;
  const split = (x: Node, labels: string): Node => {
    const at = labels.indexOf(letter);
    return build.reshape(x, [...x.shape.slice(0, at), parts, x.shape[at] / parts, ...x.shape.slice(at + 1)]);
  };
  const relabel = (labels: string): string => labels.replace(letter, chunk + letter);
  const [x, y] = [split(node.inputs[0], a), split(node.inputs[1], b)];
  const labels = { a: relabel(a), b: relabel(b), out: chunk + out };
  const partial = newNode('contract', [x, y], labels, { shape: [parts, ...node.shape], dtype: node.dtype });
  return newNode('sum', [contraction(partial, passes)], { axes: [0] }, node);
}

/** The same values, row-major in memory: views are written out, reshapes share memory. */
function dense(x: Node, passes: Passes): Node {
  const base = throughReshape(x);
  if (throughMovement(base, new Set()) !== base) passes.force(`dense ${base.id}`, () => base);
  return x;
}

function isAffine(x: Node): boolean {
  let at = x;
  let reshapes = 0;
  while (throughMovement(at, new Set()) !== at) {
    // A reshape of a permuted view may not be affine; a reshape of memory always is.
    if (at.op === 'reshape') reshapes++;
    at = at.inputs[0];
  }
  return reshapes === 0 || (x.op === 'reshape' && throughMovement(x.inputs[0], new Set()) === x.inputs[0]);
}

/** A contraction without a column dimension of its own: multiply and sum, for the reduction schedule. */
function productSum(node: Node): Node {
  const { a, b, out } = attributesOf(node, 'contract');
  const summed = [...new Set([...a, ...b])].filter((l) => !out.includes(l));
  const all = [...out, ...summed];
  const spread = (x: Node, labels: string): Node => {
    const present = all.filter((l) => labels.includes(l));
    const order = present.map((l) => labels.indexOf(l));
    const shape = all.map((l) => (labels.includes(l) ? x.shape[labels.indexOf(l)] : 1));
    return build.reshape(build.permute(x, order), shape);
  };
  const product = build.mul(spread(node.inputs[0], a), spread(node.inputs[1], b));
  const axes = summed.map((_, i) => out.length + i);
  return build.sum(product, axes);
}
