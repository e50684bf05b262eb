/** One trial of `gradix search`: the recipe trained by `gradix train` in a child process and a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { didYouMean } from '../core/errors.ts';
import type { Trial, Values } from '../search/index.ts';
import { UsageError } from './arguments.ts';
import { hasRun } from './run-folder.ts';

/** What all trials have in common. */
export interface TrialPlan {
  readonly recipe: string;
  readonly data: string;
  /** The folder of the search. */
  readonly folder: string;
  /** The figure of the recipe that is the trial's value. */
  readonly metric: string;
  /** Options of `gradix train` that do not vary, by name: epochs, seed. */
  readonly fixed: Readonly<Record<string, number>>;
  readonly device: string | undefined;
  readonly threads: number;
}

/** Told of every epoch of a running trial. */
export type Watch = (number: number, epoch: number, epochs: number) => void;

export const trialFolder = (folder: string, number: number): string => join(folder, 'trials', String(number).padStart(4, '0'));
const flag = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/**
 * Trains with the values of a trial and gives the recipe's figure; goes on with the run that an interrupted or killed attempt has left. Errors: the
 * recipe's own, and a figure that it does not give.
 */
export async function runTrial(plan: TrialPlan, values: Values, trial: Trial, watch: Watch): Promise<number> {
  const out = trialFolder(plan.folder, trial.number);
  const settings = Object.entries({ ...plan.fixed, ...values }).flatMap(([name, value]) => [flag(name), String(value)]);
  const begin = (await hasRun(out)) ? ['--resume', out] : [plan.recipe, '--out', out, ...settings];
  const device = plan.device === undefined ? [] : ['--device', plan.device];
  const figures = await child(['train', ...begin, '--data', plan.data, '--threads', String(plan.threads), ...device, '--json'], trial.signal, (event, end) => {
    if (event.event !== 'epoch' || event.stage !== undefined) return; // stages train different nets: their figures are not comparable
    watch(trial.number, Number(event.epoch), Number(event.epochs));
    const value = event[plan.metric];
    if (typeof value !== 'number') return;
    trial.report(Number(event.epoch), value);
    if (event.epoch !== event.epochs && trial.shouldPrune) end(); // after the last epoch there is nothing left to save
  });
  if (figures === undefined) return trial.prune();
  const value = figures[plan.metric];
  if (typeof value === 'number') return value;
  const names = Object.keys(figures).filter((name) => typeof figures[name] === 'number' && /^(best|last)?val/i.test(name));
  throw new UsageError(
    'gradix search',
    `${plan.recipe} gives no figure ${plan.metric}`,
    didYouMean(plan.metric, names) ?? (names.length > 0 ? `It has ${names.join(', ')}.` : 'It measures nothing on validation data, so it cannot be searched.'),
  );
}

const running = new Set<ChildProcess>();

/** Ends all trials of this process at once. */
export function killTrials(): void {
  for (const child of running) child.kill('SIGKILL');
}

type Figures = Readonly<Record<string, unknown>>;

/** Runs gradix and hears its events. Its last event, or undefined when `hear` has ended it. */
function child(args: readonly string[], signal: AbortSignal, hear: (event: Figures, end: () => void) => void): Promise<Figures | undefined> {
  return new Promise((resolve, reject) => {
    // A process group of its own: Ctrl-C in the terminal reaches this process alone, which then asks its children once.
    const started = spawn(process.execPath, [process.argv[1], ...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true, windowsHide: true });
    const outcome: { last?: Figures; ended?: true; problem?: unknown } = {};
    const ask = (): void => void started.kill('SIGINT');
    running.add(started);
    if (signal.aborted) ask();
    signal.addEventListener('abort', ask);
    lines(started.stdout, (line) => {
      try {
        outcome.last = JSON.parse(line) as Figures;
        hear(outcome.last, () => {
          outcome.ended = true;
          ask();
        });
      } catch (problem) {
        outcome.problem ??= problem;
        ask();
      }
    });
    let complaint = '';
    started.stderr?.on('data', (bytes) => {
      complaint = `${complaint}${bytes}`.slice(-2000);
    });
    started.on('error', reject);
    started.on('close', (code) => {
      signal.removeEventListener('abort', ask);
      running.delete(started);
      const { last, ended, problem } = outcome;
      if (problem !== undefined) reject(problem);
      else if (ended) resolve(undefined);
      else if (code === 0 && last?.event === 'done') resolve(last);
      else reject(new Error(last?.event === 'error' ? String(last.message) : `gradix ${args.join(' ')} ended with code ${code}: ${complaint.trim()}`));
    });
  });
}

function lines(stream: NodeJS.ReadableStream | null, hear: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (text) => {
    const parts = `${rest}${text}`.split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part !== '') hear(part);
  });
}
