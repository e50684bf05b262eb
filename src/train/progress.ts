/** progress: shows a run in the terminal as a bar that is redrawn, or as plain lines where there is none (log files, CI). */
import { environmentVariable } from '../core/debug.ts';
import { checkChoice } from '../nn/options.ts';
import type { Callback, Run } from './callback.ts';
import type { MetricValue } from './metrics/index.ts';

/** Where text goes: process.stdout and process.stderr fit. */
export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface ProgressOptions {
  /** Default process.stderr where there is one, else the console. */
  readonly output?: TextOutput;
  /** 'bar' is redrawn in place; 'plain' writes a line per epoch and every ten seconds; 'json' the same as one JSON object per line. Default: a bar on a terminal, else plain. */
  readonly format?: 'bar' | 'plain' | 'json';
  /** Says nothing. */
  readonly silent?: boolean;
}

const processOf = globalThis as { process?: { stderr?: TextOutput } };
const consoleOutput: TextOutput = { write: (text) => console.log(text.replace(/\n$/, '')) };
const redrawInterval = 80;
const plainInterval = 10_000;

/** Seconds as 8 s, 1:05 or 2:03:20. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number) => String(n).padStart(2, '0');
  return whole < 3600 ? `${Math.floor(whole / 60)}:${two(whole % 60)}` : `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** loss 0.0831  accuracy 97.53%  validation 0.0744 97.80% */
export function figuresText(figures: Readonly<Record<string, MetricValue>>): string {
  const numbers = Object.entries(figures).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  const isValidation = (name: string): boolean => /^val[A-Z]/.test(name);
  const training = numbers.flatMap(([name, value]) => (isValidation(name) ? [] : [`${spaced(name)} ${valueText(name, value)}`]));
  const validation = numbers.flatMap(([name, value]) => (isValidation(name) ? [valueText(name, value)] : []));
  return [...training, ...(validation.length > 0 ? [`validation ${validation.join(' ')}`] : [])].join('  ');
}

const valueText = (name: string, value: number): string => (/accuracy$/i.test(name) ? `${(100 * value).toFixed(2)}%` : value.toPrecision(3));

const spaced = (name: string): string => name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);

const blocks = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of `width` characters, filled to `share`, in eighths. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, share)) * width * 8);
  const full = '█'.repeat(Math.floor(eighths / 8)) + blocks[eighths % 8];
  return full.padEnd(width, '░');
}

const perSecond = (count: number): string => `${Math.round(count).toLocaleString('en-US')}/s`;

/** How far a run is. */
interface Standing {
  readonly share: number;
  readonly perSecond: number;
  /** Seconds to the end of the run, without validation. */
  readonly left: number;
}

function standing(run: Run): Standing {
  const rate = run.seen / Math.max(run.seconds, 1e-9);
  const examples = ((run.batches - run.batch) * run.examples) / run.batches + (run.epochs - run.epoch - 1) * run.examples;
  return { share: run.batch / run.batches, perSecond: rate, left: examples / rate };
}

const label = (run: Run, epoch: number): string => `epoch ${String(epoch).padStart(String(run.epochs).length)}/${run.epochs}`;
const lastEpoch = (run: Run) => run.history[run.history.length - 1];

/** Shows epoch, a bar, time left, figures and examples per second; one lasting line per epoch. */
export function progress({ output = processOf.process?.stderr ?? consoleOutput, format, silent = false }: ProgressOptions = {}): Callback {
  if (silent) return { name: 'progress' };
  const chosen = format ?? (output.isTTY === true && environmentVariable('TERM') !== 'dumb' && !environmentVariable('CI') ? 'bar' : 'plain');
  checkChoice('progress', 'format', chosen, ['bar', 'plain', 'json']);
  return { name: 'progress', ...(chosen === 'bar' ? barProgress(output) : chosen === 'plain' ? plainProgress(output) : jsonProgress(output)) };
}

