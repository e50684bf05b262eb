/** The IDX format of MNIST (yann.lecun.com/exdb/mnist): two zero bytes, a type, a rank, big-endian sizes, big-endian values. Pure functions on bytes. */
import { bytesOf, type DType, newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';

export interface IdxArray {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

interface Type {
  readonly dtype: DType;
  readonly bytes: number;
  readonly read: (view: DataView, offset: number) => number;
}

const types: Readonly<Record<number, Type>> = {
  8: { dtype: 'uint8', bytes: 1, read: (view, offset) => view.getUint8(offset) },
  9: { dtype: 'int32', bytes: 1, read: (view, offset) => view.getInt8(offset) },
  11: { dtype: 'int32', bytes: 2, read: (view, offset) => view.getInt16(offset) },
  12: { dtype: 'int32', bytes: 4, read: (view, offset) => view.getInt32(offset) },
  13: { dtype: 'float32', bytes: 4, read: (view, offset) => view.getFloat32(offset) },
  14: { dtype: 'float64', bytes: 8, read: (view, offset) => view.getFloat64(offset) },
};

/** Reads an IDX file. 8- and 16-bit signed values become int32. At most four times the file's own size is allocated. `source` names the file in errors. */
export function parseIdx(bytes: Uint8Array, source = 'the data'): IdxArray {
  const bad = (problem: string, hint: string): never => fail('data', 'idx', `${source} ${problem}`, hint);
  if (bytes.length < 4) bad(`is ${bytes.length} bytes long, too short for an IDX file`, 'The file is truncated.');
  if (bytes[0] !== 0 || bytes[1] !== 0) bad(`starts with bytes ${bytes[0]} ${bytes[1]}, not 0 0`, 'It is not an IDX file.');
  const type: Type | undefined = types[bytes[2]];
  if (type === undefined)
    return bad(`has the element type 0x${bytes[2].toString(16).padStart(2, '0')}`, 'IDX knows 0x08, 0x09 and 0x0b to 0x0e; the file is corrupt.');
  const rank = bytes[3];
  const start = 4 + 4 * rank;
  if (bytes.length < start) bad(`ends inside its header of ${start} bytes`, 'The file is truncated.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const length = sizeOf(shape);
  const needed = length * type.bytes;
  const found = bytes.length - start;
  if (needed !== found)
    bad(
      `claims ${showShape(shape)} values of ${type.bytes} bytes, ${needed} in all, but holds ${found}`,
      needed > found ? 'The file is truncated or corrupt.' : 'The file is corrupt.',
    );
  if (type.dtype === 'uint8') return { dtype: 'uint8', shape, data: new Uint8Array(bytes.subarray(start)) };
  const data = newArray(type.dtype, length);
  for (let i = 0; i < length; i++) data[i] = type.read(view, start + i * type.bytes);
  return { dtype: type.dtype, shape, data };
}

/** Writes uint8, int32, float32 or float64 values as IDX. */
export function encodeIdx({ dtype, shape, data }: IdxArray): Uint8Array {
  const code = { uint8: 8, bool: 8, int32: 12, float32: 13, float64: 14, float16: 0, bfloat16: 0 }[dtype];
  if (code === 0) fail('dtype', 'idx', `IDX has no ${dtype}`, 'Cast to float32 first.');
  const start = 4 + 4 * shape.length;
  const size = bytesOf(dtype);
  const bytes = new Uint8Array(start + data.length * size);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, code, shape.length]);
  shape.forEach((d, i) => view.setUint32(4 + 4 * i, d));
  for (let i = 0; i < data.length; i++) {
    const at = start + i * size;
    if (code === 8) view.setUint8(at, data[i]);
    else if (code === 12) view.setInt32(at, data[i]);
    else if (code === 13) view.setFloat32(at, data[i]);
    else view.setFloat64(at, data[i]);
  }
  return bytes;
}
