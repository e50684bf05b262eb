/** Optimizer: a rule together with the Variables of its state, its learning rate and its step counter. */
import { type DType, newArray, type TypedArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape, sizeOf } from '../core/shape.ts';
import { checkNumber, checkWhole } from '../nn/options.ts';
import { gradients, type Tensor, tensor, Variable, variable, where } from '../tensor/index.ts';
import { type ClipOptions, clipped } from './clip.ts';
import { type Constraints, checkConstraints, checkGroup, constrained, matches, type ParameterGroup, penalized } from './groups.ts';
import { mapNamed, type Named, type Rule, type SlotShapes, type State } from './rule.ts';
import { type Schedule, scheduleAt } from './schedule.ts';
import type { WeightAverage } from './weight-average.ts';

/** Options of every optimizer. */
export interface CommonOptions extends ClipOptions, Constraints {
  readonly learningRate?: number;
  /** How the rate changes with the steps: `optim.cosineDecay({ steps: 5000 })`. A factor on the learning rate. */
  readonly schedule?: Schedule;
  /** Settings of their own for some parameters, e.g. `[{ match: /bias$/, weightDecay: 0 }, { match: 'features.', learningRateFactor: 0.1 }]`. */
  readonly groups?: readonly ParameterGroup[];
  /** Takes a step every n-th time only, with the mean of n gradients: large batches in little memory; default 1. */
  readonly accumulate?: number;
  /** Updated after each step; see weightAverage. */
  readonly average?: WeightAverage;
}
export const commonOptions: readonly string[] = [
  ...['learningRate', 'schedule', 'groups', 'accumulate', 'average'],
  ...['clipNorm', 'clipValue', 'clipParameterNorm', 'l1', 'maxNorm'],
];

type Settings = CommonOptions & { readonly learningRate: number };
type RuleWithDecay = (weightDecay: number) => Rule;

/** An optimizer from the function that makes its rule of its options. */
export const optimizerOf = <O extends CommonOptions>(makeRule: (options: O) => Rule, options: O, learningRate: number): Optimizer =>
  new Optimizer(makeRule(options), { learningRate, ...options }, (weightDecay) => makeRule({ ...options, weightDecay }));

/** What can be trained: a module, or variables by name or in a list. */
export type Trainable = { trainableParameters(): Named<Variable> } | Named<Variable> | readonly Variable[];

/** A value on the host: the slot may be made while a function is being recorded, where a lazy value would become part of the program. */
interface Loaded {
  readonly data: TypedArray;
  readonly shape: Shape;
}

export class Optimizer {
  readonly rule: Rule;
  readonly options: CommonOptions;
  readonly #groups: readonly { readonly group: ParameterGroup; readonly rule: Rule }[];
  #learningRate: number;
  #accumulate: number;
  #average: WeightAverage | undefined;
  readonly #learningRates = new Map<DType, Variable>();
  readonly #step: Variable = variable(0, { dtype: 'int32', trainable: false });
  /** Gradients seen since the last step, while they are accumulated. */
  readonly #waited: Variable = variable(0, { dtype: 'int32', trainable: false });
  readonly #slots: Record<string, Record<string, Variable>> = {};
  /** Values loaded before the slots they belong to exist. */
  readonly #waiting = new Map<string, Loaded>();

  /** The state of an average that was loaded before the average was set. */
  #waitingAverage: Readonly<Record<string, Tensor>> = {};

