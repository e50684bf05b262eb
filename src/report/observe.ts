/** Looks at a trained image classifier: its judgement of a test set, pictures of examples, filters and activations, its layers. */
import { type Shape, sizeOf } from '../core/shape.ts';
import type { Dataset } from '../data/index.ts';
import { type Layer, listening, Module, type SummaryRow, summaryRows } from '../nn/index.ts';
import { Tensor } from '../tensor/index.ts';
import type { GraphNode } from '../train/events.ts';
import { predict } from '../train/index.ts';
import { modelGraph } from '../train/model-graph.ts';
import { inMode } from '../train/objective.ts';
import { type Judgement, judge, type Verdict, worstMistakes } from './judgement.ts';
import { brightness, dataUri, pictureSpan, signed, spanOf, type Values } from './pictures.ts';

/** An example with its picture. */
export interface Shown extends Verdict {
  readonly picture: string;
}

export interface Filters {
  readonly layer: string;
  readonly pictures: readonly string[];
  /** How many there are in all. */
  readonly count: number;
  /** Blue and red by sign, or colours as they are. */
  readonly signed: boolean;
}

export interface Activation {
  readonly layer: string;
  readonly shape: Shape;
  readonly pictures: readonly string[];
}

export interface Observation {
  readonly judgement: Judgement;
  /** Examples of the cells of the confusion matrix, by `true-predicted`. */
  readonly cells: ReadonlyMap<string, readonly Shown[]>;
  readonly worst: readonly Shown[];
  readonly filters: Filters | undefined;
  readonly activations: readonly { readonly example: Shown; readonly stages: readonly Activation[] }[];
  readonly layers: readonly SummaryRow[];
  readonly graph: readonly GraphNode[];
}

/** How much a report shows; with these a page of ten classes stays below a megabyte or so. */
const limits = { perCell: 6, cells: 150, worst: 12, filters: 32, examples: 5, stages: 3, channels: 16 };

export const cellName = (label: number, guess: number): string => `${label}-${guess}`;

/** `test`: pictures [height, width, 1 or 3] and labels; the model gives logits [N, classes]. */
export async function observe(model: Layer, test: Dataset): Promise<Observation> {
  const [{ shape, dtype }] = test.fields;
  const logits = await predict(model, test);
  const classes = test.classes ?? Array.from({ length: logits.shape[1] }, (_, i) => String(i));
  const [, labels] = await test.read(Int32Array.from({ length: test.length }, (_, i) => i));
  const judgement = judge(await logits.data(), labels, classes);
  const chosen = cellExamples(judgement);
  const worst = worstMistakes(judgement, limits.worst);
  const examples = activationExamples(judgement, worst);
  const pictures = await picturesOf(test, [...[...chosen.values()].flat(), ...worst, ...examples]);
  const shown = (verdicts: readonly Verdict[]): Shown[] => verdicts.map((verdict) => ({ ...verdict, picture: pictures.get(verdict.row) ?? '' }));
  return {
    judgement,
    cells: new Map([...chosen].map(([cell, verdicts]) => [cell, shown(verdicts)])),
    worst: shown(worst),
    filters: await filtersOf(model, shape),
    activations: await activationsOf(model, test, shown(examples)),
    layers: summaryRows(model, shape, dtype),
    graph: modelGraph({ model, dataset: test, inputs: [0] }),
  };
}

/** Some examples of each cell: of mistakes the costliest, of the diagonal the first. Cells with mistakes come first when there are too many cells. */
function cellExamples({ verdicts }: Judgement): Map<string, Verdict[]> {
  const cells = new Map<string, Verdict[]>();
  const wrong = verdicts.filter(({ label, guess }) => label !== guess).sort((a, b) => b.loss - a.loss);
  const right = verdicts.filter(({ label, guess }) => label === guess);
  for (const verdict of [...wrong, ...right]) {
    const name = cellName(verdict.label, verdict.guess);
    const cell = cells.get(name);
    if (cell === undefined && cells.size < limits.cells) cells.set(name, [verdict]);
    else if (cell !== undefined && cell.length < limits.perCell) cell.push(verdict);
  }
  return cells;
}

/** The costliest mistake and some examples of different classes. */
function activationExamples({ verdicts }: Judgement, worst: readonly Verdict[]): Verdict[] {
  const seen = new Set<number>();
  const chosen = verdicts.filter(({ label, guess }) => label === guess && !seen.has(label) && seen.add(label)).sort((a, b) => a.label - b.label);
  return [...chosen.slice(0, limits.examples - 1), ...worst.slice(0, 1)];
}

