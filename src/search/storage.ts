/** Where a study keeps its trials: what a storage does, and the one in memory. The one in a file that processes share is in sqlite-node.ts. */
import type { Values } from './space.ts';

/** `running` trials belong to a worker for as long as it renews its lease; a lease that has run out is taken over by another worker. */
export type TrialState = 'running' | 'completed' | 'pruned' | 'failed';

/** A trial as it is kept. */
export interface TrialRecord {
  /** From 0. */
  readonly number: number;
  readonly values: Values;
  readonly state: TrialState;
  /** What the objective gave; of completed trials only. */
  readonly value: number | undefined;
  /** Reported values, in the order of the steps. */
  readonly reports: readonly (readonly [step: number, value: number])[];
  /** Why it failed. */
  readonly error: string | undefined;
  /** How often it was begun: more than once after a worker died or was interrupted. */
  readonly attempts: number;
  /** From its (last) beginning to its end; undefined while it runs. */
  readonly seconds: number | undefined;
}

/** The right to work on a trial, until its lease runs out and another attempt begins. */
export interface Claim {
  readonly number: number;
  readonly attempt: number;
}

export interface Ending {
  readonly state: Exclude<TrialState, 'running'>;
  readonly value?: number;
  readonly error?: string;
}

export interface Storage {
  /**
   * In one transaction: takes over the first trial whose lease has run out, else adds one, while there are fewer than `limit`, with the values that `propose`
   * chooses. Undefined when there is nothing to begin.
   */
  claim(limit: number, lease: number, propose: (trials: readonly TrialRecord[]) => Values | undefined): Claim | undefined;
  /** Renews a lease for so many seconds; with 0 gives the trial back. False when it was lost to another worker. */
  renew(claim: Claim, lease: number): boolean;
  /** Keeps a value of a step, in place of an earlier one. False when the claim was lost. */
  report(claim: Claim, step: number, value: number): boolean;
  /** Ends a trial. False when the claim was lost: the other worker's result counts. */
  finish(claim: Claim, ending: Ending): boolean;
  trials(): readonly TrialRecord[];
  close(): void;
}

interface Kept extends Omit<TrialRecord, 'reports' | 'seconds'> {
  readonly reports: Map<number, number>;
  readonly leaseEnd: number;
  readonly started: number;
  readonly ended: number | undefined;
}

/** A study of this process alone. */
export function memoryStorage(now: () => number = Date.now): Storage {
  const kept: Kept[] = [];
  const held = ({ number, attempt }: Claim): Kept | undefined => {
    const trial = kept[number];
    return trial?.state === 'running' && trial.attempts === attempt ? trial : undefined;
  };
  const change = (claim: Claim, changes: (trial: Kept) => Partial<Kept>): boolean => {
    const trial = held(claim);
    if (trial !== undefined) kept[claim.number] = { ...trial, ...changes(trial) };
    return trial !== undefined;
  };
  const trials = () =>
    kept.map(({ reports, leaseEnd: _, started, ended, ...trial }) => ({
      ...trial,
      reports: [...reports].sort(([a], [b]) => a - b),
      seconds: ended === undefined ? undefined : (ended - started) / 1000,
    }));
  return {
    claim(limit, lease, propose) {
      const [started, leaseEnd] = [now(), now() + 1000 * lease];
      const lost = kept.find((trial) => trial.state === 'running' && trial.leaseEnd <= started);
      if (lost !== undefined) {
        kept[lost.number] = { ...lost, attempts: lost.attempts + 1, started, leaseEnd };
        return { number: lost.number, attempt: lost.attempts + 1 };
      }
      const values = kept.length < limit ? propose(trials()) : undefined;
      if (values === undefined) return undefined;
      const number = kept.length;
      const nothing = { value: undefined, error: undefined, ended: undefined };
      kept.push({ number, values, state: 'running', attempts: 1, reports: new Map(), started, leaseEnd, ...nothing });
      return { number, attempt: 1 };
    },
    renew: (claim, lease) => change(claim, () => ({ leaseEnd: now() + 1000 * lease })),
    report: (claim, step, value) =>
      change(claim, ({ reports }) => {
        reports.set(step, value);
        return {};
      }),
    finish: (claim, { state, value, error }) => change(claim, () => ({ state, value, error, ended: now() })),
    trials,
    close: () => undefined,
  };
}
