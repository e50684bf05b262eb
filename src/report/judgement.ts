/** What a classifier's outputs say beside the true labels: confusion matrix, per-class figures, the costliest mistakes. K: classes. */

export interface ClassFigures {
  readonly name: string;
  /** NaN where nothing was predicted as this class. */
  readonly precision: number;
  /** NaN where the test holds no example of it. */
  readonly recall: number;
  readonly f1: number;
  /** Examples of this class. */
  readonly support: number;
}

export interface Verdict {
  readonly row: number;
  readonly label: number;
  readonly guess: number;
  /** Of the guess. */
  readonly probability: number;
  /** −log p of the true class. */
  readonly loss: number;
}

export interface Judgement {
  readonly classes: readonly string[];
  /** One per example, in the order of the data. */
  readonly verdicts: readonly Verdict[];
  readonly accuracy: number;
  /** Mean cross entropy, nats. */
  readonly loss: number;
  /** [true][predicted] */
  readonly matrix: readonly (readonly number[])[];
  readonly perClass: readonly ClassFigures[];
}

/** Judges logits [n · K] by labels [n]. */
export function judge(logits: ArrayLike<number>, labels: ArrayLike<number>, classes: readonly string[]): Judgement {
  const count = classes.length;
  const matrix = classes.map(() => classes.map(() => 0));
  const verdicts = Array.from({ length: labels.length }, (_, row) => {
    const verdict = verdictOf(logits, row, count, labels[row]);
    matrix[verdict.label][verdict.guess]++;
    return verdict;
  });
  const share = (sum: number): number => sum / verdicts.length;
  return {
    classes,
    verdicts,
    accuracy: share(verdicts.filter(({ label, guess }) => label === guess).length),
    loss: share(verdicts.reduce((sum, { loss }) => sum + loss, 0)),
    matrix,
    perClass: classes.map((name, k) => classFigures(name, matrix, k)),
  };
}

function verdictOf(logits: ArrayLike<number>, row: number, count: number, label: number): Verdict {
  let guess = 0;
  for (let k = 1; k < count; k++) if (logits[row * count + k] > logits[row * count + guess]) guess = k;
  const highest = logits[row * count + guess];
  let sum = 0;
  for (let k = 0; k < count; k++) sum += Math.exp(logits[row * count + k] - highest);
  return { row, label, guess, probability: 1 / sum, loss: highest + Math.log(sum) - logits[row * count + label] };
}

function classFigures(name: string, matrix: readonly (readonly number[])[], k: number): ClassFigures {
  const right = matrix[k][k];
  const support = matrix[k].reduce((sum, n) => sum + n, 0);
  const predicted = matrix.reduce((sum, row) => sum + row[k], 0);
  return { name, precision: right / predicted, recall: right / support, f1: (2 * right) / (predicted + support), support };
}

/** The mistakes that cost most, worst first. */
export const worstMistakes = ({ verdicts }: Judgement, count: number): Verdict[] =>
  verdicts
    .filter(({ label, guess }) => label !== guess)
    .sort((a, b) => b.loss - a.loss)
    .slice(0, count);
