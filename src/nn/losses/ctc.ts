/**
 * ctc: connectionist temporal classification, labels without alignment (Graves et al. 2006, section 4.1), by the forward recursion in logarithms.
 * Letters: N batch, T steps, K classes (blank included), L labels, S = 2 L + 1 states: blank, label, blank, label, …, blank.
 */
import { isFloating } from '../../core/dtype.ts';
import { fail, showShape } from '../../core/errors.ts';
import { sameShape } from '../../core/shape.ts';
import { arange, concat, full, scan, stack, type Tensor, where } from '../../tensor/index.ts';
import { checkOptions, checkWhole } from '../options.ts';
import { type LossOptions, lossOptions, reduced } from './reduction.ts';

export interface CtcOptions extends LossOptions {
  /** Class that stands for "no label"; default 0. */
  readonly blank?: number;
  /** Steps that count, per example [N]; default all. */
  readonly inputLengths?: Tensor;
  /** Labels that count, per example [N]; default all. */
  readonly labelLengths?: Tensor;
  /** Gives examples whose labels do not fit into their steps loss 0 instead of infinity; default false. */
  readonly zeroInfinity?: boolean;
}

/** Stands for log 0; finite, so that differences and gradients of it are. */
const never = -1e30;

/** −log p(labels | logits): logits [N, T, K], integer labels [N, L] in 0 … K − 1 without the blank. The mean is over examples, not over labels. */
export function ctc(logits: Tensor, labels: Tensor, options: CtcOptions = {}): Tensor {
  checkOptions('ctc', options, [...lossOptions, 'blank', 'inputLengths', 'labelLengths', 'zeroInfinity']);
  const blank = checkWhole('ctc', 'blank', options.blank ?? 0, 0);
  if (logits.rank !== 3 || labels.rank !== 2 || logits.shape[0] !== labels.shape[0])
    fail('shape', 'ctc', `expected logits [N, T, K] and labels [N, L], got ${showShape(logits.shape)} and ${showShape(labels.shape)}`);
  if (isFloating(labels.dtype)) fail('dtype', 'ctc', `labels must be integers, got ${labels.dtype}`, "Cast them to 'int32'.");
  const [batch, steps, classes] = logits.shape;
  const count = labels.shape[1];
  if (blank >= classes) fail('argument', 'ctc', `the blank ${blank} is out of range: there are ${classes} classes`);
  const lengths = (given: Tensor | undefined, whole: number, name: string): Tensor => {
    if (given && !sameShape(given.shape, [batch])) fail('shape', 'ctc', `${name} must be [${batch}], got ${showShape(given.shape)}`);
    return given?.cast('int32') ?? full([batch], whole, { dtype: 'int32' });
  };
  const inputLengths = lengths(options.inputLengths, steps, 'inputLengths');
  const labelLengths = lengths(options.labelLengths, count, 'labelLengths');

  const states = withBlanks(labels.cast('int32'), blank); // [N, S]
  const size = 2 * count + 1;
  const isState = states.expandDims(2).equal(arange(classes)); // [N, S, K]
  const emissions = where(isState.expandDims(0), logits.logSoftmax().transpose([1, 0, 2]).expandDims(2), 0).sum({ axis: -1 }); // [T, N, S]
  const dtype = logits.dtype;
  const fill = (width: number): Tensor => full([batch, width], never, { dtype });
  // A label may follow the one two states before unless both are the same.
  const skip = count === 0 ? undefined : concat([full([batch, Math.min(2, size)], 0, { dtype: 'bool' }), differs(states, blank)], 1);
  const shifted = (alpha: Tensor, by: number): Tensor => (by >= size ? fill(size) : concat([fill(by), alpha.slice([0, 0], [batch, size - by])], 1));
  const first = where(arange(size).less(2), emissions.slice([0], [1]).squeeze(0), never);
  const counts = arange(steps).expandDims(1).less(inputLengths); // [T, N]
  const step = (alpha: Tensor, [emission, counted]: readonly Tensor[]): readonly [Tensor, undefined] => {
    const ways = [alpha, shifted(alpha, 1), ...(skip ? [where(skip, shifted(alpha, 2), never)] : [])];
    const next = logAddExp(ways).add(emission).maximum(never);
    return [where(counted.expandDims(1), next, alpha), undefined];
  };
  const later = (x: Tensor): Tensor => x.slice([1]);
  const [last] = steps > 1 ? scan(step, first, [later(emissions), later(counts)] as readonly Tensor[] as never) : [first];
  // The last blank or the last label ends the sequence.
  const end = labelLengths.mul(2).expandDims(1); // [N, 1]
  const place = arange(size);
  const ends = place.equal(end).logicalOr(place.equal(end.sub(1)));
  const losses = where(ends, last, never).logSumExp({ axis: 1 }).neg(); // [N]
  const possible = losses.less(-never / 2);
  return reduced('ctc', where(possible, losses, options.zeroInfinity ? 0 : Number.POSITIVE_INFINITY), options);
}

/** [N, L] → [N, 2 L + 1] with blanks between and around. */
function withBlanks(labels: Tensor, blank: number): Tensor {
  const [batch, count] = labels.shape;
  const blanks = full([batch, count], blank, { dtype: 'int32' });
  return concat([stack([blanks, labels], 2).reshape([batch, 2 * count]), full([batch, 1], blank, { dtype: 'int32' })], 1);
}

/** For states 2 … S − 1: true for a label that differs from the one two states before. */
function differs(states: Tensor, blank: number): Tensor {
  const [batch, size] = states.shape;
  const [late, early] = [states.slice([0, 2]), states.slice([0, 0], [batch, size - 2])];
  return late.notEqual(blank).logicalAnd(late.notEqual(early));
}

/** log Σ eˣ over several tensors, elementwise. */
function logAddExp(terms: readonly Tensor[]): Tensor {
  const peak = terms.reduce((a, b) => a.maximum(b)).stopGradient();
  return terms
    .map((term) => term.sub(peak).exp())
    .reduce((a, b) => a.add(b))
    .log()
    .add(peak);
}
