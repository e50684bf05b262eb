/**
 * The work of reading a batch as plain values: undecoded files with what is to become of them, arrays, transforms by name. The same code runs a job in the
 * caller's thread and in a worker (workers-node.ts), so where it ran cannot be told from the result.
 */
import type { TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { soundFeatures } from './audio/features.ts';
import { augmentBatch } from './augment/batch.ts';
import { builtIn } from './augment/registry.ts';
import { decodeInto } from './images/decode.ts';
import { type Arrays, type AugmentJob, type Field, fromStored, type Job, type Rows, type Source, storedOf } from './source.ts';

/** Does the work: one array per field, in its stored form. */
export async function runJob(job: Job): Promise<Arrays> {
  switch (job.kind) {
    case 'arrays':
      return job.arrays;
    case 'images':
      return [await decodeInto(job.files, job.form), job.labels];
    case 'sounds':
      return [soundFeatures(job.files, job.features), job.labels];
    case 'augment': {
      const values = async (inner: Job) => fromStored(job.fields, await runJob(inner));
      return augmentBatch(job, await values(job.input), job.partners && (await values(job.partners)));
    }
  }
}

/** The parts of a source that follow from its job. */
export const readByJob = (
  fields: readonly Field[],
  job: (rows: Rows, epoch: number) => Promise<Job>,
): Pick<Source, 'fields' | 'read' | 'readStored' | 'job'> => ({
  fields,
  job,
  read: async (rows, epoch) => fromStored(fields, await runJob(await job(rows, epoch))),
  readStored: async (rows, epoch) => runJob(await job(rows, epoch)),
});

/** The job of any source: its own, or what it reads. */
export const jobOf = async (source: Pick<Source, 'job' | 'read' | 'readStored'>, rows: Rows, epoch: number): Promise<Job> =>
  source.job ? source.job(rows, epoch) : { kind: 'arrays', arrays: await storedOf(source, rows, epoch) };

export type Message =
  | Exclude<Job, AugmentJob>
  | (Omit<AugmentJob, 'input' | 'partners' | 'transforms'> & { input: Message; partners?: Message; transforms: unknown });

/** A job as a message, with the buffers that may be handed over. Errors: transforms that are functions of the user. */
export function toMessage(job: Job): { readonly message: Message; readonly buffers: ArrayBuffer[] } {
  const buffers: ArrayBuffer[] = [];
  const own = <T extends TypedArray>(array: T): T => {
    // A view is copied, so that only its own bytes travel and nobody else's memory is taken away.
    const whole = array.byteLength === array.buffer.byteLength && array.buffer instanceof ArrayBuffer ? array : (array.slice() as T);
    buffers.push(whole.buffer as ArrayBuffer);
    return whole;
  };
  const convert = (inner: Job): Message => {
    switch (inner.kind) {
      case 'arrays':
        return { ...inner, arrays: inner.arrays.map(own) };
      case 'images':
      case 'sounds':
        return { ...inner, files: inner.files.map(({ name, bytes }) => ({ name, bytes: own(bytes.slice()) })) };
      case 'augment':
        return {
          ...inner,
          input: convert(inner.input),
          ...(inner.partners && { partners: convert(inner.partners) }),
          transforms: inner.transforms.map(({ name, options }) =>
            options === undefined
              ? fail('argument', 'augment', `the transform ${name} is a function, which cannot be sent to worker threads`, 'Leave workers out.')
              : { name, options },
          ),
        } as Message;
    }
  };
  return { message: convert(job), buffers };
}

/** The job of a message. */
export function fromMessage(message: Message): Job {
  if (message.kind !== 'augment') return message;
  const { partners, transforms, ...rest } = message;
  return {
    ...rest,
    input: fromMessage(message.input),
    ...(partners && { partners: fromMessage(partners) }),
    transforms: (transforms as { name: string; options: object }[]).map(({ name, options }) => builtIn(name, options)),
  };
}
