/** Optimizer: a rule together with the Variables of its state, its learning rate and its step counter. */
import { type DType, newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape, sizeOf } from '../core/shape.ts';
import { checkNumber } from '../nn/options.ts';
import { gradients, type Tensor, tensor, Variable, variable } from '../tensor/index.ts';
import { type ClipOptions, clipped } from './clip.ts';
import { mapNamed, type Named, type Rule, type State } from './rule.ts';

/** Options of every optimizer. */
export interface CommonOptions extends ClipOptions {
  readonly learningRate?: number;
}
export const commonOptions: readonly string[] = ['learningRate', 'clipNorm', 'clipValue'];

/** What can be trained: a module, or variables by name or in a list. */
export type Trainable = { trainableParameters(): Named<Variable> } | Named<Variable> | readonly Variable[];

/** A value on the host: the slot may be made while a function is being recorded, where a lazy value would become part of the program. */
interface Loaded {
  readonly data: TypedArray;
  readonly shape: Shape;
}

export class Optimizer {
  readonly rule: Rule;
  readonly clip: ClipOptions;
  #learningRate: number;
  readonly #learningRates = new Map<DType, Variable>();
  readonly #step: Variable = variable(0, { dtype: 'int32', trainable: false });
  readonly #slots: Record<string, Record<string, Variable>> = {};
  /** Values loaded before the slots they belong to exist. */
  readonly #waiting = new Map<string, Loaded>();

  constructor(rule: Rule, { learningRate, clipNorm, clipValue }: ClipOptions & { readonly learningRate: number }) {
    this.rule = rule;
    this.#learningRate = checkNumber(rule.name, 'learningRate', learningRate, { low: 0 });
    this.clip = {
      ...(clipNorm === undefined ? {} : { clipNorm: checkNumber(rule.name, 'clipNorm', clipNorm, { low: 0 }) }),
      ...(clipValue === undefined ? {} : { clipValue: checkNumber(rule.name, 'clipValue', clipValue, { low: 0 }) }),
    };
  }

  get learningRate(): number {
    return this.#learningRate;
  }

