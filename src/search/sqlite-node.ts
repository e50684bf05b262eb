/**
 * Trials in an SQLite file, which any number of processes of one machine may share (Node).
 * Every claim is one immediate transaction, so two processes never take the same trial; leases bring back the trials of processes that died.
 */
import { fail, GradixError } from '../core/errors.ts';
import { type Database, sqlite, transaction } from './database-node.ts';
import type { Values } from './space.ts';
import type { Claim, Storage, TrialRecord, TrialState } from './storage.ts';

const operation = 'createStudy';

const schema = `
create table if not exists study (description text not null);
create table if not exists trials (number integer primary key, "values" text not null, state text not null, value real, error text,
  attempts integer not null, lease_end real not null, started real not null, ended real);
create table if not exists reports (trial integer not null, step real not null, value real, primary key (trial, step)) without rowid;
`;

interface TrialRow {
  readonly number: number;
  readonly values: string;
  readonly state: TrialState;
  readonly value: number | null;
  readonly error: string | null;
  readonly attempts: number;
  readonly started: number;
  readonly ended: number | null;
}

/**
 * Opens the study in a file, or begins it there. `description` is what all processes must agree on. Errors: there is no SQLite, the file is not
 * a study or cannot be opened, it holds a study with another description.
 */
export async function sqliteStorage(path: string, description: string): Promise<Storage> {
  const open = await sqlite(operation);
  try {
    const database = open(path);
    try {
      begin(database, path, description);
    } catch (error) {
      database.close();
      throw error;
    }
    return storageOf(database);
  } catch (error) {
    if (error instanceof GradixError) throw error;
    return fail(
      'file',
      operation,
      `${path} cannot be opened as a study: ${error instanceof Error ? error.message : String(error)}`,
      'Choose another file.',
      error,
    );
  }
}

function begin(database: Database, path: string, description: string): void {
  transaction(database, () => {
    database.exec(schema);
    const found = database.prepare('select description from study').get() as { description: string } | undefined;
    if (found === undefined) database.prepare('insert into study values (?)').run(description);
    else if (found.description !== description)
      fail(
        'argument',
        operation,
        `${path} holds a study that was begun as ${found.description}, not as ${description}`,
        'Open it with the same space, sampler, direction, seed and pruning, or choose another file.',
      );
  });
}

function storageOf(database: Database): Storage {
  const now = Date.now;
  const held = "number = ? and attempts = ? and state = 'running'";
  const statements = {
    trials: database.prepare('select number, "values", state, value, error, attempts, started, ended from trials order by number'),
    reports: database.prepare('select trial, step, value from reports order by trial, step'),
    lost: database.prepare("select number, attempts from trials where state = 'running' and lease_end <= ? order by number limit 1"),
    count: database.prepare('select count(*) as trials from trials'),
    retake: database.prepare('update trials set attempts = ?, started = ?, lease_end = ? where number = ?'),
    add: database.prepare(`insert into trials (number, "values", state, attempts, started, lease_end) values (?, ?, 'running', 1, ?, ?)`),
    renew: database.prepare(`update trials set lease_end = ? where ${held}`),
    held: database.prepare(`select number from trials where ${held}`),
    report: database.prepare('insert or replace into reports values (?, ?, ?)'),
    finish: database.prepare(`update trials set state = ?, value = ?, error = ?, ended = ? where ${held}`),
  };

  function trials(): TrialRecord[] {
    const reports = new Map<number, [number, number][]>();
    for (const { trial, step, value } of statements.reports.all() as { trial: number; step: number; value: number | null }[]) {
      const list = reports.get(trial) ?? [];
      reports.set(trial, list);
      list.push([step, value ?? Number.NaN]);
    }
    return (statements.trials.all() as TrialRow[]).map(({ values, value, error, started, ended, ...row }) => ({
      ...row,
      values: JSON.parse(values) as Values,
      value: value ?? undefined,
      error: error ?? undefined,
      reports: reports.get(row.number) ?? [],
      seconds: ended === null ? undefined : (ended - started) / 1000,
    }));
  }

  function claim(limit: number, lease: number, propose: (trials: readonly TrialRecord[]) => Values | undefined): Claim | undefined {
    const started = now();
    const leaseEnd = started + 1000 * lease;
    const lost = statements.lost.get(started) as { number: number; attempts: number } | undefined;
    if (lost !== undefined) {
      const attempt = lost.attempts + 1;
      statements.retake.run(attempt, started, leaseEnd, lost.number);
      return { number: lost.number, attempt };
    }
    const { trials: number } = statements.count.get() as { trials: number };
    const values = number < limit ? propose(trials()) : undefined;
    if (values === undefined) return undefined;
    statements.add.run(number, JSON.stringify(values), started, leaseEnd);
    return { number, attempt: 1 };
  }

  return {
    claim: (...given) => transaction(database, () => claim(...given)),
    renew: ({ number, attempt }, lease) => statements.renew.run(now() + 1000 * lease, number, attempt).changes === 1,
    report: ({ number, attempt }, step, value) =>
      transaction(database, () => {
        if (statements.held.get(number, attempt) === undefined) return false;
        statements.report.run(number, step, Number.isNaN(value) ? null : value);
        return true;
      }),
    finish: ({ number, attempt }, { state, value, error }) => statements.finish.run(state, value ?? null, error ?? null, now(), number, attempt).changes === 1,
    // One snapshot of both tables: another process may write in between.
    trials: () => transaction(database, trials),
    close: () => database.close(),
  };
}