/** Calls `show` at most every `interval` milliseconds. */
function paced(interval: number, show: (run: Run) => void): Pick<Callback, 'start' | 'tick'> {
  let last = 0;
  return {
    start: () => {
      last = performance.now();
    },
    tick(run) {
      if (performance.now() - last < interval) return;
      last = performance.now();
      show(run);
    },
  };
}

/** The loss and the first metric: what a line has room for. */
function shortFigures(run: Run): string {
  const { loss, ...rest } = run.figures;
  const first = Object.entries(rest).find(([, value]) => typeof value === 'number');
  return figuresText({ loss, ...(first && { [first[0]]: first[1] }) });
}

/** What lasts of an epoch; figures that a line has no room for go on in the next, below the first. */
function epochLine(run: Run, { columns }: TextOutput): string {
  const { epoch, ...figures } = lastEpoch(run);
  const head = label(run, epoch);
  const lines: string[] = [];
  let line = head;
  for (const piece of [...figuresText(figures).split('  '), perSecond(standing(run).perSecond)]) {
    if (line.length > head.length && line.length + 2 + piece.length >= (columns || 80)) {
      lines.push(line);
      line = ' '.repeat(head.length);
    }
    line += `  ${piece}`;
  }
  return [...lines, line].map((text) => `${text}\n`).join('');
}

const endLine = (run: Run): string => (run.stoppedBecause ? `Stopped: ${run.stoppedBecause}.\n` : '');

function barProgress(output: TextOutput): Callback {
  let drawn = false;
  const redraw = (text: string) => {
    const width = (output.columns || 80) - 1;
    output.write(`\r${drawn ? '' : '\x1b[?25l'}${[...text].slice(0, width).join('')}\x1b[K`);
    drawn = true;
  };
  const erase = () => {
    if (drawn) output.write('\r\x1b[K\x1b[?25h');
    drawn = false;
  };
  return {
    ...paced(redrawInterval, (run) => {
      const { share, perSecond: rate, left } = standing(run);
      const percent = String(Math.floor(100 * share)).padStart(2);
      const text = `${percent} % ${shortFigures(run)}  ${perSecond(rate)} ${duration(left)}`;
      const room = (output.columns || 80) - 3 - label(run, run.epoch + 1).length - text.length;
      redraw(`${label(run, run.epoch + 1)} ${bar(share, Math.max(4, Math.min(16, room)))} ${text}`);
    }),
    validationStart: (run) => redraw(`${label(run, run.history.length + 1)} ${bar(1, 16)} validating …`),
    epochEnd(run) {
      erase();
      output.write(epochLine(run, output));
    },
    end(run) {
      erase();
      output.write(endLine(run));
    },
    close: erase,
  };
}

function plainProgress(output: TextOutput): Callback {
  return {
    ...paced(plainInterval, (run) => {
      const { share, perSecond: rate, left } = standing(run);
      output.write(`${label(run, run.epoch + 1)}, ${Math.floor(100 * share)} %: ${shortFigures(run)}  ${perSecond(rate)}, ${duration(left)} left\n`);
    }),
    epochEnd: (run) => void output.write(epochLine(run, output)),
    end: (run) => void output.write(endLine(run)),
  };
}

/** Events progress, epoch and end. */
function jsonProgress(output: TextOutput): Callback {
  const write = (event: string, fields: object) => output.write(`${JSON.stringify({ event, ...fields })}\n`);
  const whole = (run: Run) => ({ epochs: run.epochs, examplesPerSecond: Math.round(standing(run).perSecond) });
  return {
    ...paced(plainInterval, (run) => {
      const { epoch, batch, batches, figures } = run;
      write('progress', { epoch: epoch + 1, batch, batches, ...figures, ...whole(run), secondsLeft: Math.round(standing(run).left) });
    }),
    epochEnd: (run) => void write('epoch', { ...lastEpoch(run), ...whole(run) }),
    end: (run) => void write('end', { stopReason: run.stopReason, ...(run.stoppedBecause !== undefined && { because: run.stoppedBecause }) }),
  };
}
