/** The printable table of a model: traced with a lazy input in evaluation mode, so nothing is computed. */
import type { DType } from '../core/dtype.ts';
import { fail, showShape } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';
import { Tensor, type Variable, zeros } from '../tensor/index.ts';
import { listening } from './record.ts';

/** What a summary asks of a module. */
interface Summarized {
  readonly kind: string;
  readonly training: boolean;
  modules(): readonly { readonly name: string; readonly module: Summarized }[];
  apply(...inputs: never[]): unknown;
  parameters(): readonly Variable[];
  multiplyAdds(input: Shape, output: Shape): number;
  setTraining(mode: boolean): void;
}

/** A line of the summary: one call of one layer. */
export interface SummaryRow {
  readonly name: string;
  readonly kind: string;
  /** Without the batch dimension. */
  readonly outputShape: Shape | undefined;
  readonly parameters: number;
  /** For one example. */
  readonly multiplyAdds: number;
}

/** One input shape without the batch dimension, or several for a model of several inputs. */
export type InputShapes = Shape | readonly Shape[];

const isShape = (shapes: InputShapes): shapes is Shape => shapes.every((d: number | Shape) => typeof d === 'number');

/** The rows of the table, as data. */
export function summaryRows(model: Summarized, inputShapes: InputShapes, dtype: DType): SummaryRow[] {
  const shapes = isShape(inputShapes) ? [inputShapes] : inputShapes;
  const calls: { module: Summarized; input: Shape; output: Shape | undefined }[] = [];
  const modes = model.modules().map(({ module }) => ({ module, training: module.training }));
  for (const { module } of modes) module.setTraining(false);
  try {
    const inputs = shapes.map((shape) => zeros([1, ...shape], { dtype }));
    const note = (module: object, given: readonly unknown[], output: unknown) =>
      calls.push({ module: module as Summarized, input: shapeOf(given[0]) ?? [], output: shapeOf(output) });
    listening(note, () => (model.apply as (...inputs: readonly Tensor[]) => unknown).apply(model, inputs));
  } finally {
    for (const { module, training } of modes) module.setTraining(training);
  }
  const names = new Map(model.modules().map(({ name, module }) => [module, name]));
  const counted = new Set<Variable>();
  const rows: SummaryRow[] = [];
  for (const { module, input, output } of calls) {
    const inner = module.modules().filter((item) => item.module !== module);
    const within = new Set(inner.flatMap((item) => item.module.parameters()));
    const own = module.parameters().filter((variable) => !within.has(variable));
    const multiplyAdds = output ? module.multiplyAdds(input, output) : 0;
    if (inner.length > 0 && own.length === 0 && multiplyAdds === 0) continue;
    const fresh = own.filter((variable) => !counted.has(variable));
    for (const variable of fresh) counted.add(variable);
    const parameters = fresh.reduce((total, variable) => total + variable.size, 0);
    rows.push({
      name: names.get(module) ?? '',
      kind: module.kind,
      outputShape: output,
      parameters,
      multiplyAdds,
    });
  }
  if (rows.length === 0) fail('state', 'summary', 'the model called no layer', 'Call layers with apply(), not forward().');
  return rows;
}

/** Without the batch; of several results the first, or the one called outputs (recurrent layers). */
function shapeOf(value: unknown): Shape | undefined {
  if (value instanceof Tensor) return value.shape.slice(1);
  if (Array.isArray(value)) return shapeOf(value[0]);
  return typeof value === 'object' && value !== null && 'outputs' in value ? shapeOf(value.outputs) : undefined;
}

const grouped = (value: number): string => value.toLocaleString('en-US');

/** The table as text. */
export function summarize(model: Summarized, inputShapes: InputShapes, dtype: DType): string {
  const rows = summaryRows(model, inputShapes, dtype);
  const total = (of: (row: SummaryRow) => number) => grouped(rows.reduce((sum, row) => sum + of(row), 0));
  const cells = [
    ['layer', 'output shape', 'parameters', 'multiply-adds'],
    ...rows.map((row) => [
      `${row.name} ${row.kind}`.trim(),
      row.outputShape ? showShape(row.outputShape) : '',
      grouped(row.parameters),
      grouped(row.multiplyAdds),
    ]),
    ['total', '', total((row) => row.parameters), total((row) => row.multiplyAdds)],
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((line) => line[column].length)));
  const lines = cells.map((line) =>
    line
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  );
  const rule = '─'.repeat(widths.reduce((a, b) => a + b, 0) + 6);
  return [lines[0], rule, ...lines.slice(1, -1), rule, lines[lines.length - 1]].join('\n');
}
