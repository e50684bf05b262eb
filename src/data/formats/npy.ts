/** NumPy's NPY format, versions 1 to 3 (numpy.org, NEP 1), and NPZ, a zip of them. Pure functions on bytes. */
import { bytesOf, type DType, newArray } from '../../core/dtype.ts';
import { fail, showShape } from '../../core/errors.ts';
import { type Shape, sizeOf } from '../../core/shape.ts';
import type { ArrayValue } from '../../io/safetensors.ts';
import { bytesSource, joined, latin1, viewOf } from './bytes.ts';
import { encodeZip, indexZip } from './zip.ts';

interface Type {
  readonly dtype: DType;
  readonly read: (view: DataView, offset: number, little: boolean) => number;
}

/** By kind and bytes. Integers become int32 where their values fit. */
const types: Readonly<Record<string, Type>> = {
  f2: { dtype: 'float16', read: (view, at, little) => view.getUint16(at, little) },
  f4: { dtype: 'float32', read: (view, at, little) => view.getFloat32(at, little) },
  f8: { dtype: 'float64', read: (view, at, little) => view.getFloat64(at, little) },
  i1: { dtype: 'int32', read: (view, at) => view.getInt8(at) },
  i2: { dtype: 'int32', read: (view, at, little) => view.getInt16(at, little) },
  i4: { dtype: 'int32', read: (view, at, little) => view.getInt32(at, little) },
  i8: { dtype: 'int32', read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  u1: { dtype: 'uint8', read: (view, at) => view.getUint8(at) },
  u2: { dtype: 'int32', read: (view, at, little) => view.getUint16(at, little) },
  u4: { dtype: 'int32', read: (view, at, little) => view.getUint32(at, little) },
  u8: { dtype: 'int32', read: (view, at, little) => Number(view.getBigUint64(at, little)) },
  b1: { dtype: 'bool', read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
};
const codes: Readonly<Partial<Record<DType, string>>> = {
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
  int32: '<i4',
  uint8: '|u1',
  bool: '|b1',
};
const magic = '\x93NUMPY';

interface Header {
  readonly type: Type;
  readonly bytes: number;
  readonly little: boolean;
  readonly columnsFirst: boolean;
  readonly shape: Shape;
  readonly start: number;
}

function readHeader(bytes: Uint8Array, bad: (problem: string, hint?: string) => never): Header {
  if (bytes.length < 10 || latin1(bytes.subarray(0, 6)) !== magic) bad('does not begin as an NPY file does', 'It is not an NPY file.');
  const version = bytes[6];
  if (version < 1 || version > 3) bad(`has version ${version}; 1 to 3 are known`);
  const from = version === 1 ? 10 : 12;
  if (bytes.length < from) bad('ends inside its header');
  const length = version === 1 ? viewOf(bytes).getUint16(8, true) : viewOf(bytes).getUint32(8, true);
  const start = from + length;
  if (start > bytes.length) bad('ends inside its header');
  if (length > 65_536) bad(`has a header of ${length} bytes`);
  const text = latin1(bytes.subarray(from, start));
  const description = /'descr'\s*:\s*'([<>|=])([a-z])(\d{1,2})'/.exec(text) ?? bad(`has an element type that is no plain number: ${text.trim().slice(0, 80)}`);
  const type = types[description[2] + description[3]];
  if (type === undefined) bad(`has the element type ${description[0]}`, `Known are ${Object.keys(types).join(', ')}.`);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text) ?? bad('does not say fortran_order');
  const dimensions = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text) ?? bad('does not say its shape');
  const shape = dimensions[1]
    .split(',')
    .map((d) => d.trim())
    .filter((d) => d !== '')
    .map(Number);
  return { type, bytes: Number(description[3]), little: description[1] !== '>', columnsFirst: order[1] === 'True', shape, start };
}

/** Reads one array, row by row whatever the order in the file. Errors: corrupt, unknown types, integers beyond 32 bits. */
export function parseNpy(bytes: Uint8Array, name = 'the data'): ArrayValue {
  const bad = (problem: string, hint = 'The file is truncated or corrupt.'): never => fail('data', 'npy', `${name} ${problem}`, hint);
  const { type, bytes: width, little, columnsFirst, shape, start } = readHeader(bytes, bad);
  const length = sizeOf(shape);
  if (length * width !== bytes.length - start)
    bad(`claims ${showShape(shape)} values of ${width} bytes, ${length * width} in all, but holds ${bytes.length - start}`);
  const view = viewOf(bytes);
  const data = newArray(type.dtype, length);
  const place = columnsFirst ? fromColumns(shape) : undefined;
  for (let i = 0; i < length; i++) {
    const value = type.read(view, start + i * width, little);
    const at = place ? place(i) : i;
    data[at] = value;
    if (type.dtype === 'int32' && data[at] !== value)
      bad(`holds the integer ${value}, which does not fit into 32 bits`, 'Save it as float64, or as smaller numbers.');
  }
  return { dtype: type.dtype, shape, data };
}

/** Where the i-th value of an array that counts its first dimension fastest belongs in one that counts its last fastest. */
function fromColumns(shape: Shape): (i: number) => number {
  const strides = shape.map((_, d) => sizeOf(shape.slice(d + 1)));
  return (i) => {
    let rest = i;
    let at = 0;
    for (const [d, size] of shape.entries()) {
      at += (rest % size) * strides[d];
      rest = Math.floor(rest / size);
    }
    return at;
  };
}

/** Writes one array. Errors: bfloat16, which NumPy does not have. */
export function encodeNpy({ dtype, shape, data }: ArrayValue): Uint8Array {
  const code = codes[dtype] ?? fail('dtype', 'npy', `NPY has no ${dtype}`, 'Cast to float32 first.');
  const text = `{'descr': '${code}', 'fortran_order': False, 'shape': (${shape.length === 1 ? `${shape[0]},` : shape.join(', ')}), }`;
  // Padded with spaces and a newline, so that the values begin at a multiple of 64 bytes.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = new Uint8Array(10 + length).fill(32);
  for (let i = 0; i < magic.length; i++) header[i] = magic.charCodeAt(i);
  header.set([1, 0], 6);
  viewOf(header).setUint16(8, length, true);
  for (let i = 0; i < text.length; i++) header[10 + i] = text.charCodeAt(i);
  header[header.length - 1] = 10;
  const values = new Uint8Array(data.buffer, data.byteOffset, data.length * bytesOf(dtype));
  return joined([header, values]);
}

/** All arrays of an NPZ file by name. */
export async function parseNpz(bytes: Uint8Array, name = 'the data'): Promise<ReadonlyMap<string, ArrayValue>> {
  const files = await indexZip(bytesSource(bytes, name));
  const arrays = new Map<string, ArrayValue>();
  for (const { path } of files.entries)
    if (path.endsWith('.npy')) arrays.set(path.slice(0, -'.npy'.length), parseNpy(await files.read(path), `${name}/${path}`));
  return arrays;
}

export const encodeNpz = (arrays: Readonly<Record<string, ArrayValue>>): Uint8Array =>
  encodeZip(Object.entries(arrays).map(([name, value]) => [`${name}.npy`, encodeNpy(value)]));
