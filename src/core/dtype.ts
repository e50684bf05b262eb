/**
 * The element types of tensors and the typed arrays that hold them.
 * float16 and bfloat16 are storage formats: two bytes in a Uint16Array, converted on the way in and out.
 */
import { didYouMean, fail } from './errors.ts';

export type DType = 'float32' | 'float64' | 'float16' | 'bfloat16' | 'int32' | 'uint8' | 'bool';

export type TypedArray = Float32Array | Float64Array | Uint16Array | Int32Array | Uint8Array;

interface DTypeFacts {
  readonly bytes: number;
  readonly floating: boolean;
  /** Position in the promotion order: the result of a mixed operation is the higher of the two. */
  readonly rank: number;
  readonly array: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => TypedArray;
}

const facts: Record<DType, DTypeFacts> = {
  float32: { bytes: 4, floating: true, rank: 5, array: Float32Array },
  float64: { bytes: 8, floating: true, rank: 6, array: Float64Array },
  float16: { bytes: 2, floating: true, rank: 4, array: Uint16Array },
  bfloat16: { bytes: 2, floating: true, rank: 3, array: Uint16Array },
  int32: { bytes: 4, floating: false, rank: 2, array: Int32Array },
  uint8: { bytes: 1, floating: false, rank: 1, array: Uint8Array },
  bool: { bytes: 1, floating: false, rank: 0, array: Uint8Array },
};

export const dtypes = Object.keys(facts) as readonly DType[];
export const bytesOf = (dtype: DType): number => facts[dtype].bytes;
export const isFloating = (dtype: DType): boolean => facts[dtype].floating;

/** Refuses what is not the name of a dtype. */
export function checkDTypeName(operation: string, name: string): void {
  if ((dtypes as readonly string[]).includes(name)) return;
  fail('dtype', operation, `there is no dtype "${name}"`, didYouMean(String(name), dtypes) ?? `Use one of ${dtypes.join(', ')}.`);
}

/** The dtype that holds the values of both. */
export const promote = (a: DType, b: DType): DType => (facts[a].rank >= facts[b].rank ? a : b);

/** A zeroed array of `length` elements. */
export function newArray(dtype: DType, length: number): TypedArray {
  return new facts[dtype].array(new ArrayBuffer(length * facts[dtype].bytes), 0, length);
}

/** A view of `length` elements over existing memory. */
export function viewArray(dtype: DType, buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray {
  return new facts[dtype].array(buffer, byteOffset, length);
}