  /** Takes effect from the next step on; nothing is compiled again. */
  set learningRate(value: number) {
    this.#learningRate = checkNumber(this.rule.name, 'learningRate', value, { low: 0 });
    for (const [dtype, rate] of this.#learningRates) rate.assign(tensor(value, { dtype }));
  }

  /** The number of steps taken; int32 scalar. */
  get step(): Variable {
    return this.#step;
  }

  /**
   * One step towards a smaller loss: gradients, clipping, update in place. Inside compile() it is part of the program; outside, the new values
   * are computed when something next is read. `loss` is a scalar; parameters that it does not depend on count as having gradient 0, but some must matter.
   */
  minimize(loss: Tensor, target: Trainable): void {
    const parameters = namedOf(target);
    const names = Object.keys(parameters);
    if (names.length === 0) fail('argument', 'minimize', 'there is nothing to train', 'Is everything frozen, or has the model no parameters?');
    if (loss.rank !== 0) fail('shape', 'minimize', `the loss must be a scalar, got ${showShape(loss.shape)}`, 'Use mean() or sum().');
    const found = gradients(loss, Object.values(parameters));
    this.apply(Object.fromEntries(names.map((name, i) => [name, found[i]])), parameters);
  }

  /** One step with gradients that were computed elsewhere, by name. */
  apply(found: Named, target: Trainable): void {
    const parameters = namedOf(target);
    const clean = clipped(
      mapNamed(parameters, (_, name) => found[name] ?? fail('argument', 'apply', `there is no gradient for ${name}`)),
      this.clip,
    );
    const slots = this.#slotsFor(parameters);
    const count = this.#step.snapshot().add(1);
    this.#step.assign(count);
    for (const [dtype, group] of byDType(parameters)) {
      const part = <T>(tree: Named<T>): Named<T> => Object.fromEntries(Object.keys(group).map((name) => [name, tree[name]]));
      const given = {
        parameters: mapNamed(group, (p) => p.snapshot()),
        gradients: part(clean),
        state: mapNamed(slots, (slot) => mapNamed(part(slot), (v) => v.snapshot())),
        learningRate: this.#rateFor(dtype).snapshot(),
        step: count.cast(dtype),
      };
      const updated = this.rule.update(given);
      for (const name of Object.keys(group)) {
        group[name].assign(updated.parameters[name]);
        for (const slot of Object.keys(slots)) slots[slot][name].assign(updated.state[slot][name]);
      }
    }
  }

  /** The state by name, e.g. `momentum.0.weight`, with `step` and `learningRate`. */
  stateDict(): Readonly<Record<string, Tensor>> {
    const waiting = [...this.#waiting].map(([name, { data, shape }]) => [name, tensor(data, { shape })] as const);
    const slots = Object.entries(this.#slots).flatMap(([slot, named]) => Object.entries(named).map(([name, v]) => [`${slot}.${name}`, v.snapshot()] as const));
    return {
      step: this.#step.snapshot(),
      learningRate: tensor(this.#learningRate, { dtype: 'float64' }),
      ...Object.fromEntries(slots),
      ...Object.fromEntries(waiting),
    };
  }

  /** Takes over a state saved by an optimizer of the same kind; the slots of parameters not seen yet are kept until the first step. */
  loadStateDict(state: Readonly<Record<string, Tensor>>): void {
    const { step, learningRate, ...slots } = state;
    if (!step || !learningRate) fail('state', 'loadStateDict', 'this is not the state of an optimizer: it has no step or learningRate');
    const allowed = Object.keys(this.rule.init({}));
    for (const name of Object.keys(slots)) {
      if (allowed.some((slot) => name.startsWith(`${slot}.`))) continue;
      fail(
        'state',
        'loadStateDict',
        `${this.rule.name} has no ${name}; its state is ${allowed.join(', ') || 'empty'}`,
        'Was it saved by another optimizer, or with other options?',
      );
    }
    for (const [slot, named] of Object.entries(this.#slots)) {
      for (const [name, v] of Object.entries(named)) {
        const value = slots[`${slot}.${name}`] ?? fail('state', 'loadStateDict', `the state lacks ${slot}.${name}`);
        checkSlot(`${slot}.${name}`, value, v.shape);
      }
    }
    this.#step.assign(step.cast('int32'));
    this.learningRate = learningRate.itemSync();
    this.#waiting.clear();
    for (const [name, value] of Object.entries(slots)) {
      const dot = name.indexOf('.');
      const known = this.#slots[name.slice(0, dot)]?.[name.slice(dot + 1)];
      if (known) known.assign(value.cast(known.dtype));
      else this.#waiting.set(name, { data: value.dataSync(), shape: value.shape });
    }
  }

  /** The learning rate as a variable of the parameters' dtype, so that float64 models keep all its digits. */
  #rateFor(dtype: DType): Variable {
    const known = this.#learningRates.get(dtype);
    if (known) return known;
    const made = variable(this.#learningRate, { dtype, trainable: false });
    this.#learningRates.set(dtype, made);
    return made;
  }

  /** State variables for the parameters, made when first needed. */
  #slotsFor(parameters: Named<Variable>): State<Variable> {
    for (const [slot, shapes] of Object.entries(this.rule.init(parameters))) {
      this.#slots[slot] ??= {};
      const named = this.#slots[slot];
      for (const [name, shape] of Object.entries(shapes)) named[name] ??= this.#newSlot(`${slot}.${name}`, shape, parameters[name].dtype);
    }
    return this.#slots;
  }

  #newSlot(name: string, shape: Shape, dtype: DType): Variable {
    const loaded = this.#waiting.get(name);
    if (loaded) checkSlot(name, loaded, shape);
    this.#waiting.delete(name);
    return variable(loaded?.data ?? newArray(dtype, sizeOf(shape)), { shape, dtype, trainable: false });
  }
}

function checkSlot(name: string, value: { readonly shape: Shape }, shape: Shape): void {
  if (!sameShape(value.shape, shape))
    fail('shape', 'loadStateDict', `${name} is ${showShape(value.shape)} but the parameter is ${showShape(shape)}`, 'Was it saved for another model?');
}

function namedOf(target: Trainable): Named<Variable> {
  if (Array.isArray(target)) return Object.fromEntries(target.map((v: Variable, i) => [String(i), v]));
  if ('trainableParameters' in target && typeof target.trainableParameters === 'function') return target.trainableParameters();
  const named = target as Named<Variable>;
  for (const [name, v] of Object.entries(named)) {
    if (!(v instanceof Variable)) fail('argument', 'minimize', `${name} is not a variable`, 'Pass a model, a list of variables, or variables by name.');
  }
  return named;
}

/** Parameters of one dtype share the step's scalars. */
function byDType(parameters: Named<Variable>): Map<DType, Record<string, Variable>> {
  const groups = new Map<DType, Record<string, Variable>>();
  for (const [name, v] of Object.entries(parameters)) {
    const group = groups.get(v.dtype) ?? {};
    group[name] = v;
    groups.set(v.dtype, group);
  }
  return groups;
}
