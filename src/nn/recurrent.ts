/**
 * recurrent: what rnn, lstm and gru share: layers on top of each other, two directions, masks, states that go on from call to call.
 * Letters: N batch, T steps, F features, H units.
 */

import { newArray } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import { type Shape, sameShape, sizeOf } from '../core/shape.ts';
import { arange, concat, type Tensor, type Variable, variable } from '../tensor/index.ts';
import { Dropout } from './dropout.ts';
import type { Initializer } from './initializers.ts';
import { Module } from './module.ts';
import { checkChoice, checkNumber, checkOptions, checkWhole, inputsAreFound } from './options.ts';
import { type ParameterDType, parameterDTypes } from './parameter.ts';
import { type Cell, type CellState, Direction } from './recurrent-direction.ts';

export interface RecurrentOptions {
  /** Layers on top of each other; default 1. */
  readonly layers?: number;
  /** A second reading from the last step to the first (Schuster & Paliwal 1997): outputs [N, T, 2 H]; default false. */
  readonly bidirectional?: boolean;
  /** 'all' (default): the hidden states of all steps [N, T, H]; 'last': the final one [N, H]. */
  readonly output?: 'all' | 'last';
  /** Share of units dropped between layers in training; default 0. */
  readonly dropout?: number;
  /** Every call goes on from the state that the call before left, for the same batch size; see resetState(). Default false. */
  readonly stateful?: boolean;
  /** Gradients go back at most to the last multiple of this many steps (truncated back-propagation through time); default: all the way. */
  readonly truncate?: number;
  /** Default: uniform in ±1/√H, for weights and biases. */
  readonly initializer?: Initializer;
  readonly dtype?: ParameterDType;
}
export const recurrentOptions: readonly string[] = ['layers', 'bidirectional', 'output', 'dropout', 'stateful', 'truncate', 'initializer', 'dtype'];

export interface RunOptions<S> {
  /** One state per layer and direction (forward, backward, …), or the state of the only one; default zeros. */
  readonly state?: S | readonly S[];
  /** True (or not 0) where a step counts [N, T]: elsewhere states stay, outputs are 0 and no gradient flows. */
  readonly mask?: Tensor;
}

export interface RunResult<S> {
  /** Hidden states of the top layer after each step [N, T, H or 2 H]. */
  readonly outputs: Tensor;
  /** The state after the last step of the last layer and direction. */
  readonly state: S;
  /** The states of all layers and directions. */
  readonly states: readonly S[];
}

export class Recurrent<S extends CellState = CellState> extends Module {
  readonly cell: Cell<S>;
  readonly options: RecurrentOptions;
  readonly #directions: readonly (readonly Direction<S>[])[];
  readonly #dropout: Dropout;
  /** States of a stateful layer, by batch size. */
  readonly #kept = new Map<number, Record<string, Variable>[]>();

  constructor(cell: Cell<S>, options: RecurrentOptions, more: readonly string[]) {
    super();
    const { name } = cell;
    checkOptions(name, options, [...recurrentOptions, ...more], inputsAreFound);
    if (options.dtype !== undefined) checkChoice(name, 'dtype', options.dtype, parameterDTypes);
    if (options.output !== undefined) checkChoice(name, 'output', options.output, ['all', 'last']);
    if (options.truncate !== undefined) checkWhole(name, 'truncate', options.truncate);
    const { layers = 1, bidirectional = false, dropout = 0 } = options;
    if (bidirectional && options.stateful)
      fail('argument', name, 'a stateful layer cannot be bidirectional', 'The backward reading would go on from a state of the past.');
    this.cell = cell;
    this.options = options;
    this.#dropout = new Dropout(checkNumber(name, 'dropout', dropout, { low: 0, high: 1, open: true }));
    const make = (reverse: boolean): Direction<S> => new Direction(cell, { reverse, ...options });
    this.#directions = Array.from({ length: checkWhole(name, 'layers', layers) }, () => (bidirectional ? [make(false), make(true)] : [make(false)]));
  }

  override get kind(): string {
    return this.cell.name;
  }
  get units(): number {
    return this.cell.units;
  }

