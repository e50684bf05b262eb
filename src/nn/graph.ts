/** graph: a model as a net of named layers, with several inputs and outputs. */
import { didYouMean, fail } from '../core/errors.ts';
import type { Tensor } from '../tensor/index.ts';
import { Module } from './module.ts';

/** A layer and where its inputs come from: names of inputs or of layers before it; `split.1` is the second output of the layer `split`. */
export type GraphLayer = readonly [layer: Module & { apply(...inputs: never[]): unknown }, ...from: readonly string[]];

export interface GraphOptions<Outputs extends string | readonly string[]> {
  readonly inputs: readonly string[];
  /** In the order in which they are computed. */
  readonly layers: Readonly<Record<string, GraphLayer>>;
  /** One name for one output, or several. */
  readonly outputs: Outputs;
}

type Result<Outputs> = Outputs extends string ? Tensor : { -readonly [K in keyof Outputs]: Tensor };

export class Graph<Outputs extends string | readonly string[]> extends Module {
  readonly options: GraphOptions<Outputs>;

  constructor(options: GraphOptions<Outputs>) {
    super();
    const { inputs, layers, outputs } = options;
    const known = [...inputs];
    if (new Set(inputs).size !== inputs.length) fail('argument', 'graph', `an input is named twice: ${inputs.join(', ')}`);
    const check = (name: string, from: string): void => {
      if (known.includes(from) || known.includes(stem(from))) return;
      const later = from in layers || stem(from) in layers;
      fail(
        'argument',
        'graph',
        `${name} reads ${from}, ${later ? 'which comes later' : 'which is neither an input nor a layer'}`,
        later ? 'Put layers in order.' : didYouMean(from, known),
      );
    };
    for (const [name, [layer, ...from]] of Object.entries(layers)) {
      if (!(layer instanceof Module)) fail('argument', 'graph', `${name} is not a layer`, 'Write name: [nn.relu(), …inputs].');
      if (known.includes(name)) fail('argument', 'graph', `${name} is both an input and a layer`);
      if (from.length === 0) fail('argument', 'graph', `${name} has no inputs`, `Write ${name}: [layer, '${inputs[0]}'].`);
      for (const source of from) check(name, source);
      known.push(name);
    }
    for (const output of listed(outputs)) check('the output', output);
    this.options = options;
  }

  override get kind(): string {
    return 'graph';
  }

  /** Layers are named as in the graph: `stem.weight`. */
  override members(): Iterable<readonly [string, unknown]> {
    return Object.entries(this.options.layers).map(([name, [layer]]) => [name, layer] as const);
  }

  /** One tensor per input, in their order → the output, or the outputs in theirs. */
  forward(...given: Tensor[]): Result<Outputs> {
    const { inputs, layers, outputs } = this.options;
    if (given.length !== inputs.length) fail('argument', 'graph', `expected ${inputs.length} inputs (${inputs.join(', ')}), got ${given.length}`);
    const values = new Map<string, unknown>(inputs.map((name, i) => [name, given[i]]));
    const read = (name: string): Tensor => {
      const whole = values.get(name);
      const value = whole ?? (values.get(stem(name)) as readonly Tensor[])[Number(name.slice(stem(name).length + 1))];
      if (value === undefined || Array.isArray(value))
        fail('argument', 'graph', `${name} is ${value ? 'several tensors' : 'not there'}`, `Name one of them: ${stem(name)}.0, ${stem(name)}.1, …`);
      return value as Tensor;
    };
    for (const [name, [layer, ...from]] of Object.entries(layers)) {
      values.set(name, (layer.apply as (...inputs: readonly Tensor[]) => unknown).apply(layer, from.map(read)));
    }
    const results = listed(outputs).map(read);
    return (typeof outputs === 'string' ? results[0] : results) as Result<Outputs>;
  }
}

const stem = (name: string): string => name.replace(/\.\d+$/, '');
const listed = (outputs: string | readonly string[]): readonly string[] => (typeof outputs === 'string' ? [outputs] : outputs);

/**
 * A model of named layers: `nn.graph({ inputs: ['image', 'age'], layers: { seen: [nn.flatten(), 'image'], both: [nn.concatenate(), 'seen', 'age'],
 * kind: [nn.linear(3), 'both'], size: [nn.linear(1), 'both'] }, outputs: ['kind', 'size'] })`, called as `apply(image, age)`.
 */
export const graph = <const Outputs extends string | readonly string[]>(options: GraphOptions<Outputs>): Graph<Outputs> => new Graph(options);