/** Pictures of rows, each once. */
async function picturesOf(test: Dataset, verdicts: readonly Verdict[]): Promise<Map<number, string>> {
  const rows = Int32Array.from(new Set(verdicts.map(({ row }) => row)));
  const [values] = await test.read(rows);
  const [height, width, channels] = test.fields[0].shape;
  const size = height * width * channels;
  const span = pictureSpan(values);
  const found = new Map<number, string>();
  for (const [i, row] of rows.entries()) {
    const data = values.subarray(i * size, (i + 1) * size);
    found.set(row, await dataUri(brightness({ height, width, channels, data }, span)));
  }
  return found;
}

/** The weights of the first layer as pictures: convolution kernels over 1 or 3 channels, or dense weights in the form of the input. */
async function filtersOf(model: Module, input: Shape): Promise<Filters | undefined> {
  const first = Object.entries(model.namedParameters()).find(([name]) => name.endsWith('weight'));
  if (first === undefined) return undefined;
  const [name, { shape }] = first;
  const [height, width, channels] = shape.length === 4 ? shape : shape.length === 2 && shape[0] === sizeOf(input) ? input : [];
  if (channels !== 1 && channels !== 3) return undefined;
  const weights = await first[1].data();
  const count = shape[shape.length - 1];
  const reach = Math.max(...Object.values(spanOf(weights)).map(Math.abs));
  const pictures: string[] = [];
  for (let filter = 0; filter < Math.min(count, limits.filters); filter++) {
    const data = Float32Array.from({ length: height * width * channels }, (_, i) => weights[i * count + filter]);
    const values: Values = { height, width, channels, data };
    pictures.push(await dataUri(channels === 1 ? signed(values, reach) : brightness(values, { low: -reach, high: reach })));
  }
  return { layer: layerName(model, name.replace(/\.?weight$/, '')), pictures, count, signed: channels === 1 };
}

const layerName = (model: Module, path: string): string => {
  const kind = model.modules().find(({ name }) => name === path)?.module.kind ?? '';
  return `${path} ${kind}`.trim();
};

/** The first stages of feature maps [N, height, width, channels] for some examples, every channel a picture. */
async function activationsOf(model: Module & Layer, test: Dataset, examples: readonly Shown[]): Promise<Observation['activations']> {
  if (examples.length === 0) return [];
  const [images] = await test.tensors(Int32Array.from(examples, ({ row }) => row));
  const stages: { readonly layer: string; readonly shape: Shape; readonly values: ArrayLike<number>[] }[] = [];
  for (const { layer, output } of featureStages(model, images).slice(0, limits.stages)) {
    const shape = output.shape.slice(1);
    const [all, size] = [await output.data(), sizeOf(shape)];
    stages.push({ layer, shape, values: examples.map((_, i) => all.subarray(i * size, (i + 1) * size)) });
  }
  if (stages.length === 0) return [];
  const shownStages = (i: number): Promise<Activation[]> =>
    Promise.all(stages.map(async ({ layer, shape, values }) => ({ layer, shape, pictures: await channelPictures(values[i], shape) })));
  return Promise.all(examples.map(async (example, i) => ({ example, stages: await shownStages(i) })));
}

/** What each convolution leaves before the next layer that changes the size: after its normalisation and activation. */
function featureStages(model: Module & Layer, images: Tensor): { readonly layer: string; readonly output: Tensor }[] {
  const names = new Map<object, string>(model.modules().map(({ name, module }) => [module, `${name} ${module.kind}`.trim()]));
  const stages: { layer: string; output: Tensor }[] = [];
  const heard = (module: object, _inputs: readonly unknown[], output: unknown) => {
    if (!(module instanceof Module) || module.modules().length > 1 || !(output instanceof Tensor) || output.rank !== 4) return;
    const last = stages[stages.length - 1];
    if (/conv/i.test(module.kind)) stages.push({ layer: names.get(module) ?? module.kind, output });
    else if (last !== undefined && output.shape.join() === last.output.shape.join())
      stages[stages.length - 1] = { layer: `${last.layer.split(' → ')[0]} → ${module.kind}`, output };
  };
  inMode(model, false, () => listening(heard, () => model.apply(images)));
  return stages;
}

/** The channels of one example, black at the lowest value of all and white at the highest. */
async function channelPictures(values: ArrayLike<number>, [height, width, channels]: Shape): Promise<string[]> {
  const span = spanOf(values);
  return Promise.all(
    Array.from({ length: Math.min(channels, limits.channels) }, (_, c) => {
      const data = Float32Array.from({ length: height * width }, (_, i) => values[i * channels + c]);
      return dataUri(brightness({ height, width, channels: 1, data }, span));
    }),
  );
}
