/**
 * lbfgsMinimize: L-BFGS with a line search, for whole-batch losses and small problems. Each iteration takes the direction −H g of the last pairs of steps and
 * changes of gradient (Nocedal & Wright, algorithm 7.4) and a step length that fulfils the strong Wolfe conditions (algorithms 3.5 and 3.6):
 *   f(x + t d) ≤ f(x) + c₁ t g·d   and   |g(x + t d)·d| ≤ c₂ |g·d|,   c₁ = 1e-4, c₂ = 0.9
 * The loss and its gradient are one compiled program; the vectors are combined on the host in float64.
 */
import { isFloating } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { checkNumber, checkOptions, checkWhole } from '../nn/options.ts';
import { compile, concat, gradients, type Tensor, tensor, type Variable } from '../tensor/index.ts';
import { namedOf, type Trainable } from './optimizer.ts';

export interface LbfgsMinimizeOptions {
  /** Default 100. */
  readonly maxIterations?: number;
  /** Pairs that are kept; default 10. */
  readonly history?: number;
  /** Ends when no entry of the gradient is larger; default 1e-7. */
  readonly gradientTolerance?: number;
  /** Ends when an iteration lowers the loss by less than this share of it; default 1e-12. */
  readonly lossTolerance?: number;
}

export interface LbfgsResult {
  readonly loss: number;
  readonly iterations: number;
  /** How often the loss and its gradient were computed. */
  readonly evaluations: number;
  /** Why it ended: the gradient or the loss no longer changes, the iterations are used up, or no step lowers the loss any more. */
  readonly reason: 'gradient' | 'loss' | 'iterations' | 'line search';
}

/** A point on the line x + t d: the loss there, its slope along d, its gradient. */
interface Probe {
  readonly t: number;
  readonly loss: number;
  readonly slope: number;
  readonly gradient: Vector;
}

type Vector = Float64Array<ArrayBuffer>;
const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, i) => sum + value * b[i], 0);
const along = (x: Vector, t: number, d: Vector): Vector => x.map((value, i) => value + t * d[i]);

const [sufficientDecrease, curvature] = [1e-4, 0.9];
const searchSteps = 25;

/**
 * Minimises `loss` over the parameters of a model, or over variables, which hold the result afterwards:
 * `await optim.lbfgsMinimize(() => nn.crossEntropy(model.apply(x), y), model)`. `loss` must be the same function at every call: no dropout, no sampling.
 */
export async function lbfgsMinimize(loss: () => Tensor, target: Trainable, options: LbfgsMinimizeOptions = {}): Promise<LbfgsResult> {
  const name = 'lbfgsMinimize';
  checkOptions(name, options, ['maxIterations', 'history', 'gradientTolerance', 'lossTolerance']);
  const maxIterations = checkWhole(name, 'maxIterations', options.maxIterations ?? 100, 0);
  const history = checkWhole(name, 'history', options.history ?? 10);
  const gradientTolerance = checkNumber(name, 'gradientTolerance', options.gradientTolerance ?? 1e-7, { low: 0 });
  const lossTolerance = checkNumber(name, 'lossTolerance', options.lossTolerance ?? 1e-12, { low: 0 });
  const { start, evaluate } = await problemOf(name, loss, Object.values(namedOf(target)));
  let evaluations = 0;
  const at = async (x: Vector): Promise<{ readonly loss: number; readonly gradient: Vector }> => {
    evaluations++;
    return evaluate(x);
  };
  let x = start;
  let now = await at(x);
  if (!Number.isFinite(now.loss)) fail('numeric', name, `the loss is ${now.loss} at the start`, 'Begin with other values.');
  const pairs: Pair[] = [];
  /** The last point that was looked at need not be the best: the variables get that. */
  const ended = async (reason: LbfgsResult['reason'], iterations: number): Promise<LbfgsResult> => {
    const { loss: lowest } = await at(x);
    return { loss: lowest, iterations, evaluations, reason };
  };
  for (let iteration = 0; ; iteration++) {
    if (now.gradient.every((g) => Math.abs(g) <= gradientTolerance)) return ended('gradient', iteration);
    if (iteration === maxIterations) return ended('iterations', iteration);
    const d = directionOf(now.gradient, pairs);
    const from: Probe = { t: 0, loss: now.loss, slope: dot(now.gradient, d), gradient: now.gradient };
    const probe = async (t: number): Promise<Probe> => {
      const there = await at(along(x, t, d));
      return { t, ...there, slope: dot(there.gradient, d) };
    };
    const first = pairs.length === 0 ? Math.min(1, 1 / now.gradient.reduce((sum, g) => sum + Math.abs(g), 0)) : 1;
    const found = await wolfeSearch(from, first, probe);
    if (found === undefined) return ended('line search', iteration);
    const step = d.map((value) => found.t * value);
    const change = found.gradient.map((g, i) => g - from.gradient[i]);
    const product = dot(change, step);
    if (product > 1e-10 * dot(change, change)) pairs.push({ step, change, product });
    if (pairs.length > history) pairs.shift();
    x = along(x, found.t, d);
    now = found;
    if (from.loss - found.loss <= lossTolerance * Math.abs(from.loss)) return ended('loss', iteration + 1);
  }
}

