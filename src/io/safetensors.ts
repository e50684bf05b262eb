/**
 * The safetensors format (huggingface.co/docs/safetensors): 8 bytes of header length, a JSON header, then the raw values, little-endian.
 * Pure functions on bytes, for browsers too. Everything a file claims is checked before anything is allocated for it.
 */
import { bytesOf, type DType, newArray, type TypedArray, viewArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';

/** The values of one tensor in ordinary memory, row-major. */
export interface ArrayValue {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, ArrayValue>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly dtype: string;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the values begin in the file, bytes. */
  readonly dataStart: number;
}

/** As in the reference implementation: a longer header is a broken or hostile file. */
const maximumHeaderBytes = 100_000_000;
const alignment = 64;
const formatNames: Readonly<Record<DType, string>> = {
  float32: 'F32',
  float64: 'F64',
  float16: 'F16',
  bfloat16: 'BF16',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
};
const readable: Readonly<Record<string, DType>> = Object.fromEntries(Object.entries(formatNames).map(([dtype, name]) => [name, dtype as DType]));
/** Bytes of one element in the file. I64 is read as int32 where the values fit (PyTorch stores its counters so). */
const elementBytes: Readonly<Record<string, number>> = {
  ...Object.fromEntries(Object.entries(readable).map(([name, dtype]) => [name, bytesOf(dtype)])),
  I64: 8,
};

type Tensors = ReadonlyMap<string, ArrayValue> | Readonly<Record<string, ArrayValue>>;

/** The file's bytes. Values start at a multiple of 64 bytes; entries are ordered by element size, then as given, so that each is aligned. */
export function encodeSafetensors(tensors: Tensors, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const pieces = safetensorsPieces(tensors, metadata);
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const piece of pieces) {
    bytes.set(piece, position);
    position += piece.length;
  }
  return bytes;
}

