/** Studies: many trials of an objective with different parameters, one after the other, in parallel, or by several processes that share a file. */
import { fail, GradixError } from '../core/errors.ts';
import { isNode } from '../io/files.ts';
import { checkChoice, checkNumber, checkOptions, checkWhole } from '../nn/options.ts';
import { type Curve, medianPruning, type Pruner } from './pruning.ts';
import { grid, randomSearch, type Sampler } from './sampler.ts';
import { checkSpace, type Space, type Values } from './space.ts';
import { type Claim, memoryStorage, type Storage, type TrialRecord } from './storage.ts';
import { tpe } from './tpe.ts';

export type Direction = 'minimize' | 'maximize';

export interface StudyOptions<S extends Space> {
  /** What to vary, such as { learningRate: logUniform(1e-4, 0.1) }. */
  readonly space: S;
  /** Default 'tpe'. With options: `tpe({ gamma })`, `grid({ points })`. */
  readonly sampler?: 'tpe' | 'random' | 'grid' | Sampler;
  /** Default 'minimize'. */
  readonly direction?: Direction;
  /** Start of the sampler's random numbers (default 0). */
  readonly seed?: number;
  /** Default 'median', which asks nothing of objectives that do not report. With options: `medianPruning({ warmupSteps })`. */
  readonly pruning?: 'median' | 'none' | Pruner;
  /** An SQLite file, begun or gone on with, which several processes may share (Node 22.13, or the package better-sqlite3). Default: in memory. */
  readonly storage?: string;
  /**
   * Seconds after which a trial is taken over when its process shows no life (default 60). Every process renews its own in time; only code that blocks
   * JavaScript for longer needs more.
   */
  readonly lease?: number;
}

/** A trial as its objective sees it. */
export interface Trial {
  readonly number: number;
  /** 1, or more when an earlier attempt was interrupted or its process died. */
  readonly attempt: number;
  /** Aborted when the study is to stop, or when the trial was lost to another process: end soon. */
  readonly signal: AbortSignal;
  /** Tells an intermediate value, of the same kind as the final one. Steps, such as epochs, count up from 1. */
  report(step: number, value: number): void;
  /** Whether what was reported is too bad to go on: then `trial.prune()`. */
  readonly shouldPrune: boolean;
  /** Ends the trial as pruned (by an exception that must leave the objective). */
  prune(): never;
}

export type Objective<S extends Space> = (values: Values<S>, trial: Trial) => number | Promise<number>;

/** A trial of a study, with the types of its space. */
export interface StudyTrial<S extends Space> extends TrialRecord {
  readonly values: Values<S>;
}

export interface OptimizeOptions {
  /** How many trials the study shall have in all, those of earlier calls and of other processes included. */
  readonly trials: number;
  /** Trials at the same time in this process (default 1). */
  readonly parallel?: number;
  /** Stops the study: running trials are given back and begin again in the next `optimize`. */
  readonly signal?: AbortSignal;
  /** What an exception of the objective does: 'throw' it (default), or 'continue' with the next trial. Either way its trial is kept as failed. */
  readonly onError?: 'throw' | 'continue';
}

export interface Study<S extends Space> {
  readonly space: S;
  readonly direction: Direction;
  /**
   * Runs trials until the study has as many as asked for and none is running, in other processes neither; a grid ends when it is complete. A value that is
   * not finite makes its trial a failed one.
   */
  optimize(objective: Objective<S>, options: OptimizeOptions): Promise<void>;
  /** The completed trial with the best value; undefined before there is one. */
  readonly best: StudyTrial<S> | undefined;
  /** All trials, of all processes. */
  readonly trials: readonly StudyTrial<S>[];
  /** Closes the file. */
  close(): void;
}

/** What `trial.prune()` throws. */
class Pruned extends Error {}
/** The study was stopped, or the trial lost. */
class GivenUp extends Error {}

const samplers = { tpe, random: randomSearch, grid } as const;
const operation = 'createStudy';

/** Begins a study, or opens the one in the file. Errors: a wrong space or option, another study in the file. */
export async function createStudy<const S extends Space>(options: StudyOptions<S>): Promise<Study<S>> {
  checkOptions(operation, options, ['space', 'sampler', 'direction', 'seed', 'pruning', 'storage', 'lease']);
  const { space, sampler: wanted = 'tpe', pruning = 'median', storage: file } = options;
  checkSpace(operation, space);
  const sampler = typeof wanted === 'string' ? samplers[checkChoice(operation, 'sampler', wanted, ['tpe', 'random', 'grid'])]() : wanted;
  const direction = checkChoice(operation, 'direction', options.direction ?? 'minimize', ['minimize', 'maximize']);
  const seed = checkWhole(operation, 'seed', options.seed ?? 0, 0);
  const lease = checkNumber(operation, 'lease', options.lease ?? 60, { low: 0.1 });
  const pruner =
    typeof pruning !== 'string' ? pruning : checkChoice(operation, 'pruning', pruning, ['median', 'none']) === 'median' ? medianPruning() : undefined;
  const described = (part: Sampler | Pruner | undefined) => part && { name: part.name, ...part.options };
  const description = JSON.stringify({ space, sampler: described(sampler), direction, seed, pruning: described(pruner) });
  const storage = file === undefined ? memoryStorage() : await fileStorage(file, description);
  return new SharedStudy({ space, sampler, direction, seed, pruner, storage, lease });
}

