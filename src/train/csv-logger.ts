/** csvLogger: a run's figures as comma-separated values (RFC 4180), a line per epoch or per so many batches. */
import { type LogFile, openLog } from '../io/files.ts';
import { checkOptions, checkWhole } from '../nn/options.ts';
import type { Callback, Figures, Run } from './callback.ts';

export interface CsvLoggerOptions {
  /** A line every so many batches, with the figures of the epoch so far, in place of one per epoch. */
  readonly everyBatches?: number;
}

/**
 * Writes the figures that are single numbers. A new run replaces the file; a resumed one goes on after the line of its checkpoint. The first line names the
 * columns, and a figure that appears only later has none.
 */
export function csvLogger(path: string, options: CsvLoggerOptions = {}): Callback {
  checkOptions('csvLogger', options, ['everyBatches']);
  const { everyBatches } = options;
  if (everyBatches !== undefined) checkWhole('csvLogger', 'everyBatches', everyBatches);
  let log: LogFile | undefined;
  let columns: readonly string[] | undefined;
  let length = 0;

  const write = async (row: Figures) => {
    const first = columns === undefined;
    columns ??= Object.keys(row).filter((name) => typeof row[name] === 'number');
    const line = columns.map((name) => row[name] ?? '').join(',');
    await log?.append(`${first ? `${columns.map(quoted).join(',')}\n` : ''}${line}\n`);
  };

  return {
    name: 'csvLogger',
    async start() {
      log = await openLog(path, 'csvLogger', length);
    },
    ...(everyBatches === undefined
      ? { epochEnd: (run: Run) => write(run.history[run.history.length - 1]) }
      : { batchInterval: everyBatches, batchEnd: (run: Run) => write({ epoch: run.epoch + 1, batch: run.batch, ...run.figures }) }),
    state: () => ({ values: { length: log?.length ?? 0, columns: columns ?? null } }),
    restore({ values }) {
      const saved = values as { readonly length: number; readonly columns: readonly string[] | null };
      length = saved.length;
      columns = saved.columns ?? undefined;
    },
  };
}

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
