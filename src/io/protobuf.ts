/** Writing of protocol buffers (protobuf.dev/programming-guides/encoding): a message is its fields' bytes one after the other. Only what gradix writes. */

/** A field's bytes. */
export type Field = Uint8Array;

const [varintType, fixed64Type, lengthType, fixed32Type] = [0, 1, 2, 5];

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Seven bits per byte, the lowest first. `value`: a whole number ≥ 0, below 2⁵³. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

const key = (number: number, type: number): Uint8Array => varint(number * 8 + type);

export const message = (...fields: readonly Field[]): Uint8Array => joined(fields);

/** int32, int64, bool or enum; whole numbers ≥ 0. */
export const integerField = (number: number, value: number): Field => joined([key(number, varintType), varint(value)]);

export const doubleField = (number: number, value: number): Field =>
  joined([key(number, fixed64Type), littleEndian(8, (view) => view.setFloat64(0, value, true))]);

export const floatField = (number: number, value: number): Field =>
  joined([key(number, fixed32Type), littleEndian(4, (view) => view.setFloat32(0, value, true))]);

/** Bytes, text or a message within. */
export function bytesField(number: number, value: Uint8Array | string): Field {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return joined([key(number, lengthType), varint(bytes.length), bytes]);
}

/** Repeated doubles, packed. */
export const doublesField = (number: number, values: readonly number[]): Field =>
  bytesField(
    number,
    littleEndian(8 * values.length, (view) => {
      values.forEach((value, i) => {
        view.setFloat64(8 * i, value, true);
      });
    }),
  );

/** `size` bytes that `fill` writes. */
export function littleEndian(size: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  fill(new DataView(bytes.buffer));
  return bytes;
}
