/** randomShift: moves each image by a few random pixels in training, so that a net does not rely on exact places: augmentation within the compiled program. */
import { fail, showShape } from '../core/errors.ts';
import { random, type Tensor, where } from '../tensor/index.ts';
import { Module } from './module.ts';
import { checkWhole } from './options.ts';

export class RandomShift extends Module {
  readonly most: number;

  constructor(most: number) {
    super();
    this.most = checkWhole('randomShift', 'most', most);
  }

  override get kind(): string {
    return 'randomShift';
  }

  /** [N, ...size, C] → the same, each example moved along every dimension of its size by −most … most; zeros come in. The identity in evaluation. */
  forward(x: Tensor): Tensor {
    if (x.rank < 3) fail('shape', this.kind, `expected [N, …size, channels], got ${showShape(x.shape)}`);
    if (!this.training) return x;
    return x.shape.slice(1, -1).reduce((value: Tensor, _, i) => this.#along(value, i + 1), x);
  }

  #along(x: Tensor, axis: number): Tensor {
    const { most } = this;
    const padded = x.pad(x.shape.map((_, i): [number, number] => (i === axis ? [most, most] : [0, 0])));
    const start = random.randint([x.shape[0], ...x.shape.slice(1).map(() => 1)], { low: 0, high: 2 * most + 1 }); // [N, 1, …]
    const from = (at: number): Tensor =>
      padded.slice(
        x.shape.map((_, i) => (i === axis ? at : 0)),
        x.shape,
      );
    return Array.from({ length: 2 * most }, (_, at) => at + 1).reduce((value, at) => where(start.equal(at), from(at), value), from(0));
  }
}

/** Moves each image by up to `most` pixels up or down and left or right, in training. */
export const randomShift = (most = 2): RandomShift => new RandomShift(most);
