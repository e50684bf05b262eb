/** ensemble: several models as one (Hansen & Salamon 1990). */
import { fail, showShape } from '../core/errors.ts';
import { sameShape } from '../core/shape.ts';
import { Module } from '../nn/index.ts';
import { checkChoice, checkOptions } from '../nn/options.ts';
import { stack, type Tensor } from '../tensor/index.ts';

/** A module of one output. */
export type Member = Module & { apply(...inputs: Tensor[]): Tensor };

export interface EnsembleOptions {
  /**
   * 'average' (default): the mean of the outputs, for numbers and for probabilities. 'averageProbabilities': for members that give logits: the logarithm of
   * the mean of their softmax, so that softmax and crossEntropy of it are those of the mean. 'vote': for each class the share of members whose largest output it is.
   */
  readonly combine?: 'average' | 'averageProbabilities' | 'vote';
}

type Combine = NonNullable<EnsembleOptions['combine']>;

const combinations: Readonly<Record<Combine, (outputs: readonly Tensor[]) => Tensor>> = {
  average: (outputs) => stack(outputs).mean({ axis: 0 }),
  averageProbabilities: (outputs) =>
    stack(outputs.map((output) => output.logSoftmax()))
      .logSumExp({ axis: 0 })
      .sub(Math.log(outputs.length)),
  vote: (outputs) => {
    const classes = outputs[0].shape[outputs[0].rank - 1];
    return stack(outputs.map((output) => output.argMax({ axis: -1 }).oneHot(classes).cast(output.dtype))).mean({ axis: 0 });
  },
};

export class Ensemble extends Module {
  readonly models: readonly Member[];
  readonly combine: Combine;

  constructor(models: readonly Member[], options: EnsembleOptions = {}) {
    super();
    checkOptions('ensemble', options, ['combine']);
    if (!Array.isArray(models) || models.length === 0) fail('argument', 'ensemble', 'there are no models', 'Pass ensemble([first, second, …]).');
    models.forEach((model, i) => {
      if (!(model instanceof Module)) fail('argument', 'ensemble', `number ${i + 1} is not a model`);
    });
    this.models = models;
    this.combine = checkChoice('ensemble', 'combine', options.combine ?? 'average', ['average', 'averageProbabilities', 'vote']);
  }

  override get kind(): string {
    return 'ensemble';
  }

  /** Every member on the same inputs → one output of their shape. */
  forward(...inputs: Tensor[]): Tensor {
    const outputs = this.models.map((model) => model.apply(...inputs));
    const other = outputs.find(({ shape }) => !sameShape(shape, outputs[0].shape));
    if (other)
      fail('shape', 'ensemble', `the models give ${showShape(outputs[0].shape)} and ${showShape(other.shape)}`, 'They must have outputs of one shape.');
    return combinations[this.combine](outputs);
  }
}

/** Several models as one, for evaluate and predict: `await evaluate(ensemble(nets, { combine: 'vote' }), test, { metrics: ['accuracy'] })`. */
export const ensemble = (models: readonly Member[], options?: EnsembleOptions): Ensemble => new Ensemble(models, options);
