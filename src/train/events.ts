/** TensorBoard's events as protocol buffers (tensorflow/core/util/event.proto, framework/summary.proto, framework/graph.proto). */
import { bytesField, doubleField, doublesField, floatField, integerField, message } from '../io/protobuf.ts';
import { tfRecord } from '../io/tf-record.ts';

/** One value of a summary: field numbers of Summary.Value. */
export const scalarValue = (tag: string, value: number): Uint8Array => message(bytesField(1, tag), floatField(2, value));

export const imageValue = (tag: string, png: Uint8Array, [height, width, channels]: readonly [number, number, number]): Uint8Array =>
  message(bytesField(1, tag), bytesField(4, message(integerField(1, height), integerField(2, width), integerField(3, channels), bytesField(4, png))));

const bucketCount = 30;

/** A histogram of 30 equal buckets between the smallest and the largest value; values that are not finite are left out. */
export function histogramValue(tag: string, values: ArrayLike<number>): Uint8Array {
  const finite = Array.from(values).filter(Number.isFinite);
  const low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const count = finite.length === 0 ? 0 : low === high ? 1 : bucketCount;
  const width = (high - low) / count;
  const limits = Array.from({ length: count }, (_, i) => (i === count - 1 ? high : low + (i + 1) * width));
  const buckets = limits.map(() => 0);
  for (const value of finite) buckets[width > 0 ? Math.min(count - 1, Math.floor((value - low) / width)) : 0]++;
  const sum = finite.reduce((a, b) => a + b, 0);
  const squares = finite.reduce((a, b) => a + b * b, 0);
  const moments = [finite.length === 0 ? 0 : low, finite.length === 0 ? 0 : high, finite.length, sum, squares];
  const histogram = message(...moments.map((value, i) => doubleField(i + 1, value)), doublesField(6, limits), doublesField(7, buckets));
  return message(bytesField(1, tag), bytesField(5, histogram));
}

/** A node of a model's graph. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  /** Of its output, with the batch. */
  readonly shape?: readonly number[];
}

/** GraphDef; shapes are in the attribute _output_shapes, where TensorBoard looks for them. */
export function graphDefinition(nodes: readonly GraphNode[]): Uint8Array {
  const shapeOf = (shape: readonly number[]) => message(...shape.map((size) => bytesField(2, message(integerField(1, size)))));
  const shapes = (shape: readonly number[]) =>
    bytesField(5, message(bytesField(1, '_output_shapes'), bytesField(2, message(bytesField(1, message(bytesField(7, shapeOf(shape))))))));
  const definition = ({ name, op, inputs, shape }: GraphNode) =>
    message(bytesField(1, name), bytesField(2, op), ...inputs.map((input) => bytesField(3, input)), ...(shape ? [shapes(shape)] : []));
  return message(...nodes.map((node) => bytesField(1, definition(node))), bytesField(4, message(integerField(1, 22))));
}

/** What an event holds. */
export type EventContents = { readonly version: string } | { readonly graph: Uint8Array } | { readonly values: readonly Uint8Array[] };

/** An event as a record of the file. `step` ≥ 0. */
export function eventRecord(step: number, contents: EventContents): Uint8Array {
  const body =
    'version' in contents
      ? bytesField(3, contents.version)
      : 'graph' in contents
        ? bytesField(4, contents.graph)
        : bytesField(5, message(...contents.values.map((value) => bytesField(1, value))));
  return tfRecord(message(doubleField(1, Date.now() / 1000), integerField(2, step), body));
}

/** The first record of every file. */
export const firstRecord = (): Uint8Array => eventRecord(0, { version: 'brain.Event:2' });
