/** adopt: a tensor over an array that nobody else will change. For batches, whose arrays are made for them, and for data that are kept. */
import { type DType, newArray, type TypedArray } from '../core/dtype.ts';
import { isHalf } from '../core/half.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import { compiledDevice } from '../engine/devices.ts';
import { storageFrom, storageLeaf } from '../engine/values.ts';
import { tensor } from './create.ts';
import { type Tensor, wrap } from './tensor.ts';

/** As tensor(values, { shape, dtype }), but without a copy where the array is as the device keeps it. */
export function adopt(values: TypedArray, shape: Shape, dtype: DType): Tensor {
  const fits = !isHalf(dtype) && values.length === sizeOf(shape) && values.constructor === newArray(dtype, 0).constructor;
  return fits ? wrap(storageLeaf(storageFrom(values), { shape, dtype })) : tensor(values, { shape, dtype });
}

/** Whether an adopted array may be as large as it likes: the device reads it where it lies. */
export const adoptsInPlace = (): boolean => compiledDevice()?.readsInPlace === true;