/** The loss and its gradient as a function of all parameters in one vector; evaluating leaves the variables there. */
async function problemOf(
  name: string,
  loss: () => Tensor,
  variables: readonly Variable[],
): Promise<{ readonly start: Vector; evaluate(x: Vector): Promise<{ readonly loss: number; readonly gradient: Vector }> }> {
  if (variables.length === 0) fail('argument', name, 'there is nothing to train', 'Is everything frozen, or has the model no parameters?');
  const program = compile((): Tensor => {
    const value = loss();
    if (value.rank !== 0 || !isFloating(value.dtype)) fail('shape', name, `the loss must be a scalar, got ${showShape(value.shape)}`, 'Use mean() or sum().');
    const found: readonly Tensor[] = gradients(value, variables as Variable[]);
    return concat([value, ...found].map((part) => part.cast(value.dtype).reshape([part.size])));
  });
  const parts: Vector[] = [];
  for (const variable of variables) parts.push(Float64Array.from(await variable.data()));
  const start = Float64Array.from(parts.flatMap((part) => [...part]));
  return {
    start,
    async evaluate(x) {
      let from = 0;
      for (const variable of variables) {
        variable.assign(tensor(x.slice(from, from + variable.size), { shape: variable.shape, dtype: 'float64' }).cast(variable.dtype));
        from += variable.size;
      }
      const values = Float64Array.from(await program().data());
      return { loss: values[0], gradient: values.slice(1) };
    },
  };
}

interface Pair {
  readonly step: Vector;
  readonly change: Vector;
  /** change · step > 0. */
  readonly product: number;
}

/** −H g by the two-loop recursion. */
function directionOf(gradient: Vector, pairs: readonly Pair[]): Vector {
  let q = gradient.map((g) => -g);
  const alphas: number[] = [];
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, product } = pairs[i];
    alphas[i] = dot(step, q) / product;
    q = along(q, -alphas[i], change);
  }
  const newest = pairs.at(-1);
  if (newest) q = q.map((value) => (value * newest.product) / dot(newest.change, newest.change));
  pairs.forEach(({ step, change, product }, i) => {
    q = along(q, alphas[i] - dot(change, q) / product, step);
  });
  return q;
}

/** Algorithm 3.5: longer and longer steps until an interval holds a good one. Undefined when there is none. */
async function wolfeSearch(from: Probe, first: number, probe: (t: number) => Promise<Probe>): Promise<Probe | undefined> {
  if (!(from.slope < 0)) return undefined;
  let [before, t] = [from, first];
  for (let i = 0; i < searchSteps; i++) {
    const now = await probe(t);
    if (!(now.loss <= from.loss + sufficientDecrease * t * from.slope) || (i > 0 && now.loss >= before.loss)) return zoom(from, before, now, probe);
    if (Math.abs(now.slope) <= -curvature * from.slope) return now;
    if (now.slope >= 0) return zoom(from, now, before, probe);
    [before, t] = [now, 2 * t];
  }
  return undefined;
}

/** Algorithm 3.6: `low` is the better end of an interval that holds good steps. */
async function zoom(from: Probe, best: Probe, other: Probe, probe: (t: number) => Promise<Probe>): Promise<Probe | undefined> {
  let [low, high] = [best, other];
  for (let i = 0; i < searchSteps; i++) {
    const now = await probe(between(low, high));
    if (!(now.loss <= from.loss + sufficientDecrease * now.t * from.slope) || now.loss >= low.loss) high = now;
    else {
      if (Math.abs(now.slope) <= -curvature * from.slope) return now;
      if (now.slope * (high.t - low.t) >= 0) high = low;
      low = now;
    }
  }
  return low.t > 0 && low.loss < from.loss ? low : undefined;
}

/** The minimum of the cubic through both ends (Nocedal & Wright, equation 3.59), kept off the ends; their middle where there is none. */
function between(a: Probe, b: Probe): number {
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t);
  const d2 = Math.sign(b.t - a.t) * Math.sqrt(d1 * d1 - a.slope * b.slope);
  const t = b.t - ((b.t - a.t) * (b.slope + d2 - d1)) / (b.slope - a.slope + 2 * d2);
  const [low, high] = [Math.min(a.t, b.t), Math.max(a.t, b.t)];
  const margin = 0.1 * (high - low);
  return Number.isFinite(t) ? Math.max(low + margin, Math.min(high - margin, t)) : (low + high) / 2;
}
