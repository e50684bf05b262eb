/** What page and worker say to each other. A call's functions and signals stay where they are; in the message they are numbers. */
import { type ErrorCode, fail, GradixError } from '../core/errors.ts';

export type ToWorker =
  | { readonly gradix: 'hello' }
  | { readonly gradix: 'call'; readonly call: number; readonly name: string; readonly values: readonly unknown[] }
  | { readonly gradix: 'abort'; readonly call: number; readonly signal: number; readonly reason: unknown };

export type FromWorker =
  | { readonly gradix: 'ready'; readonly names: readonly string[] }
  | { readonly gradix: 'event'; readonly call: number; readonly callback: number; readonly values: readonly unknown[] }
  | { readonly gradix: 'result'; readonly call: number; readonly value: unknown }
  | { readonly gradix: 'error'; readonly call: number; readonly error: SentError };

/** Stands for a function or a signal of the other side. */
export interface Stand {
  readonly gradixStand: 'function' | 'signal';
  readonly number: number;
}

export interface SentError {
  readonly message: string;
  readonly name: string;
  readonly stack: string | undefined;
  /** Of a GradixError. */
  readonly code?: ErrorCode;
  readonly operation?: string;
}

/** A message of the other end, if it is one: workers may have other messages too. */
export const isOurs = (value: unknown): boolean => typeof value === 'object' && value !== null && 'gradix' in value;

export const isStand = (value: unknown): value is Stand => typeof value === 'object' && value !== null && 'gradixStand' in value;

/** The value with `change` applied to everything in its arrays and plain records that it has an answer for. */
export function mapped(value: unknown, change: (inner: unknown) => unknown): unknown {
  const changed = change(value);
  if (changed !== undefined) return changed;
  if (Array.isArray(value)) return value.map((inner) => mapped(inner, change));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapped(inner, change)]));
}

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));

/** Refuses what would arrive as something else: tensors, which live in the worker's memory. */
export function checkPlain(operation: string, value: unknown): void {
  mapped(value, (inner) =>
    typeof inner === 'object' && inner !== null && 'dtype' in inner && 'node' in inner
      ? fail('argument', operation, 'a tensor cannot leave its thread', 'Send its values: await x.data(). On the other side: tensor(values, { shape }).')
      : undefined,
  );
}

/** Sends a message; errors of what cannot be copied say so. */
export function send(operation: string, post: (message: unknown) => void, message: ToWorker | FromWorker): void {
  try {
    post(message);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    fail('argument', operation, `a value cannot be sent to the other thread: ${problem}`, 'Send numbers, texts, arrays, records and typed arrays.', error);
  }
}

export function sentError(error: unknown): SentError {
  if (!(error instanceof Error)) return { message: String(error), name: 'Error', stack: undefined };
  const { message, name, stack } = error;
  return { message, name, stack, ...(error instanceof GradixError && { code: error.code, operation: error.operation }) };
}

export function receivedError({ message, name, stack, code, operation }: SentError): Error {
  const error = code === undefined || operation === undefined ? Object.assign(new Error(message), { name }) : new GradixError(code, operation, '');
  error.message = message;
  if (stack !== undefined) error.stack = stack;
  return error;
}
