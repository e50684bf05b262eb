/**
 * Wrong uses across the whole product, each with its exact message: expected, got, what to do.
 * Nothing here may crash the process or lose what was saved before.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseArguments } from '../src/cli/arguments.ts';
import { findRecipe } from '../src/cli/recipes/index.ts';
import * as gradix from '../src/index.ts';
import { arange, concat, data, einsum, grad, io, models, nn, ones, optim, tensor, train, variable, zeros } from '../src/index.ts';
import { fileError } from '../src/io/files.ts';

const folder = mkdtempSync(join(tmpdir(), 'gradix-errors-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

/** A safetensors file from a header and a number of bytes of values. */
function safetensors(header: unknown, valueBytes = 0, claimed?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + valueBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}
const entry = (dtype: string, shape: unknown, offsets: unknown) => ({ dtype, shape, data_offsets: offsets });
const decode =
  (header: unknown, valueBytes = 0, claimed?: bigint) =>
  () =>
    io.decodeSafetensors(safetensors(header, valueBytes, claimed), 'net.safetensors');
const idx =
  (...bytes: number[]) =>
  () =>
    data.parseIdx(Uint8Array.from(bytes), 'labels.idx');

const points = data.fromArrays([[0], [1], [2], [3]], [0, 1, 0, 1]);
const net = () => nn.sequential(nn.linear(2));
const sgd = () => optim.sgd({ learningRate: 0.1 });
const fitting =
  (options: object, dataset = points) =>
  () =>
    train.fit(net(), dataset, { loss: 'crossEntropy', optimizer: sgd(), ...options } as train.FitOptions);
const cli =
  (...args: string[]) =>
  () =>
    parseArguments('gradix train', args, {
      epochs: { type: 'whole', least: 1, value: 'N', help: 'passes' },
      learningRate: { type: 'number', above: 0, help: 'size' },
      device: { type: 'text', choices: ['native', 'reference'], help: 'device' },
      json: { type: 'flag', help: 'lines' },
    });

const imagesHeader = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28, ...new Array<number>(784).fill(0)]);
const labelsOf = (...labels: number[]) => Uint8Array.from([0, 0, 8, 1, 0, 0, 0, labels.length, ...labels]);

beforeAll(() => {
  writeFileSync(at('short.gz'), gzipSync(imagesHeader).subarray(0, 20));
  const damaged = gzipSync(new Uint8Array(5000).map((_, i) => (i * 7919) % 251));
  damaged[100] ^= 0xff;
  writeFileSync(at('damaged.gz'), damaged);
  const boasting = gzipSync(imagesHeader);
  boasting.set([255, 255, 255, 255], boasting.length - 4);
  writeFileSync(at('boasting.gz'), boasting);
  writeFileSync(
    at('model.safetensors'),
    io.encodeSafetensors({
      '0.weight': { dtype: 'float32', shape: [3, 2], data: new Float32Array(6) },
      '0.bias': { dtype: 'float32', shape: [2], data: new Float32Array(2) },
    }),
  );
  writeFileSync(at('other.safetensors'), io.encodeSafetensors({ weight: { dtype: 'float32', shape: [1], data: new Float32Array(1) } }));
  writeFileSync(at('file'), 'text');
  for (const name of ['empty', 'partial', 'mismatch', 'labels', 'run']) mkdirSync(at(name));
  writeFileSync(at('partial/train-images-idx3-ubyte'), imagesHeader);
  const mnist = (name: string, labels: Uint8Array) => {
    for (const stem of ['train', 't10k']) {
      writeFileSync(at(`${name}/${stem}-images-idx3-ubyte`), imagesHeader);
      writeFileSync(at(`${name}/${stem}-labels-idx1-ubyte`), labels);
    }
  };
  mnist('mismatch', labelsOf(1, 2));
  mnist('labels', labelsOf(10));
  writeFileSync(at('run/checkpoint.safetensors'), io.encodeSafetensors({}));
});

