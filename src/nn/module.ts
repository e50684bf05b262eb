/**
 * Module: the base of every layer and model. It finds parameters, buffers and sub-modules by looking at its own fields,
 * names them by their path (`0.weight`, `conv1.bias`), and passes modes (training, frozen) down the tree.
 */
import type { DType } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape } from '../core/shape.ts';
import { type Tensor, Variable } from '../tensor/index.ts';
import { nextModuleId, noteMode } from './modes.ts';
import { isBuffer } from './parameter.ts';
import { recordCall } from './record.ts';
import { type InputShapes, summarize } from './summary.ts';

/** Variables by name. */
export type NamedVariables = Readonly<Record<string, Variable>>;

/** Values by name, as saved and loaded. */
export type StateDict = Readonly<Record<string, Tensor>>;

interface Entry {
  readonly name: string;
  readonly variable: Variable;
  readonly owner: Module;
}

export abstract class Module {
  readonly #id = nextModuleId();
  #training = true;
  #frozen = false;

  /** Computes the output. Call `apply`, which also keeps the books. */
  abstract forward(...inputs: never[]): unknown;

  /** Runs the module on its inputs. */
  apply(...inputs: Parameters<this['forward']>): ReturnType<this['forward']> {
    const output = (this.forward as (...inputs: readonly unknown[]) => unknown).apply(this, inputs);
    recordCall(this, inputs, output);
    return output as ReturnType<this['forward']>;
  }

  /** What summaries and errors call it. */
  get kind(): string {
    return this.constructor.name;
  }

  /** The fields that may hold variables and modules, with the names they get in paths. */
  members(): Iterable<readonly [string, unknown]> {
    return Object.entries(this);
  }

  /** Multiply-adds of this module's own arithmetic for one example; those of the modules it holds are counted by themselves. */
  multiplyAdds(_input: Shape, _output: Shape): number {
    return 0;
  }

  /** False while some parameters wait for the first call to learn their shape. */
  get built(): boolean {
    return true;
  }

  /** Makes parameters that wait for the first call from the shapes found in a saved state (names relative to this module). */
  buildFrom(_shapeOf: (name: string) => Shape | undefined): void {}

