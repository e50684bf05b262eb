/**
 * What a model is trained or measured on: which fields of a dataset are its inputs, which are the targets of its outputs (heads), and how their losses add up.
 * With one loss the first field is the input and the next one the target. With losses by name the names are those of the target fields.
 */
import { isFloating, type TypedArray } from '../core/dtype.ts';
import { didYouMean, fail } from '../core/errors.ts';
import { type Shape, sizeOf } from '../core/shape.ts';
import type { Dataset, Field } from '../data/dataset.ts';
import { checkLabels, type Loss, type LossName, losses } from '../nn/index.ts';
import { type Tensor, type Variable, zeros } from '../tensor/index.ts';

/** What a model computes: one tensor, or several in the order of the losses or by their names. */
export type Outputs = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** What can be trained: an nn.Module from tensors to tensors. */
export interface Model {
  apply(...inputs: Tensor[]): Outputs;
  readonly training: boolean;
  train(mode?: boolean): unknown;
  trainableParameters(): Readonly<Record<string, Variable>>;
  stateDict(): Readonly<Record<string, Tensor>>;
  loadStateDict(state: Readonly<Record<string, Tensor>>): unknown;
}

/** The loss of one output, with its weight in the sum (default 1). */
export type HeadLoss = Loss | LossName | { readonly loss: Loss | LossName; readonly weight?: number };

/** One loss, or for a model of several outputs the losses by name: `{ kind: 'crossEntropy', size: { loss: 'huber', weight: 0.1 } }`. */
export type LossOption = Loss | LossName | Readonly<Record<string, HeadLoss>>;

export interface ObjectiveOptions {
  readonly loss?: LossOption;
  /** Names of the fields that go into the model, in its order (default: the first; with losses by name: all that are neither target nor weight). */
  readonly inputs?: readonly string[];
  /** The name of a field with one weight per example: losses become Σ w ℓ / Σ w. */
  readonly sampleWeights?: string;
  /** One weight per class, for models of one output: rare classes count more. */
  readonly classWeights?: readonly number[];
}

interface Head {
  /** Of its target. */
  readonly name: string;
  readonly field: number;
  readonly loss: Loss | undefined;
  readonly weight: number;
}

export interface Objective {
  readonly inputs: readonly number[];
  readonly heads: readonly Head[];
  readonly weights: number | undefined;
  readonly classWeights: readonly number[] | undefined;
  /** The fields that a step needs. */
  readonly fields: readonly number[];
}

export function resolveLoss(operation: string, loss: Loss | LossName | undefined): Loss {
  if (typeof loss === 'function') return loss;
  const names = Object.keys(losses);
  if (loss === undefined) fail('argument', operation, 'there is no loss', "Pass loss: 'crossEntropy', say, or a function (outputs, targets) => scalar.");
  if (!Object.hasOwn(losses, loss)) fail('argument', operation, `there is no loss "${String(loss)}"`, didYouMean(loss, names) ?? `It has ${names.join(', ')}.`);
  return losses[loss] as Loss;
}

/** Finds the fields of a dataset by name. */
export function fieldNumber(operation: string, { fields }: Dataset, name: string, role: string): number {
  const found = fields.findIndex((field) => field.name === name);
  const names = fields.map((field) => field.name);
  return found >= 0 ? found : fail('data', operation, `the dataset has no field ${name} for ${role}`, didYouMean(name, names) ?? `It has ${names.join(', ')}.`);
}

/** The numbers of the fields that go into the model: by name, or else the first. */
export const inputNumbers = (operation: string, dataset: Dataset, names: readonly string[] | undefined): readonly number[] =>
  names?.map((name) => fieldNumber(operation, dataset, name, 'the inputs')) ?? [0];

export function resolveObjective(operation: string, dataset: Dataset, options: ObjectiveOptions): Objective {
  const { loss, inputs: named, sampleWeights, classWeights } = options;
  if (dataset.length === 0) fail('data', operation, 'the dataset has no examples');
  const weights = sampleWeights === undefined ? undefined : fieldNumber(operation, dataset, sampleWeights, 'the weights of examples');
  const several = typeof loss === 'object';
  const asked = named && inputNumbers(operation, dataset, named);
  if (!several && dataset.fields.length < 2)
    fail('data', operation, `the dataset has only the field ${dataset.fields[0]?.name}, but training needs inputs and targets`, 'Use fromArrays(x, y).');
  const heads = several ? namedHeads(operation, dataset, loss) : [singleHead(operation, dataset, loss, asked ?? [0], weights)];
  const taken = [...heads.map(({ field }) => field), weights];
  const rest = several ? dataset.fields.flatMap((_, i) => (taken.includes(i) ? [] : [i])) : [0];
  if (classWeights !== undefined && heads.length > 1)
    fail(
      'argument',
      operation,
      'classWeights are for models of one output',
      'Give each head its own: kind: (outputs, targets) => nn.crossEntropy(outputs, targets, { classWeights }).',
    );
  const inputs = asked ?? rest;
  const fields = [...new Set([...inputs, ...heads.map(({ field }) => field), ...(weights === undefined ? [] : [weights])])];
  return { inputs, heads, weights, classWeights, fields };
}