/** The same as the header and the values of every tensor, which are not copied. */
export function safetensorsPieces(tensors: Tensors, metadata: Readonly<Record<string, string>> = {}): Uint8Array[] {
  const given: [string, ArrayValue][] = tensors instanceof Map ? [...tensors] : Object.entries(tensors as Readonly<Record<string, ArrayValue>>);
  const entries = given.sort(([, a], [, b]) => bytesOf(b.dtype) - bytesOf(a.dtype));
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let offset = 0;
  for (const [name, value] of entries) {
    if (name === '__metadata__') fail('argument', 'save', 'a tensor cannot be named "__metadata__"', 'The format keeps that name for itself.');
    if (value.data.length !== sizeOf(value.shape))
      fail('shape', 'save', `tensor "${name}" of shape ${showShape(value.shape)} holds ${value.data.length} values`);
    const end = offset + value.data.length * bytesOf(value.dtype);
    header[name] = { dtype: formatNames[value.dtype], shape: value.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const dataStart = Math.ceil((8 + json.length) / alignment) * alignment;
  const start = new Uint8Array(dataStart).fill(0x20, 8);
  new DataView(start.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  start.set(json, 8);
  return [start, ...entries.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

/** The length of the JSON header from a file's first 8 bytes. `fileBytes` is the size of the whole file. */
export function headerLength(first: Uint8Array, fileBytes: number, source: string): number {
  if (fileBytes < 8) fail('file', 'load', `${source} is ${fileBytes} bytes long, too short for a safetensors file`, notSafetensors);
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(maximumHeaderBytes))
    fail('file', 'load', `${source} claims a header of ${length} bytes; at most ${maximumHeaderBytes} are allowed`, notSafetensors);
  if (length > BigInt(fileBytes - 8))
    fail('file', 'load', `${source} claims a header of ${length} bytes but has only ${fileBytes - 8} after its length`, 'The file is truncated or corrupt.');
  return Number(length);
}

const notSafetensors = 'Is it a safetensors file?';

/** Checks a header: names, dtypes, shapes, and that the values lie one after the other, exactly filling the file. */
export function parseHeader(json: Uint8Array, fileBytes: number, source: string): SafetensorsHeader {
  const bad = (problem: string): never => fail('file', 'load', `${source}: ${problem}`, 'The file is corrupt.');
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(json);
    header = JSON.parse(text);
  } catch {
    return bad('the header is not valid JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) return bad('the header is not a JSON object');
  const duplicate = duplicateKey(text);
  if (duplicate !== undefined) bad(`tensor "${duplicate}" appears twice`);
  const dataStart = 8 + json.length;
  const dataBytes = fileBytes - dataStart;
  const entries = new Map<string, Entry>();
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') entries.set(name, checkEntry(name, value, dataBytes, bad));
    else if (isRecord(value) && Object.values(value).every((v) => typeof v === 'string')) metadata = value as Record<string, string>;
    else bad('__metadata__ must map names to strings');
  }
  let expected = 0;
  for (const [name, { begin, end }] of [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin < expected) bad(`tensor "${name}" starts at byte ${begin}, inside the one before it, which ends at ${expected}`);
    if (begin > expected) bad(`bytes ${expected} to ${begin} belong to no tensor`);
    expected = end;
  }
  if (expected !== dataBytes) bad(`the tensors end at byte ${expected} but the file has ${dataBytes} bytes of values`);
  return { entries, metadata, dataStart };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function checkEntry(name: string, value: unknown, dataBytes: number, bad: (problem: string) => never): Entry {
  if (!isRecord(value)) return bad(`tensor "${name}" is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(elementBytes, dtype)) {
    return fail(
      'dtype',
      'load',
      `tensor "${name}" has dtype ${JSON.stringify(dtype)}, which gradix cannot read`,
      `It reads ${Object.keys(elementBytes).join(', ')}.`,
    );
  }
  if (!Array.isArray(shape) || shape.length > 64 || !shape.every(isSize)) return bad(`tensor "${name}" has the shape ${JSON.stringify(shape)?.slice(0, 60)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    return bad(`tensor "${name}" has the offsets ${JSON.stringify(offsets)?.slice(0, 60)}`);
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) return bad(`tensor "${name}" lies at bytes ${begin} to ${end} of ${dataBytes}`);
  const needed = sizeOf(shape) * elementBytes[dtype];
  if (needed !== end - begin) return bad(`tensor "${name}" ${dtype} ${showShape(shape)} needs ${needed} bytes but has ${end - begin}`);
  return { dtype, shape, begin, end };
}

/** The first key that the top-level object of valid JSON text has twice. (JSON.parse silently keeps the last.) */
function duplicateKey(text: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    if (c !== '"') continue;
    const start = i++;
    while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
    if (depth !== 1) continue;
    const key = JSON.parse(text.slice(start, i + 1)) as string;
    let next = i + 1;
    while (/\s/.test(text[next])) next++;
    if (text[next] !== ':') continue;
    if (seen.has(key)) return key;
    seen.add(key);
  }
  return undefined;
}

/** Reads a whole file's bytes. The arrays are copies where the file is not aligned, else views of `given`. `source` names the file in errors. */
export function decodeSafetensors(given: Uint8Array, source = 'the data'): SafetensorsFile {
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.length); // not a Buffer of Node, whose slice() does not copy
  const length = headerLength(bytes, bytes.length, source);
  const header = parseHeader(bytes.subarray(8, 8 + length), bytes.length, source);
  const tensors = new Map<string, ArrayValue>();
  for (const [name, entry] of header.entries)
    tensors.set(name, decodeEntry(name, entry, bytes.subarray(header.dataStart + entry.begin, header.dataStart + entry.end)));
  return { tensors, metadata: header.metadata };
}

function decodeEntry(name: string, { dtype: stored, shape }: Entry, bytes: Uint8Array): ArrayValue {
  const length = sizeOf(shape);
  if (stored === 'I64') {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const data = newArray('int32', length);
    for (let i = 0; i < length; i++) {
      const value = view.getBigInt64(i * 8, true);
      data[i] = Number(value);
      if (BigInt(data[i]) !== value) fail('dtype', 'load', `tensor "${name}" holds ${value}, which does not fit int32`, 'gradix has no 64-bit integers.');
    }
    return { dtype: 'int32', shape, data };
  }
  const dtype = readable[stored];
  const aligned = bytes.byteOffset % bytesOf(dtype) === 0 ? bytes : bytes.slice();
  return { dtype, shape, data: viewArray(dtype, aligned.buffer, aligned.byteOffset, length) };
}