  /** `ruleWithDecay` makes the rule of groups that have a weight decay of their own. */
  constructor(rule: Rule, options: Settings, ruleWithDecay?: RuleWithDecay) {
    const { clipNorm, clipValue, clipParameterNorm, accumulate = 1, average, groups = [] } = options;
    this.rule = rule;
    this.options = options;
    this.#learningRate = checkNumber(rule.name, 'learningRate', options.learningRate, { low: 0 });
    for (const [name, value] of Object.entries({ clipNorm, clipValue, clipParameterNorm }))
      if (value !== undefined) checkNumber(rule.name, name, value, { low: 0 });
    this.#accumulate = checkWhole(rule.name, 'accumulate', accumulate);
    this.#average = average;
    if (options.schedule !== undefined && typeof options.schedule !== 'function')
      fail('argument', rule.name, 'schedule must be a function of the step', 'Such as optim.cosineDecay({ steps: 1000 }).');
    checkConstraints(rule.name, options);
    this.#groups = groups.map((group) => {
      checkGroup(rule.name, group);
      if (group.weightDecay === undefined) return { group, rule };
      return { group, rule: ruleWithDecay?.(group.weightDecay) ?? fail('argument', rule.name, 'groups of this optimizer have no weightDecay') };
    });
  }

  get learningRate(): number {
    return this.#learningRate;
  }

  /** Takes effect from the next step on; nothing is compiled again. */
  set learningRate(value: number) {
    this.#learningRate = checkNumber(this.rule.name, 'learningRate', value, { low: 0 });
    for (const [dtype, rate] of this.#learningRates) rate.assign(tensor(value, { dtype }));
  }

  /** The rate of the next step: the learning rate times the schedule's factor. Reads the step counter. */
  get currentLearningRate(): number {
    const { schedule } = this.options;
    return schedule ? this.#learningRate * scheduleAt(schedule, this.#step.itemSync()) : this.#learningRate;
  }

  /** Gradients per step; see the option of this name. Can be set before the first step. */
  get accumulate(): number {
    return this.#accumulate;
  }

  set accumulate(value: number) {
    checkWhole(this.rule.name, 'accumulate', value);
    if (value !== this.#accumulate) this.#mustBeNew('accumulate');
    this.#accumulate = value;
  }

  /** The average of the weights that each step updates. Can be set before the first step. */
  get average(): WeightAverage | undefined {
    return this.#average;
  }

  set average(value: WeightAverage | undefined) {
    if (value !== this.#average) this.#mustBeNew('average');
    this.#average = value;
    if (value && Object.keys(this.#waitingAverage).length > 0) value.loadStateDict(this.#waitingAverage);
    this.#waitingAverage = {};
  }

  /** What becomes part of compiled steps cannot change once there may be some. */
  #mustBeNew(name: string): void {
    if (this.#learningRates.size > 0) fail('state', this.rule.name, `${name} cannot change once the optimizer has taken a step`, 'Make a new optimizer.');
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
    const given = mapNamed(parameters, (_, name) => found[name] ?? fail('argument', 'apply', `there is no gradient for ${name}`));
    const slots = this.#slotsFor(parameters);
    const { total, due } = this.#accumulated(given, slots[accumulatedSlot]);
    const before = this.#step.snapshot();
    this.#step.assign(due ? before.add(due.cast('int32')) : before.add(1));
    const clean = clipped(total, this.options);
    for (const { names, rule, constraints, rate, dtype } of this.#parts(parameters)) {
      const part = <T>(tree: Named<T>): Named<T> => Object.fromEntries(names.map((name) => [name, tree[name]]));
      const old = mapNamed(part(parameters), (p) => p.snapshot());
      const own = Object.keys(rule.init({}));
      const state = Object.fromEntries(own.map((slot) => [slot, mapNamed(part(slots[slot]), (v) => v.snapshot())]));
      const taken = before.cast(dtype);
      const base = this.#rateFor(dtype).snapshot();
      const scheduled = this.options.schedule ? base.mul(this.options.schedule(taken).cast(dtype)) : base;
      const updated = rule.update({
        parameters: old,
        gradients: mapNamed(part(clean), (g, name) => penalized(g, old[name], constraints)),
        state,
        learningRate: rate === 1 ? scheduled : scheduled.mul(rate),
        step: taken.add(1),
      });
      const kept = (fresh: Tensor, past: Tensor): Tensor => (due ? where(due, fresh, past) : fresh);
      for (const name of names) {
        parameters[name].assign(kept(constrained(updated.parameters[name], constraints), old[name]));
        for (const slot of own) slots[slot][name].assign(kept(updated.state[slot][name], state[slot][name]));
      }
    }
    this.#average?.update(parameters);
  }

  /** With accumulation: the mean of the last n gradients, and whether this is the n-th. */
  #accumulated(found: Named, sums: Named<Variable> | undefined): { readonly total: Named; readonly due?: Tensor } {
    const accumulate = this.#accumulate;
    if (accumulate === 1 || !sums) return { total: found };
    const waited = this.#waited.snapshot().add(1);
    const due = waited.equal(accumulate);
    this.#waited.assign(where(due, 0, waited));
    const total = mapNamed(found, (g, name) => g.add(sums[name]));
    for (const [name, sum] of Object.entries(total)) sums[name].assign(where(due, 0, sum));
    return { total: mapNamed(total, (sum) => sum.div(accumulate)), due };
  }

  /** Parameters that go through one rule together: those of one group and dtype. */
  #parts(parameters: Named<Variable>): Part[] {
    const parts = new Map<string, Part & { readonly names: string[] }>();
    for (const [name, { dtype }] of Object.entries(parameters)) {
      const index = this.#groups.findIndex(({ group }) => matches(group, name));
      const { group, rule } = this.#groups[index] ?? { group: this.options, rule: this.rule };
      const rate = 'learningRateFactor' in group ? (group.learningRateFactor ?? 1) : 1;
      const part = parts.get(`${index} ${dtype}`) ?? { names: [], rule, rate, dtype, constraints: { ...this.options, ...group } };
      part.names.push(name);
      parts.set(`${index} ${dtype}`, part);
    }
    return [...parts.values()];
  }

  /** The state by name, e.g. `momentum.0.weight`, with `step` and `learningRate`, and `average.0.weight` where there is an average. */
  stateDict(): Readonly<Record<string, Tensor>> {
    const waiting = [...this.#waiting].map(([name, { data, shape }]) => [name, tensor(data, { shape })] as const);
    const slots = Object.entries(this.#slots).flatMap(([slot, named]) => Object.entries(named).map(([name, v]) => [`${slot}.${name}`, v.snapshot()] as const));
    return {
      step: this.#step.snapshot(),
      ...(this.#accumulates && { waited: this.#waited.snapshot() }),
      learningRate: tensor(this.#learningRate, { dtype: 'float64' }),
      ...Object.fromEntries(slots),
      ...Object.fromEntries(waiting),
      ...prefixed(averagePrefix, this.#average?.stateDict() ?? this.#waitingAverage),
    };
  }

  /** Takes over a state saved by an optimizer of the same kind; the slots of parameters not seen yet are kept until the first step. */
  loadStateDict(state: Readonly<Record<string, Tensor>>): void {
    const { step, learningRate, waited, ...rest } = state;
    const [average, slots] = [within(averagePrefix, rest), without(averagePrefix, rest)];
    if (!step || !learningRate) fail('state', 'loadStateDict', 'this is not the state of an optimizer: it has no step or learningRate');
    const allowed = Object.keys(this.#shapes({}));
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
    if (Object.keys(average).length > 0) {
      if (this.#average) this.#average.loadStateDict(average);
      else this.#waitingAverage = average;
    }
    this.#step.assign(step.cast('int32'));
    this.#waited.assign(waited?.cast('int32') ?? 0);
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

  get #accumulates(): boolean {
    return this.#accumulate > 1;
  }

  /** Shapes of the rule's state, and of the sums of gradients. */
  #shapes(parameters: Named<{ readonly shape: Shape }>): SlotShapes {
    const own = this.rule.init(parameters);
    return this.#accumulates ? { ...own, [accumulatedSlot]: mapNamed(parameters, ({ shape }) => shape) } : own;
  }

  /** State variables for the parameters, made when first needed. */
  #slotsFor(parameters: Named<Variable>): State<Variable> {
    for (const [slot, shapes] of Object.entries(this.#shapes(parameters))) {
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

const accumulatedSlot = 'accumulated';
const averagePrefix = 'average.';

const prefixed = <T>(prefix: string, tree: Named<T>): Named<T> => Object.fromEntries(Object.entries(tree).map(([name, value]) => [prefix + name, value]));
const within = <T>(prefix: string, tree: Named<T>): Named<T> =>
  Object.fromEntries(Object.entries(tree).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])));
const without = <T>(prefix: string, tree: Named<T>): Named<T> => Object.fromEntries(Object.entries(tree).filter(([name]) => !name.startsWith(prefix)));

interface Part {
  readonly names: readonly string[];
  readonly rule: Rule;
  readonly rate: number;
  readonly dtype: DType;
  readonly constraints: Constraints;
}

function checkSlot(name: string, value: { readonly shape: Shape }, shape: Shape): void {
  if (!sameShape(value.shape, shape))
    fail('shape', 'loadStateDict', `${name} is ${showShape(value.shape)} but the parameter is ${showShape(shape)}`, 'Was it saved for another model?');
}

export function namedOf(target: Trainable): Named<Variable> {
  if (Array.isArray(target)) return Object.fromEntries(target.map((v: Variable, i) => [String(i), v]));
  if ('trainableParameters' in target && typeof target.trainableParameters === 'function') return target.trainableParameters();
  const named = target as Named<Variable>;
  for (const [name, v] of Object.entries(named)) {
    if (!(v instanceof Variable)) fail('argument', 'minimize', `${name} is not a variable`, 'Pass a model, a list of variables, or variables by name.');
  }
  return named;
}
