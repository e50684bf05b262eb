/** reduceOnPlateau: a lower learning rate when a figure stops improving. It looks at values, so it runs between epochs, not inside the program. */
import { fail } from '../core/errors.ts';
import { checkChoice, checkNumber, checkOptions, checkWhole } from '../nn/options.ts';

export interface PlateauOptions {
  /** The new rate is this times the old; default 0.1. */
  readonly factor?: number;
  /** Observations without improvement that are put up with; default 10. */
  readonly patience?: number;
  /** An improvement is relative and larger than this; default 1e-4. */
  readonly threshold?: number;
  /** Whether small or large figures are good; default 'min'. */
  readonly mode?: 'min' | 'max';
  /** Observations after a reduction that do not count; default 0. */
  readonly cooldown?: number;
  /** The rate does not go below; default 0. */
  readonly minimum?: number;
}

/** What a checkpoint keeps. */
export interface PlateauState {
  readonly best: number | null;
  readonly waited: number;
  readonly cooling: number;
}

export interface Plateau {
  /** Takes a figure (say, the validation loss of an epoch); true when the rate was lowered. */
  observe(value: number): boolean;
  readonly state: PlateauState;
  restore(state: PlateauState): void;
}

/** Watches figures and lowers the optimizer's learning rate: `const plateau = optim.reduceOnPlateau(optimizer, { patience: 3 }); … plateau.observe(loss)`. */
export function reduceOnPlateau(optimizer: { learningRate: number }, options: PlateauOptions = {}): Plateau {
  const name = 'reduceOnPlateau';
  checkOptions(name, options, ['factor', 'patience', 'threshold', 'mode', 'cooldown', 'minimum']);
  const factor = checkNumber(name, 'factor', options.factor ?? 0.1, { low: 0, high: 1, open: true });
  const patience = checkWhole(name, 'patience', options.patience ?? 10, 0);
  const threshold = checkNumber(name, 'threshold', options.threshold ?? 1e-4, { low: 0 });
  const mode = checkChoice(name, 'mode', options.mode ?? 'min', ['min', 'max']);
  const cooldown = checkWhole(name, 'cooldown', options.cooldown ?? 0, 0);
  const minimum = checkNumber(name, 'minimum', options.minimum ?? 0, { low: 0 });
  let state: PlateauState = { best: null, waited: 0, cooling: 0 };
  const better = (value: number, best: number): boolean =>
    mode === 'min' ? value < best - Math.abs(best) * threshold : value > best + Math.abs(best) * threshold;
  return {
    observe(value) {
      if (typeof value !== 'number') fail('argument', name, `expected a number, got ${String(value)}`, 'Read it first: await loss.item().');
      const improved = state.best === null || better(value, state.best);
      const cooling = Math.max(0, state.cooling - 1);
      const waited = improved || state.cooling > 0 ? 0 : state.waited + 1;
      const due = waited > patience;
      state = { best: improved ? value : state.best, waited: due ? 0 : waited, cooling: due ? cooldown : cooling };
      const lower = Math.max(minimum, optimizer.learningRate * factor);
      if (!due || lower === optimizer.learningRate) return false;
      optimizer.learningRate = lower;
      return true;
    },
    get state() {
      return state;
    },
    restore(saved) {
      state = { ...saved };
    },
  };
}