/** [what was done, how, the whole message]. FOLDER stands for the test's folder. */
// biome-ignore format: a line per case
const table: readonly (readonly [string, () => unknown, string])[] = [
  // Tensors: shapes, dtypes, axes, values
  ['a shape that the values do not fill', () => tensor([1, 2, 3], { shape: [2, 2] }), 'tensor: 3 values do not fill the shape [2, 2] (4 elements).'],
  ['ragged nested arrays', () => tensor([[1, 2], [3]]), 'tensor: nested arrays must be regular: expected length 2 at depth 1, got 1.'],
  ['text as a value', () => tensor([1, 'x'] as unknown as number[]), 'tensor: expected numbers, got x.'],
  ['an unknown dtype', () => tensor([1], { dtype: 'float23' as 'float32' }), 'tensor: there is no dtype "float23". Did you mean float32?'],
  ['a tensor within a list', () => tensor([ones([2])] as unknown as number[]), 'tensor: expected numbers, got a tensor. Use stack([...]) to join tensors.'],
  ['a negative dimension', () => zeros([2, -1]), 'zeros: a shape holds whole numbers ≥ 0, got [2, -1].'],
  ['shapes that do not broadcast', () => ones([2, 3]).add(ones([4])), 'add: shapes [2, 3] and [4] do not broadcast. Dimensions must be equal or 1, counted from the right.'],
  ['matmul of sizes that differ', () => ones([2, 3]).matmul(ones([4, 5])), 'matmul: inner dimensions 3 and 4 differ ([2, 3] · [4, 5]). The last axis of the left must match the second to last of the right. Transpose one?'],
  ['matmul with a scalar', () => ones([2, 3]).matmul(ones([])), 'matmul: expected vectors or matrices, got [2, 3] and []. Use mul for scalars.'],
  ['reshape to another size', () => ones([2, 3]).reshape([4]), 'reshape: [2, 3] has 6 elements, [4] would have 4. The product of the dimensions must stay the same.'],
  ['an axis that does not exist', () => ones([2, 3]).sum({ axis: 2 }), 'sum: axis 2 is out of range for a tensor of rank 2. Use -2 … 1.'],
  ['the same axis twice', () => ones([2, 3]).sum({ axis: [0, -2] }), 'sum: axis [0, 0] names a dimension twice.'],
  ['an axis of a scalar', () => ones([]).sum({ axis: 0 }), 'sum: axis 0 is out of range for a tensor of rank 0. A scalar has no axes.'],
  ['transpose with too few axes', () => ones([2, 3]).transpose([0]), 'transpose: axes [0] are not an order of the 2 axes of [2, 3].'],
  ['squeeze of a long dimension', () => ones([2, 1]).squeeze([0]), 'squeeze: axis 0 of [2, 1] has length 2, not 1.'],
  ['broadcast to a smaller shape', () => ones([3]).broadcastTo([2]), 'broadcastTo: [3] does not stretch to [2]. Dimensions must be equal or 1, counted from the right.'],
  ['concat of unequal shapes', () => concat([ones([2, 3]), ones([2, 4])]), 'concat: shapes [2, 3] and [2, 4] differ in more than axis 0.'],
  ['concat of nothing', () => concat([]), 'concat: expected an array of tensors, got an empty one.'],
  ['slice beyond the end', () => ones([4]).slice([2], [3]), 'slice: start 2, size 3, step 1 reach outside axis 0 of length 4 (shape [4]).'],
  ['split into unequal parts', () => ones([5]).split(2), 'split: axis 0 of length 5 does not divide into 2 equal parts. Give the lengths: split([3, 4]).'],
  ['gather by fractions', () => ones([4]).take(tensor([0.5])), "take: indices must be int32, got float32. Cast them: indices.cast('int32')."],
  ['einsum with an unknown letter', () => einsum('ij,jk->iz', ones([2, 3]), ones([3, 4])), 'einsum: the result "iz" names "z" twice, or no operand has it.'],
  ['einsum with sizes that differ', () => einsum('ij,jk->ik', ones([2, 3]), ones([4, 5])), 'einsum: "j" is 3 in one operand and 4 in another ("ij,jk->ik", shapes [2, 3], [4, 5]).'],
  ['convolution of other channels', () => ones([1, 8, 8, 3]).conv(ones([3, 3, 4, 16])), 'conv: input has 3 channels but the kernel expects 4 (input [1, 8, 8, 3], kernel [3, 3, 4, 16]). A kernel is [...size, channels / groups, features].'],
  ['a kernel larger than the image', () => ones([1, 2, 2, 1]).conv(ones([3, 3, 1, 1])), 'conv: the kernel spans 3 positions along spatial axis 0 but the padded input has 2 (input [1, 2, 2, 1], kernel [3, 3, 1, 1]). Add padding, or use a smaller kernel.'],
  ['item of many', () => ones([2]).item(), 'item: expected one element, got float32 [2]. Use data() or array(), or reduce first: sum(), mean().'],
  ['+ on tensors', () => (ones([2]) as unknown as number) + 1, 'tensor: JavaScript operators do not work on tensors. Use methods: a.add(b), a.mul(2), or read a number with await t.item().'],
  ['assigning another shape', () => variable(ones([2])).assign(ones([3])), 'assign: variable variable0 is [2] but the value is [3]. A variable keeps its shape.'],
  ['assigning another dtype', () => variable(ones([2])).assign(ones([2], { dtype: 'int32' })), "assign: variable variable1 is float32 but the value is int32. Use .cast('float32')."],
  ['the gradient of a vector', () => grad((x: gradix.Tensor) => x.mul(2))(ones([2])), 'grad: the loss must be a single number, got float32 [2]. Reduce it with sum() or mean(), or use jacobian.'],
  ['arange to infinity', () => arange(Number.POSITIVE_INFINITY), 'arange: expected finite limits and a step that is not 0, got 0 … Infinity by 1.'],
  ['a seed below zero', () => gradix.seed(-1), 'seed: expected a whole number ≥ 0, got -1.'],
  ['reading inside compile', () => gradix.compile((x: gradix.Tensor) => x.add(x.itemSync()))(ones([])), 'itemSync: a tensor float32 [] has no value yet: it belongs to a function that compile is recording. Return it from the function and read it outside; for control flow by value use where(), or do not use compile here.'],
  // Layers, losses, optimizers
  ['an unknown layer option', () => nn.conv2d(16, 3, { pading: 1 } as object), 'conv2d: unknown option pading. Did you mean padding?'],
  ['a layer of no units', () => nn.linear(0), 'linear: features must be a whole number ≥ 1, got 0.'],
  ['sizes of inputs first', () => nn.linear(784, 10 as unknown as object), 'linear: expected an options object such as { bias: … }, got 10. Give the size of the output alone: that of the input is found when the layer first sees one.'],
  ['options first', () => nn.linear({ units: 10 } as unknown as number), 'linear: features must be a whole number ≥ 1, got { units }.'],
  ['dropout of everything', () => nn.dropout(1), 'dropout: rate must be a finite number in [0, 1), got 1.'],
  ['another input size', () => { const layer = nn.linear(2); layer.apply(ones([1, 3])); layer.apply(ones([1, 4])); }, 'linear: input has 4 features but this layer was made for 3 (input [1, 4]). The last dimension holds the features.'],
  ['parameters before the first call', () => net().parameters(), 'namedParameters: layer 0 (linear) has no parameters yet: it learns its input size at the first call. Call the model once, or model.summary(inputShape), before this.'],
  ['labels of the wrong shape', () => nn.crossEntropy(ones([2, 3]), tensor([0, 1, 2], { dtype: 'int32' })), 'crossEntropy: logits [2, 3] need integer labels [2], got [3].'],
  ['floating labels', () => nn.crossEntropy(ones([2, 3]), tensor([0, 1])), "crossEntropy: logits [2, 3] and targets float32 [2] do not fit. Labels must be integers: cast them to 'int32'."],
  ['predictions of another shape', () => nn.meanSquaredError(ones([8, 1]), ones([8])), 'meanSquaredError: predictions [8, 1] and targets [8] must have one shape. Use reshape or squeeze on the one that is wrong.'],
  ['a learning rate below zero', () => optim.sgd({ learningRate: -1 }), 'sgd: learningRate must be a finite number ≥ 0, got -1.'],
  ['an unknown optimizer option', () => optim.adam({ beta: 0.9 } as object), 'adam: unknown option beta. Did you mean beta1?'],
  ['Nesterov without momentum', () => optim.sgd({ nesterov: true }), 'sgd: nesterov needs a momentum. Pass momentum: 0.9, say.'],
  ['nothing to train', () => sgd().minimize(ones([]), []), 'minimize: there is nothing to train. Is everything frozen, or has the model no parameters?'],
  ['a loss that is a vector', () => sgd().minimize(ones([2]), [variable(ones([2]))]), 'minimize: the loss must be a scalar, got [2]. Use mean() or sum().'],
  ['a state with other names', () => net().loadStateDict({ weight: ones([1]) }), 'loadStateDict: the state lacks 0.…. It has weight instead: was it saved from another model?'],
  ['an unknown model option', () => models.mlp({ hiden: [3] } as object), 'mlp: unknown option hiden. Did you mean hidden?'],
  // Safetensors
  ['a file that is too short', () => io.decodeSafetensors(new Uint8Array(5), 'net.safetensors'), 'load: net.safetensors is 5 bytes long, too short for a safetensors file. Is it a safetensors file?'],
  ['a header longer than is allowed', decode({}, 0, 2n ** 60n), 'load: net.safetensors claims a header of 1152921504606846976 bytes; at most 100000000 are allowed. Is it a safetensors file?'],
  ['a header longer than the file', decode({}, 0, 1000n), 'load: net.safetensors claims a header of 1000 bytes but has only 2 after its length. The file is truncated or corrupt.'],
  ['a header that is not JSON', decode('{"a":'), 'load: net.safetensors: the header is not valid JSON. The file is corrupt.'],
  ['a header that is a list', decode('[]'), 'load: net.safetensors: the header is not a JSON object. The file is corrupt.'],
  ['an unknown dtype in a file', decode({ w: entry('F8_E4M3', [1], [0, 1]) }, 1), 'load: tensor "w" has dtype "F8_E4M3", which gradix cannot read. It reads F32, F64, F16, BF16, I32, U8, BOOL, I64.'],
  ['a negative shape', decode({ w: entry('F32', [-1], [0, 4]) }, 4), 'load: net.safetensors: tensor "w" has the shape [-1]. The file is corrupt.'],
  ['a shape larger than its bytes', decode({ w: entry('F32', [1e9], [0, 4]) }, 4), 'load: net.safetensors: tensor "w" F32 [1000000000] needs 4000000000 bytes but has 4. The file is corrupt.'],
  ['offsets outside the file', decode({ w: entry('F32', [1], [0, 4]) }, 0), 'load: net.safetensors: tensor "w" lies at bytes 0 to 4 of 0. The file is corrupt.'],
  ['offsets that run backwards', decode({ w: entry('F32', [1], [8, 4]) }, 8), 'load: net.safetensors: tensor "w" lies at bytes 8 to 4 of 8. The file is corrupt.'],
  ['tensors that overlap', decode({ a: entry('F32', [1], [0, 4]), b: entry('U8', [3], [2, 5]) }, 5), 'load: net.safetensors: tensor "b" starts at byte 2, inside the one before it, which ends at 4. The file is corrupt.'],
  ['bytes that belong to nobody', decode({ a: entry('F32', [1], [4, 8]) }, 8), 'load: net.safetensors: bytes 0 to 4 belong to no tensor. The file is corrupt.'],
  ['bytes left over', decode({ a: entry('F32', [1], [0, 4]) }, 9), 'load: net.safetensors: the tensors end at byte 4 but the file has 9 bytes of values. The file is corrupt.'],
  ['a name that appears twice', decode('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1), 'load: net.safetensors: tensor "a" appears twice. The file is corrupt.'],
  ['metadata that is not text', decode({ __metadata__: { a: 1 } }), 'load: net.safetensors: __metadata__ must map names to strings. The file is corrupt.'],
  ['a tensor that is no object', decode({ a: 3 }), 'load: net.safetensors: tensor "a" is not described by an object. The file is corrupt.'],
  ['a reserved name', () => io.encodeSafetensors({ __metadata__: { dtype: 'float32', shape: [], data: new Float32Array(1) } }), 'save: a tensor cannot be named "__metadata__". The format keeps that name for itself.'],
  ['a missing file', () => io.load(net(), at('missing.safetensors')), 'load: FOLDER/missing.safetensors does not exist. Check the path.'],
  ['a folder as a file', () => io.loadTensors(folder), 'load: FOLDER is a folder. Give the path of a file.'],
  ['a model of other names', () => io.load(net(), at('other.safetensors')), 'loadStateDict: the state lacks 0.…. It has weight instead: was it saved from another model?'],
  ['a model of another shape', () => { const model = net(); model.apply(ones([1, 4])); return io.load(model, at('model.safetensors')); }, 'loadStateDict: 0.weight is [3, 2] in the state but [4, 2] in the model. Was it saved from another model?'],
  ['saving into a missing folder', () => io.save({ a: ones([1]) }, at('none/a.safetensors')), 'save: the folder FOLDER/none does not exist. Make it first, or choose another.'],
  ['saving below a file', () => io.save({ a: ones([1]) }, at('file/a.safetensors')), 'save: a part of FOLDER/file/a.safetensors is a file, not a folder. Choose another path.'],
  ['a full disk', () => fileError('save', 'runs/a/model.safetensors', Object.assign(new Error(), { code: 'ENOSPC' })), 'save: no space left on the disk of runs/a/model.safetensors. Free some space; what was saved before is untouched.'],
  ['a folder that may not be written', () => fileError('save', 'runs/a/model.safetensors', Object.assign(new Error(), { code: 'EACCES' })), 'save: no permission for runs/a/model.safetensors. Choose another folder or change its permissions.'],
  ['a read-only file system', () => fileError('save', 'runs/a/model.safetensors', Object.assign(new Error(), { code: 'EROFS' })), 'save: runs/a/model.safetensors is on a read-only file system. Choose another folder.'],
  // IDX, gzip, MNIST
  ['an IDX file that is too short', idx(0, 0), 'idx: labels.idx is 2 bytes long, too short for an IDX file. The file is truncated.'],
  ['a file that is not IDX', idx(80, 75, 3, 4), 'idx: labels.idx starts with bytes 80 75, not 0 0. It is not an IDX file.'],
  ['an unknown element type', idx(0, 0, 7, 1, 0, 0, 0, 0), 'idx: labels.idx has the element type 0x07. IDX knows 0x08, 0x09 and 0x0b to 0x0e; the file is corrupt.'],
  ['a header that is cut off', idx(0, 0, 8, 3, 0, 0), 'idx: labels.idx ends inside its header of 16 bytes. The file is truncated.'],
  ['a hostile size', idx(0, 0, 8, 4, ...new Array<number>(16).fill(255)), 'idx: labels.idx claims [4294967295, 4294967295, 4294967295, 4294967295] values of 1 bytes, 3.402823666040258e+38 in all, but holds 0. The file is truncated or corrupt.'],
  ['values that are cut off', idx(0, 0, 8, 1, 0, 0, 0, 5, 1, 2), 'idx: labels.idx claims [5] values of 1 bytes, 5 in all, but holds 2. The file is truncated or corrupt.'],
  ['values left over', idx(0, 0, 8, 1, 0, 0, 0, 1, 1, 2), 'idx: labels.idx claims [1] values of 1 bytes, 1 in all, but holds 2. The file is corrupt.'],
  ['a gzip file that is cut off', () => data.readIdx(at('short.gz')), 'idx: FOLDER/short.gz cannot be decompressed: it promises 1617191008 bytes from 20. The file is truncated or corrupt; fetch it again.'],
  ['a gzip file that is damaged', () => data.readIdx(at('damaged.gz')), 'idx: FOLDER/damaged.gz cannot be decompressed: its contents do not match its checks. The file is truncated or corrupt; fetch it again.'],
  ['a gzip file that promises too much', () => data.readIdx(at('boasting.gz')), 'idx: FOLDER/boasting.gz cannot be decompressed: it promises 4294967295 bytes from 40. The file is truncated or corrupt; fetch it again.'],
  ['MNIST nowhere', () => data.mnist({ root: at('empty') }), 'mnist: found no train-images-idx3-ubyte.gz in FOLDER/empty or FOLDER/empty/mnist or FOLDER/empty/MNIST or FOLDER/empty/MNIST/raw. Download them from https://ossci-datasets.s3.amazonaws.com/mnist/ and give the folder as --data or { root }, or in GRADIX_DATA.'],
  ['MNIST in part', () => data.mnist({ root: at('partial') }), 'mnist: FOLDER/partial lacks train-labels-idx1-ubyte.gz. Download them from https://ossci-datasets.s3.amazonaws.com/mnist/ and give the folder as --data or { root }, or in GRADIX_DATA.'],
  ['labels that do not fit the images', () => data.mnist({ root: at('mismatch') }), 'mnist: 1 images but 2 labels. FOLDER/mismatch/train-images-idx3-ubyte and FOLDER/mismatch/train-labels-idx1-ubyte do not belong together.'],
  ['a label that is no digit', () => data.mnist({ root: at('labels') }), 'mnist: label 10 of example 0 in FOLDER/labels/train-labels-idx1-ubyte is outside 0 … 9. The file is corrupt.'],
  // Datasets and loaders
  ['x and y of different lengths', () => data.fromArrays([[1], [2]], [0]), 'fromArrays: x has 2 examples but y has 1. They must have the same length.'],
  ['no examples', () => data.fromArrays([]), 'fromArrays: x has the shape [0], so it holds no examples. The first dimension counts the examples.'],
  ['text as data', () => data.fromArrays('abc' as unknown as number[]), 'fromArrays: x must be a tensor or a list, got string. Make a tensor of a typed array first: tensor(values, { shape }).'],
  ['fractions above 1', () => points.split([0.8, 0.4]), 'split: parts [0.8, 0.4] sum to 1.2, but there are 4 examples. Give fractions that sum to at most 1, or numbers of examples.'],
  ['stratify without labels', () => data.fromArrays([[1], [2]], [0.5, 1]).split([0.5, 0.5], { stratify: true }), 'split: stratify needs integer labels, which this dataset does not have. Leave stratify out.'],
  ['a row that does not exist', () => points.read([4]), 'dataset: row 4 is outside 0 … 3.'],
  ['a batch of nothing', () => data.loader(points, { batchSize: 0 }), 'loader: batchSize must be a whole number ≥ 1, got 0.'],
  ['dropLast that drops everything', () => data.loader(points, { dropLast: true }), 'loader: dropLast leaves nothing: 4 examples are less than one batch of 32. Use a smaller batchSize.'],
  ['a loader state of other data', () => { data.loader(points).state = { epoch: 0, position: 5 }; }, 'loader: position 5 of epoch 0 does not exist in 4 examples. Was the state saved with other data?'],
  ['a negative number of digits', () => data.digits({ count: -1 }), 'digits: count must be a whole number ≥ 1, got -1.'],
  ['digits too small to draw', () => data.digits({ size: 4 }), 'digits: size must be a whole number in 8 … 1024, got 4.'],
  // Training
  ['no loss', fitting({ loss: undefined }), "fit: there is no loss. Pass loss: 'crossEntropy', say, or a function (outputs, targets) => scalar."],
  ['an unknown loss', fitting({ loss: 'crossEntropi' }), 'fit: there is no loss "crossEntropi". Did you mean crossEntropy?'],
  ['an unknown metric', fitting({ metrics: ['acuracy'] }), 'fit: there is no metric "acuracy". Did you mean accuracy?'],
  ['a metric twice', fitting({ metrics: ['accuracy', 'accuracy'] }), 'fit: the metric accuracy is given twice.'],
  ['no optimizer', fitting({ optimizer: undefined }), 'fit: there is no optimizer. Pass optimizer: optim.adam(), say.'],
  ['no epochs', fitting({ epochs: 0 }), 'fit: epochs must be a whole number ≥ 1, got 0.'],
  ['inputs without targets', fitting({}, data.fromArrays([[1], [2]])), 'fit: the dataset has only the field x, but training needs inputs and targets. Use fromArrays(x, y).'],
  ['a label out of range', fitting({}, data.fromArrays([[1], [2]], [0, 2])), 'fit: label 2 at position 0 is out of range: the model has 2 outputs, so labels are 0 … 1. Labels count from 0.'],
  ['a loss that does not fit', fitting({ loss: 'meanSquaredError' }), 'meanSquaredError: predictions [4, 2] and targets [4] must have one shape. Use reshape or squeeze on the one that is wrong.'],
  ['a loss of one number per example', fitting({ loss: (outputs: gradix.Tensor) => outputs.sum({ axis: 1 }) }), 'fit: the loss must be a scalar, got [4]. Use mean() or sum().'],
  ['a loss that is not finite', fitting({ callbacks: [train.checkpoint(at('nan'))] }, data.fromArrays([[Number.NaN], [1]], [0, 1])), 'fit: the loss is NaN in epoch 1, batch 1 of 1. Lower the learning rate (now 0.1), clip gradients, or look for bad values in the data; detectAnomaly: true names the first layer that breaks. Earlier checkpoints are kept.'],
  ['a figure that is not there', fitting({ callbacks: [train.earlyStopping({ monitor: 'valLos' })] }), 'fit: the callback earlyStopping failed in epochEnd: earlyStopping: there is no figure "valLos" to monitor. There are loss.'],
  ['patience of nothing', () => train.earlyStopping({ patience: 0 }), 'earlyStopping: patience must be at least 1, got 0.'],
  ['a checkpoint below a file', fitting({ callbacks: [train.checkpoint(at('file/run'))] }), 'fit: the callback checkpoint failed in start: checkpoint: a part of FOLDER/file/run is a file, not a folder. Choose another path.'],
  ['resuming from nothing', () => train.loadCheckpoint(at('empty')), 'resume: FOLDER/empty holds no checkpoint (checkpoint.safetensors). Give the folder of a run that has saved at least once.'],
  ['resuming from a model', () => train.loadCheckpoint(at('run')), 'resume: FOLDER/run/checkpoint.safetensors is not a checkpoint of a run. It may be a model; load it with load(model, path).'],
  ['nothing to measure', () => train.evaluate(net(), points), "evaluate: there is nothing to measure. Pass metrics: ['accuracy'] or a loss."],
  ['predicting nothing', () => train.predict(net(), zeros([0, 1])), 'predict: there are no examples.'],
  // Command line
  ['an unknown option', cli('--epoch', '3'), 'gradix train: unknown option --epoch. Did you mean --epochs?'],
  ['an option without its value', cli('--epochs'), 'gradix train: --epochs needs a value. --epochs N: passes.'],
  ['an option in place of a value', cli('--epochs', '--json'), 'gradix train: --epochs needs a value. --epochs N: passes.'],
  ['an option twice', cli('--epochs', '1', '--epochs', '2'), 'gradix train: --epochs is given twice. See gradix train --help.'],
  ['a fraction of an epoch', cli('--epochs', '1.5'), 'gradix train: --epochs must be a whole number ≥ 1, got "1.5". See gradix train --help.'],
  ['no epochs at all', cli('--epochs', '0'), 'gradix train: --epochs must be a whole number ≥ 1, got "0". See gradix train --help.'],
  ['a learning rate of zero', cli('--learning-rate', '0'), 'gradix train: --learning-rate must be a number > 0, got "0". See gradix train --help.'],
  ['a learning rate in words', cli('--learning-rate=fast'), 'gradix train: --learning-rate must be a number > 0, got "fast". See gradix train --help.'],
  ['an unknown device', cli('--device', 'natve'), 'gradix train: --device must be one of native, reference, got "natve". Did you mean native?'],
  ['a flag with a value', cli('--json=yes'), 'gradix train: --json takes no value, got "yes". See gradix train --help.'],
  ['an unknown recipe', () => findRecipe('gradix train', 'lenett'), 'gradix train: there is no recipe "lenett". Did you mean lenet?'],
];

const messageOf = async (act: () => unknown): Promise<string> => {
  try {
    await act();
  } catch (error) {
    return `${(error as Error).name === 'GradixError' ? '' : `${(error as Error).name}! `}${(error as Error).message.replaceAll(folder, 'FOLDER')}`;
  }
  return 'no error';
};

describe('errors', () => {
  test('the table is long enough', () => expect(table.length).toBeGreaterThanOrEqual(60));

  test.each(table)('%s', async (_, act, message) => {
    expect(await messageOf(act)).toBe(message);
  });
});
