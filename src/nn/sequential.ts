/** sequential: layers one after another. */
import { fail } from '../core/errors.ts';
import type { Tensor } from '../tensor/index.ts';
import { Module } from './module.ts';

/** A module from one tensor to one tensor. */
export type Layer = Module & { apply(x: Tensor): Tensor };

export class Sequential<Layers extends readonly Layer[] = readonly Layer[]> extends Module {
  readonly layers: Layers;

  constructor(layers: Layers) {
    super();
    layers.forEach((layer, i) => {
      if (!(layer instanceof Module)) fail('argument', 'sequential', `argument ${i} is not a layer`, 'Call the layer functions: nn.relu(), not nn.relu.');
    });
    this.layers = layers;
  }

  override get kind(): string {
    return 'sequential';
  }

  /** Layers are named by their position: `0.weight`. */
  override members(): Iterable<readonly [string, unknown]> {
    return Object.entries(this.layers);
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((value: Tensor, layer) => layer.apply(value), x);
  }
}

/** Layers one after another, each on the output of the one before. */
export const sequential = <Layers extends readonly Layer[]>(...layers: Layers): Sequential<Layers> => new Sequential(layers);
