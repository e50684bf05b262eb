/** tiedLinear: a linear layer that uses another layer's weight the other way round: autoencoders, and language models (Press & Wolf 2017). */
import { fail, showShape } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import type { Tensor, Variable } from '../tensor/index.ts';
import { Embedding } from './embedding.ts';
import { zeros } from './initializers.ts';
import { Linear } from './linear.ts';
import { checkOptions } from './options.ts';
import { type ParameterDType, parameter } from './parameter.ts';
import { SizedLayer } from './sized-layer.ts';

export class TiedLinear extends SizedLayer<{ readonly bias: Variable | undefined }> {
  readonly source: Linear | Embedding;
  readonly #bias: boolean;

  constructor(source: Linear | Embedding, options: { readonly bias?: boolean } = {}) {
    super();
    checkOptions('tiedLinear', options, ['bias']);
    if (!(source instanceof Linear || source instanceof Embedding))
      fail('argument', 'tiedLinear', 'expected a linear layer or an embedding whose weight is shared');
    this.source = source;
    this.#bias = options.bias ?? true;
  }

  override get kind(): string {
    return 'tiedLinear';
  }

  /** The source counts once, under the name it has where it stands first. */
  override members(): Iterable<readonly [string, unknown]> {
    return [['source', this.source], ...super.members()];
  }

  protected override create(_inputSize: number): { readonly bias: Variable | undefined } {
    const { weight } = this.source;
    return { bias: this.#bias ? parameter([weight.shape[0]], zeros(), { dtype: weight.dtype as ParameterDType }) : undefined };
  }

  protected override inputSizeFrom(_shapeOf: (name: string) => Shape | undefined): number | undefined {
    return this.source.built ? this.source.weight.shape[1] : undefined;
  }

  /** [..., features of the source] → [..., inputs of the source]: x Wᵀ + b */
  forward(x: Tensor): Tensor {
    if (!this.source.built) fail('state', 'tiedLinear', 'the layer whose weight it shares has no parameters yet', 'Call that one first.');
    const { weight } = this.source;
    if (x.rank < 2 || x.shape[x.rank - 1] !== weight.shape[1])
      fail('shape', 'tiedLinear', `expected [batch, …, ${weight.shape[1]}] for the weight ${showShape(weight.shape)}, got ${showShape(x.shape)}`);
    const { bias } = this.parametersFor(x);
    const y = x.matmul(weight.snapshot().transpose());
    return bias ? y.add(bias) : y;
  }
}

/** A linear layer with the transposed weight of `source` and a bias of its own. */
export const tiedLinear = (source: Linear | Embedding, options?: { readonly bias?: boolean }): TiedLinear => new TiedLinear(source, options);
