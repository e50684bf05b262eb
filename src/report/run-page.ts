/** The report on one run. */
import { classesSection, confusionSection, mistakesSection } from './classification.ts';
import { curvesSection, type StageHistory } from './curves.ts';
import { activationsSection, filtersSection, modelSection, type SavedTensor, tensorsSection } from './insides.ts';
import { html, type Markup } from './markup.ts';
import type { Observation } from './observe.ts';
import { factList, figureBoxes, page } from './page.ts';
import { figureText, figureTitle, isShare } from './scale.ts';

type Facts = readonly (readonly [name: string, text: string])[];

export interface RunReport {
  readonly recipe: string;
  /** What the recipe is, in a line. */
  readonly summary: string;
  readonly folder: string;
  readonly stages: readonly StageHistory[];
  /** Of the test: testAccuracy, testLoss, examples, … */
  readonly figures: Readonly<Record<string, unknown>>;
  /** What the recipe's own test has to say, for recipes that are not observed. */
  readonly words: string;
  /** For image classifiers. */
  readonly observation?: Observation;
  /** For other recipes. */
  readonly tensors: readonly SavedTensor[];
  /** By their names in the program: batchSize. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly environment: Facts;
  /** Trains the same again. */
  readonly command: string;
  /** Who made the page, and when. */
  readonly made: string;
}

export function runPage(report: RunReport): string {
  const { observation } = report;
  const numbers = Object.entries(report.figures).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  const seen = observation
    ? [
        confusionSection(observation),
        mistakesSection(observation),
        classesSection(observation),
        filtersSection(observation),
        activationsSection(observation),
        modelSection(observation.layers, observation.graph),
      ]
    : [tensorsSection(report.tensors)];
  return page({
    title: `${report.recipe}: report on a run`,
    lead: report.summary,
    head: figureBoxes(numbers.sort(([a], [b]) => Number(isShare(b)) - Number(isShare(a))).map(([name, value]) => [figureTitle(name), figureText(name, value)])),
    sections: [curvesSection(report.stages), wordsSection(report.words), ...seen, runSection(report)],
    foot: report.made,
  });
}

function wordsSection(words: string): Markup | undefined {
  const text = words.replace(/^\n+|\s+$/g, '');
  return text === '' ? undefined : html`<section id="test"><h2>Test</h2><pre tabindex="0">${text}</pre></section>`;
}

const runSection = ({ configuration, environment, command }: RunReport): Markup => html`<section id="run"><h2>Run</h2>
<div class="columns"><div><h3>Configuration</h3>${factList(Object.entries(configuration).map(([name, text]) => [figureTitle(name), text]))}</div><div><h3>Environment</h3>${factList(environment)}</div></div>
<div class="command"><h3>To repeat it</h3><pre tabindex="0">${command}</pre></div></section>`;