  /** The only direction, whose parameters count as this layer's own. */
  get #single(): Direction<S> | undefined {
    return this.#directions.length === 1 && this.#directions[0].length === 1 ? this.#directions[0][0] : undefined;
  }

  /** Names in states: `inputWeight`, …; with several layers `1.inputWeight`, with two directions `0.forward.inputWeight`. */
  override members(): Iterable<readonly [string, unknown]> {
    if (this.#single) return this.#single.members();
    const layers = this.#directions.map(([forward, backward]) => (backward ? { forward, backward } : forward));
    return [...Object.entries(layers), ['dropout', this.#dropout]];
  }
  override get built(): boolean {
    return this.#single?.built ?? true;
  }
  override buildFrom(shapeOf: (name: string) => Shape | undefined): void {
    this.#single?.buildFrom(shapeOf);
  }

  /** [N, T, F] → [N, T, H], or the last step's [N, H] with output: 'last'. A mask [N, T] tells which steps count. */
  forward(x: Tensor, mask?: Tensor): Tensor {
    const { outputs, states } = this.run(x, mask ? { mask } : {});
    if (this.options.output !== 'last') return outputs;
    const last = states.slice(-this.#directions[0].length).map((state) => state.hidden);
    return last.length === 1 ? last[0] : concat(last, 1);
  }

  /** As forward, for all steps, from given states, with the states after the last step. */
  run(x: Tensor, options: RunOptions<S> | S = {}): RunResult<S> {
    const { name } = this.cell;
    const { state, mask } = 'hidden' in options ? { state: options, mask: undefined } : options;
    if (x.rank !== 3) fail('shape', name, `expected [batch, steps, features], got ${showShape(x.shape)}`);
    if (mask && !sameShape(mask.shape, x.shape.slice(0, 2)))
      fail('shape', name, `the mask must be ${showShape(x.shape.slice(0, 2))}, got ${showShape(mask.shape)}`, 'One entry per example and step.');
    const batch = x.shape[0];
    const kept = this.options.stateful && state === undefined ? this.#keptFor(batch, x) : undefined;
    const given = state === undefined ? undefined : Array.isArray(state) ? (state as readonly S[]) : [state as S];
    const count = this.#directions.length * this.#directions[0].length;
    if (given && given.length !== count) fail('argument', name, `expected ${count} states, one per layer and direction, got ${given.length}`);
    const first = (given ?? kept?.map((record) => snapshots(record) as S) ?? []) as readonly S[];
    const states: S[] = [];
    const outputs = this.#directions.reduce((input: Tensor, layer, i) => {
      const dropped = i === 0 ? input : this.#dropout.forward(input);
      const read = layer.map((direction) => {
        const start = first[states.length];
        // A single direction is no module of its own; in a stack each is called for the books.
        const result = this.#single ? direction.forward(dropped, start, mask) : direction.apply(dropped, start, mask);
        states.push(result.state);
        return result.outputs;
      });
      return read.length === 1 ? read[0] : concat(read, 2);
    }, x);
    kept?.forEach((record, i) => {
      for (const [key, v] of Object.entries(record)) v.assign((states[i] as CellState)[key].stopGradient());
    });
    return { outputs, state: states[states.length - 1], states };
  }

  /** Makes a stateful layer begin anew, at zeros. */
  resetState(): void {
    for (const records of this.#kept.values()) for (const record of records) for (const v of Object.values(record)) v.assign(0);
  }

  /** The states that a stateful layer goes on from, by batch size: what a checkpoint in the middle of a sequence must keep. */
  get keptStates(): ReadonlyMap<number, readonly Readonly<Record<string, Variable>>[]> {
    return this.#kept;
  }

  #keptFor(batch: number, x: Tensor): Record<string, Variable>[] {
    const known = this.#kept.get(batch);
    if (known) return known;
    const dtype = this.options.dtype ?? (x.dtype === 'float64' ? 'float64' : 'float32');
    const shape = [batch, this.units];
    const made = this.#directions
      .flat()
      .map(() => Object.fromEntries(this.cell.stateNames.map((key) => [key, variable(newArray(dtype, sizeOf(shape)), { shape, dtype, trainable: false })])));
    this.#kept.set(batch, made);
    return made;
  }

  override multiplyAdds(input: Shape, _output: Shape): number {
    return this.#single?.multiplyAdds(input, _output) ?? 0;
  }
}

const snapshots = (record: Readonly<Record<string, Variable>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(record).map(([key, v]) => [key, v.snapshot()]));

/** Lengths [N] to a mask [N, steps]: true for the first `length` steps of each example. */
export function lengthMask(lengths: Tensor, steps: number): Tensor {
  if (lengths.rank !== 1) fail('shape', 'lengthMask', `expected one length per example [N], got ${showShape(lengths.shape)}`);
  return arange(steps).less(lengths.cast('int32').expandDims(1));
}
