/**
 * L-BFGS: a quasi-Newton step from the last m changes of parameters and gradient (Nocedal 1980; Nocedal & Wright, algorithm 7.4), without line search.
 *   yₖ = g − g′, sₖ = the last step; kept when yₖ·sₖ > 1e-10
 *   d = −H g by the two-loop recursion, H₀ = s·y / y·y of the newest pair
 *   p ← p + t d,  t = learningRate, in the first step learningRate · min(1, 1 / ‖g‖₁)
 * For whole-batch losses: every step must see the same function.
 */
import type { Shape } from '../core/shape.ts';
import { checkOptions, checkWhole } from '../nn/options.ts';
import { type Tensor, where } from '../tensor/index.ts';
import { type CommonOptions, commonOptions, type Optimizer, optimizerOf } from './optimizer.ts';
import { mapNamed, type Named, type Rule } from './rule.ts';

export interface LbfgsOptions extends CommonOptions {
  /** Pairs that are kept (m); default 10. */
  readonly history?: number;
}

/** Σ a b over all parameters; scalar. */
const dot = (a: Named, b: Named): Tensor =>
  Object.keys(a)
    .map((name) => a[name].mul(b[name]).sum())
    .reduce((x, y) => x.add(y));

const row = (stack: Tensor, i: number): Tensor => stack.slice([i], [1]).reshape(stack.shape.slice(1));

/** The rule alone. State: the pairs, oldest first, [m, …shape], zeros where there is none yet; the last gradient; the last step. */
export function lbfgsRule({ history = 10 }: LbfgsOptions = {}): Rule {
  checkWhole('lbfgs', 'history', history);
  const shapes = (parameters: Named<{ readonly shape: Shape }>, stacked: boolean): Named<Shape> =>
    mapNamed(parameters, ({ shape }) => (stacked ? [history, ...shape] : shape));
  return {
    name: 'lbfgs',
    init: (parameters) => ({
      steps: shapes(parameters, true),
      changes: shapes(parameters, true),
      lastGradient: shapes(parameters, false),
      lastStep: shapes(parameters, false),
    }),
    update: ({ parameters, gradients, state, learningRate, step }) => {
      const change = mapNamed(gradients, (g, name) => g.sub(state.lastGradient[name]));
      const useful = dot(change, state.lastStep).greater(1e-10); // false in the first step, whose last step is zero
      const push = (stack: Tensor, newest: Tensor): Tensor => where(useful, stack.slice([1]).concat(newest.expandDims(0), 0), stack);
      const changes = mapNamed(change, (value, name) => push(state.changes[name], value));
      const steps = mapNamed(state.lastStep, (value, name) => push(state.steps[name], value));
      const pairs = Array.from({ length: history }, (_, i) => {
        const [y, s] = [mapNamed(changes, (stack) => row(stack, i)), mapNamed(steps, (stack) => row(stack, i))];
        const ys = dot(y, s);
        const there = ys.greater(0);
        return { y, s, ys, there, inverse: where(there, where(there, ys, 1).reciprocal(), 0) };
      });
      const newest = pairs[history - 1];
      const scale = where(newest.there, newest.ys.div(where(newest.there, dot(newest.y, newest.y), 1)), 1);
      let q: Named = mapNamed(gradients, (g) => g.neg());
      const alphas: Tensor[] = [];
      for (let i = history - 1; i >= 0; i--) {
        const { y, s, inverse } = pairs[i];
        alphas[i] = dot(s, q).mul(inverse);
        q = mapNamed(q, (value, name) => value.sub(y[name].mul(alphas[i])));
      }
      let direction: Named = mapNamed(q, (value) => value.mul(scale));
      for (let i = 0; i < history; i++) {
        const { y, s, inverse } = pairs[i];
        const beta = dot(y, direction).mul(inverse);
        direction = mapNamed(direction, (value, name) => value.add(s[name].mul(alphas[i].sub(beta))));
      }
      const size = Object.values(gradients)
        .map((g) => g.abs().sum())
        .reduce((a, b) => a.add(b));
      const t = where(step.equal(1), size.reciprocal().minimum(1), 1).mul(learningRate);
      const lastStep = mapNamed(direction, (value) => value.mul(t));
      return { parameters: mapNamed(parameters, (p, name) => p.add(lastStep[name])), state: { steps, changes, lastGradient: gradients, lastStep } };
    },
  };
}

/** L-BFGS, by default with learning rate 1. */
export function lbfgs(options: LbfgsOptions = {}): Optimizer {
  checkOptions('lbfgs', options, [...commonOptions.filter((name) => name !== 'groups'), 'history']); // one curvature for all parameters
  return optimizerOf(lbfgsRule, options, 1);
}
