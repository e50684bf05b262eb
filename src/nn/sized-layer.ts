/** The base of layers whose parameters depend on the size of the input's last dimension, which they learn at the first call. */
import { fail, showShape } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import type { Tensor, Variable } from '../tensor/index.ts';
import { Module } from './module.ts';

export abstract class SizedLayer<P extends Readonly<Record<string, Variable | undefined>>> extends Module {
  #made: { readonly inputSize: number; readonly parameters: P } | undefined;

  /** Makes the parameters for an input whose last dimension is `inputSize`. */
  protected abstract create(inputSize: number): P;

  /** The input size that a saved state tells; undefined when it does not. */
  protected abstract inputSizeFrom(shapeOf: (name: string) => Shape | undefined): number | undefined;

  override get built(): boolean {
    return this.#made !== undefined;
  }

  override members(): Iterable<readonly [string, unknown]> {
    return Object.entries(this.#made?.parameters ?? {});
  }

  override buildFrom(shapeOf: (name: string) => Shape | undefined): void {
    const inputSize = this.inputSizeFrom(shapeOf);
    if (inputSize !== undefined && inputSize > 0) this.#make(inputSize);
  }

  /** The size of the input's last dimension, once known. */
  get inputSize(): number | undefined {
    return this.#made?.inputSize;
  }

  /** The variables by name; an error before the first call. */
  get held(): P {
    const made =
      this.#made ??
      fail('state', this.kind, 'the parameters do not exist yet: the layer learns its input size at the first call', 'Call it once, or summary(inputShape).');
    return made.parameters;
  }

  /** The variables for an input x [..., inputSize], made at the first call. */
  protected parametersFor(x: Tensor, dimension = 'features'): P {
    const size = x.shape[x.rank - 1];
    if (this.#made === undefined) {
      if (!(size > 0)) fail('shape', this.kind, `the input ${showShape(x.shape)} has no ${dimension}`);
      return this.#make(size);
    }
    if (this.#made.inputSize !== size) {
      fail(
        'shape',
        this.kind,
        `input has ${size} ${dimension} but this layer was made for ${this.#made.inputSize} (input ${showShape(x.shape)})`,
        `The last dimension holds the ${dimension}.`,
      );
    }
    return this.#made.parameters;
  }

  #make(inputSize: number): P {
    const parameters = this.create(inputSize);
    this.#made = { inputSize, parameters };
    return parameters;
  }
}
