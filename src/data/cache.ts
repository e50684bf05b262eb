/** A source that keeps what it has read: the first examples that fit into a number of bytes. Which ones are kept changes the speed, not the values. */
import { bytesOf, newArray, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { type Arrays, described, type Field, fromStored, type Rows, type Source, storedOf } from './source.ts';

const storedDType = ({ dtype, stored }: Field) => stored?.dtype ?? dtype;

export function cached(source: Source, bytes: number): Source {
  if (!(bytes >= 0)) fail('argument', 'cache', `bytes must be a number ≥ 0, got ${bytes}`);
  const { fields } = source;
  const sizes = fields.map(({ shape }) => sizeOf(shape));
  const exampleBytes = fields.reduce((sum, field, i) => sum + sizes[i] * bytesOf(storedDType(field)), 0);
  const capacity = Math.min(source.length, Math.floor(bytes / exampleBytes));
  // Memory is taken when the first example comes, all at once, so that it cannot grow later.
  let kept: TypedArray[] | undefined;
  const places = new Map<number, number>();

  const readStored = async (rows: Rows, epoch: number): Promise<Arrays> => {
    kept ??= fields.map((field, i) => newArray(storedDType(field), capacity * sizes[i]));
    const absent = [...new Set(Array.from(rows).filter((row) => !places.has(row)))];
    const fresh = absent.length === 0 ? [] : await storedOf(source, absent, epoch);
    const position = new Map(absent.map((row, i) => [row, i]));
    const out = fields.map((field, i) => newArray(storedDType(field), rows.length * sizes[i]));
    for (let r = 0; r < rows.length; r++) {
      const at = position.get(rows[r]);
      const place = at === undefined ? (places.get(rows[r]) ?? 0) : at;
      const from = at === undefined ? kept : fresh;
      for (const [i, size] of sizes.entries()) out[i].set(from[i].subarray(place * size, (place + 1) * size), r * size);
    }
    for (const [at, row] of absent.entries()) {
      if (places.size === capacity) break;
      if (places.has(row)) continue; // another read has brought it meanwhile
      for (const [i, size] of sizes.entries()) kept[i].set(fresh[i].subarray(at * size, (at + 1) * size), places.size * size);
      places.set(row, places.size);
    }
    return out;
  };
  return { ...described(source), readStored, read: async (rows, epoch) => fromStored(fields, await readStored(rows, epoch)) };
}
