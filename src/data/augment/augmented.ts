/** A source whose examples are augmented as they are read. */
import { fail } from '../../core/errors.ts';
import { jobOf, readByJob } from '../job.ts';
import { described, type Job, type Rows, type Source } from '../source.ts';
import { augmentedFields, partnerOf } from './batch.ts';
import { isMixup } from './mixup.ts';
import type { Transform } from './transform.ts';

export function augmented(source: Source, transforms: readonly Transform[], seed: number): Source {
  const mixes = transforms.filter(isMixup).length;
  if (mixes > 1) fail('argument', 'augment', `mixup is in the list ${mixes} times`, 'Once is enough.');
  const classes = mixes === 0 ? 0 : classCount(source);
  const fields = augmentedFields(source.fields, transforms, classes);
  const job = async (rows: Rows, epoch: number): Promise<Job> => {
    const numbers = Int32Array.from(rows);
    const input = await jobOf(source, rows, epoch);
    const partners =
      mixes > 0
        ? await jobOf(
            source,
            numbers.map((row) => partnerOf(row, source.length, seed, epoch)),
            epoch,
          )
        : undefined;
    return { kind: 'augment', input, ...(partners && { partners }), fields: source.fields, classes, transforms, seed, epoch, rows: numbers };
  };
  return { ...described(source), ...readByJob(fields, job) };
}

function classCount({ fields, classes, labels }: Source): number {
  if (fields.length < 2 || fields[1].dtype !== 'int32' || fields[1].shape.length > 0)
    fail('data', 'mixup', 'the examples have no integer labels to mix', 'Use it on examples with classes.');
  if (classes) return classes.length;
  const known = labels?.() ?? fail('data', 'mixup', 'the number of classes is not known', 'Name the classes.');
  let most = -1;
  for (let i = 0; i < known.length; i++) most = Math.max(most, known[i]);
  return most + 1;
}
