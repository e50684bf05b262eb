/**
 * The one error type and its one formatter: "operation: what is wrong (expected, got). What to do."
 */

export type ErrorCode =
  | 'shape'
  | 'dtype'
  | 'axis'
  | 'value'
  | 'argument'
  | 'state'
  | 'device'
  | 'compile'
  | 'file'
  | 'data'
  | 'numeric'
  | 'interrupted'
  | 'internal';

export class GradixError extends Error {
  override readonly name = 'GradixError';
  readonly code: ErrorCode;
  /** The operation the user called. */
  readonly operation: string;

  constructor(code: ErrorCode, operation: string, problem: string, hint?: string, cause?: unknown) {
    super(`${operation}: ${problem}${/[.?!]$/.test(problem) ? '' : '.'}${hint ? ` ${hint}` : ''}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.operation = operation;
  }
}

/** Throws a GradixError. `problem` says what was expected and what came, `hint` what to do. */
export function fail(code: ErrorCode, operation: string, problem: string, hint?: string, cause?: unknown): never {
  throw new GradixError(code, operation, problem, hint, cause);
}

/** For branches that the types say cannot be reached. */
export function unreachable(value: never, where: string): never {
  throw new GradixError('internal', where, `unexpected ${JSON.stringify(value)}`, 'This is a bug in gradix; please report it.');
}

/** "[2, 3]" */
export const showShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** The nearest of `choices` to a misspelt `word`, as a hint; undefined when none is near. */
export function didYouMean(word: string, choices: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const choice of choices) {
    const distance = editDistance(word.toLowerCase(), choice.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [choice, distance];
  }
  return best === undefined ? undefined : `Did you mean ${best}?`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