async function fileStorage(path: string, description: string): Promise<Storage> {
  if (!isNode) fail('device', operation, 'studies in files need Node', 'Leave storage out: the study is kept in memory.');
  return (await import('./sqlite-node.ts')).sqliteStorage(path, description);
}

interface Parts<S extends Space> {
  readonly space: S;
  readonly sampler: Sampler;
  readonly direction: Direction;
  readonly seed: number;
  readonly pruner: Pruner | undefined;
  readonly storage: Storage;
  readonly lease: number;
}

class SharedStudy<S extends Space> implements Study<S> {
  readonly #parts: Parts<S>;
  /** Turns values into losses. */
  readonly #sign: 1 | -1;

  constructor(parts: Parts<S>) {
    this.#parts = parts;
    this.#sign = parts.direction === 'minimize' ? 1 : -1;
  }

  get space(): S {
    return this.#parts.space;
  }

  get direction(): Direction {
    return this.#parts.direction;
  }

  get trials(): readonly StudyTrial<S>[] {
    return this.#parts.storage.trials() as readonly StudyTrial<S>[];
  }

  get best(): StudyTrial<S> | undefined {
    const completed = this.trials.filter(({ value }) => value !== undefined);
    return completed.reduce<StudyTrial<S> | undefined>(
      (best, trial) => (best === undefined || this.#sign * (Number(trial.value) - Number(best.value)) < 0 ? trial : best),
      undefined,
    );
  }

  close(): void {
    this.#parts.storage.close();
  }

  async optimize(objective: Objective<S>, options: OptimizeOptions): Promise<void> {
    checkOptions('optimize', options, ['trials', 'parallel', 'signal', 'onError']);
    checkWhole('optimize', 'trials', options.trials);
    checkChoice('optimize', 'onError', options.onError ?? 'throw', ['throw', 'continue']);
    const stop = new AbortController();
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal]);
    const worker = async (): Promise<void> => {
      try {
        await this.#work(objective, { ...options, signal });
      } catch (error) {
        stop.abort(); // the other workers of this call end too
        throw error;
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: checkWhole('optimize', 'parallel', options.parallel ?? 1) }, worker));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #work(objective: Objective<S>, { trials, onError, signal }: OptimizeOptions & { readonly signal: AbortSignal }): Promise<void> {
    const { storage, lease } = this.#parts;
    while (!signal.aborted) {
      const claim = storage.claim(trials, lease, (known) => this.#propose(known));
      if (claim === undefined) {
        if (!storage.trials().some(({ state }) => state === 'running')) return;
        // Others are at work. Should one of them die, its trial is begun again here.
        await pause(Math.min(200, 250 * lease), signal);
        continue;
      }
      await this.#run(claim, objective, signal, onError ?? 'throw');
    }
  }

  #propose(known: readonly TrialRecord[]): Values | undefined {
    const { sampler, space, seed } = this.#parts;
    const history = known.map(({ values, value }) => ({ values, loss: value === undefined ? undefined : this.#sign * value }));
    return sampler.sample(space, history, known.length, seed);
  }

  async #run(claim: Claim, objective: Objective<S>, stop: AbortSignal, onError: 'throw' | 'continue'): Promise<void> {
    const { storage, lease } = this.#parts;
    const lost = new AbortController();
    const signal = AbortSignal.any([stop, lost.signal]);
    const heart = setInterval(() => storage.renew(claim, lease) || lost.abort(), (1000 * lease) / 3);
    try {
      const value: unknown = await objective(this.trials[claim.number].values, this.#trial(claim, signal, lost));
      if (typeof value !== 'number') fail('argument', 'optimize', `the objective must give a number, got ${String(value)}`);
      if (stop.aborted && !Number.isFinite(value)) throw new GivenUp();
      storage.finish(claim, Number.isFinite(value) ? { state: 'completed', value } : { state: 'failed', error: `the value was ${value}` });
    } catch (error) {
      if (error instanceof Pruned) storage.finish(claim, { state: 'pruned' });
      else if (signal.aborted) storage.renew(claim, 0);
      else {
        storage.finish(claim, { state: 'failed', error: error instanceof Error ? error.message : String(error) });
        // A mistake in how the study is used would be the same in every trial.
        if (onError === 'throw' || (error instanceof GradixError && error.operation === 'optimize')) throw error;
      }
    } finally {
      clearInterval(heart);
    }
  }

  #trial(claim: Claim, signal: AbortSignal, lost: AbortController): Trial {
    const { storage, pruner, lease } = this.#parts;
    const curveOf = ({ reports }: TrialRecord): Curve => reports.map(([step, value]) => [step, this.#sign * value]);
    let reported = Number.NaN;
    return {
      ...claim,
      signal,
      report(step, value) {
        checkNumber('report', 'step', step);
        if (typeof value !== 'number') fail('argument', 'report', `the value must be a number, got ${String(value)}`);
        if (!storage.report(claim, step, value) || !storage.renew(claim, lease)) lost.abort();
        if (signal.aborted) throw new GivenUp();
        reported = step;
      },
      get shouldPrune() {
        if (pruner === undefined) return false;
        const trials = storage.trials();
        const curve = curveOf(trials[claim.number]).filter(([step]) => step <= reported);
        return pruner.shouldPrune(curve, trials.filter(({ state }) => state === 'completed').map(curveOf));
      },
      prune() {
        throw new Pruned('pruned');
      },
    };
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}