/** The first field that is neither input nor weight is the target. */
function singleHead(operation: string, { fields }: Dataset, loss: Loss | LossName | undefined, inputs: readonly number[], weights: number | undefined): Head {
  const field = fields.findIndex((_, i) => !inputs.includes(i) && i !== weights);
  if (field < 0) fail('data', operation, 'every field of the dataset is an input or a weight, so there are no targets', 'Name fewer inputs.');
  return { name: fields[field].name, field, loss: loss === undefined ? undefined : resolveLoss(operation, loss), weight: 1 };
}

function namedHeads(operation: string, dataset: Dataset, given: Readonly<Record<string, HeadLoss>>): Head[] {
  const heads = Object.entries(given).map(([name, head]) => {
    const { loss, weight = 1 } = typeof head === 'object' ? head : { loss: head };
    if (!(Number.isFinite(weight) && weight >= 0)) fail('argument', operation, `the weight of the loss of ${name} must be a number ≥ 0, got ${weight}`);
    return { name, field: fieldNumber(operation, dataset, name, 'the targets'), loss: resolveLoss(operation, loss), weight };
  });
  return heads.length > 0 ? heads : fail('argument', operation, 'the losses by name are empty', "Pass { target: 'crossEntropy' }.");
}

/** The model's outputs as one tensor per head. */
export function outputsOf(operation: string, outputs: Outputs, heads: readonly { readonly name: string }[]): readonly Tensor[] {
  const names = heads.map(({ name }) => name);
  const list = isTensor(outputs) ? [outputs] : Array.isArray(outputs) ? (outputs as readonly Tensor[]) : undefined;
  if (list?.length === heads.length) return list;
  if (list !== undefined) {
    const hint = heads.length === 1 ? 'Pass losses by the names of the targets: { kind: …, size: … }.' : 'One loss per output, in their order.';
    fail(
      'argument',
      operation,
      `the model has ${list.length} outputs but there ${heads.length === 1 ? 'is 1 target' : `are ${heads.length} targets`} (${names.join(', ')})`,
      hint,
    );
  }
  const byName = outputs as Readonly<Record<string, Tensor>>;
  return names.map(
    (name) =>
      byName[name] ??
      fail('argument', operation, `the model has no output ${name}`, didYouMean(name, Object.keys(byName)) ?? `It has ${Object.keys(byName).join(', ')}.`),
  );
}

const isTensor = (outputs: Outputs): outputs is Tensor => 'dtype' in outputs && typeof outputs.dtype === 'string';

/** The shape of each output for one example, without computing anything. Makes the parameters of layers that wait for their first call. */
export function probeOutputs(operation: string, model: Model, dataset: Dataset, { inputs, heads }: Objective): readonly Shape[] {
  const blank = inputs.map((i) => zeros([1, ...dataset.fields[i].shape], { dtype: dataset.fields[i].dtype }));
  return inMode(model, false, () => outputsOf(operation, model.apply(...blank), heads).map(({ shape }) => shape.slice(1)));
}

/** The total loss and each head's, from outputs per head and all fields by number. */
export function lossesOf(
  operation: string,
  objective: Objective,
  outputs: readonly Tensor[],
  fields: ReadonlyMap<number, Tensor>,
): { readonly total: Tensor; readonly parts: readonly Tensor[] } {
  const { heads, weights, classWeights } = objective;
  const extras = {
    ...(weights !== undefined && { sampleWeights: fields.get(weights) as Tensor }),
    ...(classWeights && { classWeights }),
  };
  const parts = heads.map(({ loss, field }, i) => {
    const value = (loss as (outputs: Tensor, targets: Tensor, options?: object) => Tensor)(
      outputs[i],
      fields.get(field) as Tensor,
      ...(Object.keys(extras).length > 0 ? [extras] : []),
    );
    if (value.rank !== 0) fail('shape', operation, `the loss must be a scalar, got [${value.shape.join(', ')}]`, 'Use mean() or sum().');
    return value;
  });
  const weighted = parts.map((part, i) => (heads[i].weight === 1 ? part : part.mul(heads[i].weight)));
  return { total: weighted.reduce((a, b) => a.add(b)), parts };
}

const ofClasses: readonly Loss[] = [losses.crossEntropy, losses.multiclassHinge];

/** Checks integer labels before they reach the device, for the losses that need labels in 0 … classes − 1: those of a batch, or these rows of all. */
export function labelCheck(
  operation: string,
  { heads }: Objective,
  fields: readonly Field[],
  shapes: readonly Shape[],
): (arrays: readonly TypedArray[], rows?: ArrayLike<number>) => void {
  const checked = heads.flatMap(({ loss, field }, i) => {
    const { dtype, shape } = fields[field];
    const needed = loss !== undefined && ofClasses.includes(loss) && !isFloating(dtype) && sizeOf(shape) === sizeOf(shapes[i].slice(0, -1));
    return needed ? [{ field, size: sizeOf(shape), classes: shapes[i][shapes[i].length - 1] }] : [];
  });
  return (arrays, rows) => {
    for (const { field, size, classes } of checked) checkLabels(arrays[field], classes, operation, rows, size);
  };
}

/** Runs `body` with the model in training or evaluation mode. */
export function inMode<T>(model: Pick<Model, 'training' | 'train'>, training: boolean, body: () => T): T {
  const before = model.training;
  const back = () => void model.train(before);
  model.train(training);
  try {
    const result = body();
    if (result instanceof Promise) return result.finally(back) as T;
    back();
    return result;
  } catch (error) {
    back();
    throw error;
  }
}