  /** True between train() and eval(); new modules start in training mode. */
  get training(): boolean {
    return this.#training;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Switches this module and all within to training mode: dropout drops, batch normalisation uses the batch. */
  train(mode = true): this {
    for (const { module } of this.#modules()) module.setTraining(mode);
    return this;
  }

  /** Switches to evaluation mode. */
  eval(): this {
    return this.train(false);
  }

  /** Keeps the parameters of this module and all within out of training. */
  freeze(): this {
    for (const { module } of this.#modules()) module.#setModes(module.#training, true);
    return this;
  }

  unfreeze(): this {
    for (const { module } of this.#modules()) module.#setModes(module.#training, false);
    return this;
  }

  /** This module and all within, each once, with their paths; outer ones first. */
  modules(): readonly { readonly name: string; readonly module: Module }[] {
    return this.#modules();
  }

  /** All parameters, frozen ones too, each once. */
  parameters(): readonly Variable[] {
    return Object.values(this.namedParameters());
  }

  /** Parameters by path, e.g. `0.weight`. */
  namedParameters(): NamedVariables {
    return named(this.#entries('namedParameters').filter((entry) => !isBuffer(entry.variable)));
  }

  /** The parameters that an optimizer may change: trainable ones of modules that are not frozen. */
  trainableParameters(): NamedVariables {
    return named(this.#entries('trainableParameters').filter((entry) => !isBuffer(entry.variable) && entry.variable.trainable && !entry.owner.frozen));
  }

  /** Variables that training updates but no gradient does, such as running statistics. */
  namedBuffers(): NamedVariables {
    return named(this.#entries('namedBuffers').filter((entry) => isBuffer(entry.variable)));
  }

  /** Parameters and buffers by path: the live variables. */
  namedVariables(): NamedVariables {
    return named(this.#entries('namedVariables'));
  }

  /** The present values of parameters and buffers by path; later training does not change them. */
  stateDict(): StateDict {
    return Object.fromEntries(this.#entries('stateDict').map(({ name, variable }) => [name, variable.snapshot()]));
  }

  /**
   * Takes over values by path. Layers that have not been called yet get their sizes from the state. Nothing is changed when something does not fit.
   * `strict` (default): every name must be there on both sides; otherwise the names found on one side only are returned.
   */
  loadStateDict(state: StateDict, { strict = true }: { strict?: boolean } = {}): { missing: string[]; unexpected: string[] } {
    for (const { name, module } of this.#modules()) if (!module.built) module.buildFrom((field) => state[joined(name, field)]?.shape);
    const known = named(this.#modules().flatMap(({ name, module }) => ownEntries(module, name)));
    const missing = Object.keys(known).filter((name) => !(name in state));
    for (const { name, module } of this.#modules()) if (!module.built) missing.push(joined(name, '…'));
    const unexpected = Object.keys(state).filter((name) => !(name in known));
    if (strict && missing.length > 0) fail('state', 'loadStateDict', `the state lacks ${listed(missing)}`, onlySome(unexpected));
    if (strict && unexpected.length > 0) fail('state', 'loadStateDict', `the model has no ${listed(unexpected)}`, 'Pass { strict: false } to load what fits.');
    const pairs = Object.entries(known).flatMap(([name, variable]) => (name in state ? [{ name, variable, value: state[name] }] : []));
    for (const { name, variable, value } of pairs) {
      if (sameShape(variable.shape, value.shape)) continue;
      fail(
        'shape',
        'loadStateDict',
        `${name} is ${showShape(value.shape)} in the state but ${showShape(variable.shape)} in the model`,
        'Was it saved from another model?',
      );
    }
    for (const { variable, value } of pairs) variable.assign(value.cast(variable.dtype));
    return { missing, unexpected };
  }

  /** A table of layers, output shapes, parameters and multiply-adds for one example of `inputShape` (without the batch). Computes nothing. */
  summary(inputShape: InputShapes, { dtype = 'float32' }: { dtype?: DType } = {}): string {
    return summarize(this, inputShape, dtype);
  }

  /** Sets the mode of this module alone; train() and eval() go down the tree. */
  setTraining(mode: boolean): void {
    this.#setModes(mode, this.#frozen);
  }

  #setModes(training: boolean, frozen: boolean): void {
    noteMode(this.#id, modeNumber(this.#training, this.#frozen), modeNumber(training, frozen));
    this.#training = training;
    this.#frozen = frozen;
  }

  #modules(name = '', seen = new Set<Module>()): { readonly name: string; readonly module: Module }[] {
    if (seen.has(this)) return [];
    seen.add(this);
    const inner = [...this.members()].flatMap(([field, value]) =>
      held(value, joined(name, field)).flatMap((item) => (item.value instanceof Module ? item.value.#modules(item.name, seen) : [])),
    );
    return [{ name, module: this }, ...inner];
  }

  #entries(operation: string): Entry[] {
    const modules = this.#modules();
    const waiting = modules.find(({ module }) => !module.built);
    if (waiting) {
      const which = waiting.name === '' ? waiting.module.kind : `layer ${waiting.name} (${waiting.module.kind})`;
      fail(
        'state',
        operation,
        `${which} has no parameters yet: it learns its input size at the first call`,
        'Call the model once, or model.summary(inputShape), before this.',
      );
    }
    return modules.flatMap(({ name, module }) => ownEntries(module, name));
  }
}

const modeNumber = (training: boolean, frozen: boolean): number => (training ? 0 : 1) + (frozen ? 2 : 0);

const joined = (path: string, field: string): string => (path === '' ? field : `${path}.${field}`);

/** The variables in a module's own fields. */
function ownEntries(module: Module, name: string): Entry[] {
  return [...module.members()].flatMap(([field, value]) =>
    held(value, joined(name, field)).flatMap((item) => (item.value instanceof Variable ? [{ name: item.name, variable: item.value, owner: module }] : [])),
  );
}

/** Modules and variables in a field: the value itself, or those in arrays and plain records of them. */
function held(value: unknown, name: string): { readonly name: string; readonly value: Module | Variable }[] {
  if (value instanceof Module || value instanceof Variable) return [{ name, value }];
  if (Array.isArray(value)) return value.flatMap((item, i) => held(item, joined(name, String(i))));
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.entries(value).flatMap(([key, item]) => held(item, joined(name, key)));
  }
  return [];
}

/** By name; a variable held in two places keeps its first name. */
function named(entries: readonly Entry[]): NamedVariables {
  const seen = new Set<Variable>();
  const result: Record<string, Variable> = {};
  for (const { name, variable } of entries) {
    if (seen.has(variable)) continue;
    seen.add(variable);
    result[name] = variable;
  }
  return result;
}

const listed = (names: readonly string[]): string => (names.length > 4 ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more` : names.join(', '));

const onlySome = (unexpected: readonly string[]): string =>
  unexpected.length > 0 ? `It has ${listed(unexpected)} instead: was it saved from another model?` : 'Pass { strict: false } to load what is there.';
