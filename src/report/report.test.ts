import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineChart } from './chart.ts';
import { type ComparedRun, comparisonPage, comparisonText, optionRows, runName } from './comparison.ts';
import { chartsOf } from './curves.ts';
import { graphDrawing } from './graph-drawing.ts';
import { judge, worstMistakes } from './judgement.ts';
import { escaped, html } from './markup.ts';
import type { Observation, Shown } from './observe.ts';
import { brightness, dataUri, pictureSpan, signed } from './pictures.ts';
import { runPage } from './run-page.ts';
import { axisOf, figureText, figureTitle, placed, short } from './scale.ts';
import { terminalCurve } from './terminal-curve.ts';

const nasty = `<script>alert("1")</script> & 'co'`;

describe('markup', () => {
  test('escapes what is put in, once', () => {
    expect(html`<b title="${nasty}">${html`<i>${'a<b'}</i>`}${[1, undefined, false]}</b>`.text).toBe(
      '<b title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;co&#39;"><i>a&lt;b</i>1</b>',
    );
    expect(escaped('a\u0000b\u001b[1m')).toBe('a\ufffdb\ufffd[1m');
  });
});

describe('axes', () => {
  test('round ticks around the values', () => {
    expect(axisOf([0.043, 0.133])).toEqual({ low: 0.04, high: 0.14, ticks: [0.04, 0.06, 0.08, 0.1, 0.12, 0.14] });
    expect(axisOf([1, 3], { whole: true })).toEqual({ low: 1, high: 3, ticks: [1, 2, 3] });
    expect(axisOf([1], { whole: true }).ticks).toEqual([1]);
    expect(axisOf([Number.NaN]).ticks.length).toBeGreaterThan(1);
  });

  test('hold every value, with few ticks in order', () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(values, (list) => {
        const { low, high, ticks } = axisOf(list);
        expect(low).toBeLessThan(high);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(12);
        for (const [i, tick] of ticks.entries()) if (i > 0) expect(tick).toBeGreaterThan(ticks[i - 1]);
        const slack = 1e-6 * (high - low);
        for (const value of list) expect(value >= low - slack && value <= high + slack).toBe(true);
      }),
    );
  });

  test('places and texts', () => {
    expect(placed({ low: 1, high: 3, ticks: [] }, 2, 100, 0)).toBe(50);
    expect([0, 1234, 0.1, 12.5, 0.00001234, 1234.5, Number.NaN].map(short)).toEqual(['0', '1,234', '0.1', '12.5', '1.23e-5', '1,235', 'NaN']);
    expect([figureText('valAccuracy', 0.9855), figureText('loss', 0.22)]).toEqual(['98.55 %', '0.2200']);
    expect([figureTitle('valAnswerAccuracy'), figureTitle('value'), figureTitle('learningRate')]).toEqual([
      'validation answer accuracy',
      'value',
      'learning rate',
    ]);
  });
});

describe('curves', () => {
  const records = [
    { epoch: 1, loss: 2, valLoss: 3, learningRate: 0.1, seconds: 1 },
    { epoch: 2, loss: null, valLoss: 2, learningRate: 0.01, seconds: 2 },
  ];

  test('training and validation share a chart; seconds are no figure', () => {
    expect(chartsOf(records).map(({ title, series }) => [title, series.map(({ name }) => name)])).toEqual([
      ['loss', ['training', 'validation']],
      ['learning rate', ['learning rate']],
    ]);
  });

  test('what is not finite leaves a gap', () => {
    const series = [
      {
        name: nasty,
        points: [
          [1, 1],
          [2, Number.NaN],
          [3, 2],
        ] as const,
      },
    ];
    const { text } = lineChart({ title: 'loss', figure: 'loss', series });
    expect(text.match(/ d="(M[^L"]*M[^L"]*)"/)).not.toBeNull();
    expect(text).not.toContain('NaN');
    expect(text).not.toContain('<script');
  });

  test('in the terminal: lines of at most the given width', () => {
    expect(terminalCurve({ title: 'loss', values: [4, 2, 0], lines: 2 })).toEqual(['loss', '4 ┤████▁▁▁▁', '0 ┤████████▁▁▁▁']);
    const long = terminalCurve({ title: 'loss', values: Array.from({ length: 1000 }, (_, i) => 1 / (i + 1)) });
    expect(long).toHaveLength(7);
    expect(Math.max(...long.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(terminalCurve({ title: 'loss', values: [Number.NaN] })).toEqual([]);
  });
});

/** Three classes; the last row is a costly mistake. */
const logits = [5, 0, 0, 0, 5, 0, 0, 0, 5, 9, 0, 0];
const labels = [0, 1, 2, 1];
const judgement = judge(logits, labels, ['a', nasty, 'c']);

describe('judgement', () => {
  test('matrix, figures per class, loss', () => {
    expect(judgement.matrix).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [0, 0, 1],
    ]);
    expect(judgement.accuracy).toBe(0.75);
    const right = Math.log(1 + 2 * Math.exp(-5));
    expect(judgement.loss).toBeCloseTo((3 * right + Math.log(Math.exp(9) + 2)) / 4, 10);
    expect(judgement.perClass.map(({ precision, recall, support }) => [precision, recall, support])).toEqual([
      [0.5, 1, 1],
      [1, 0.5, 2],
      [1, 1, 1],
    ]);
    expect(judgement.perClass[0].f1).toBeCloseTo(2 / 3, 12);
    expect(worstMistakes(judgement, 5).map(({ row, guess }) => [row, guess])).toEqual([[3, 0]]);
  });

  test('huge logits give no NaN', () => {
    const { verdicts } = judge([1e6, 0, 0], [1], ['a', 'b', 'c']);
    expect(verdicts[0]).toMatchObject({ probability: 1, loss: 1e6 });
  });
});

describe('pictures', () => {
  test('ranges and signs', () => {
    expect([pictureSpan([0, 0.5]), pictureSpan([0, 200]), pictureSpan([-2, 2])]).toEqual([
      { low: 0, high: 1 },
      { low: 0, high: 255 },
      { low: -2, high: 2 },
    ]);
    const shape = { height: 1, width: 3, channels: 1 };
    expect([...brightness({ ...shape, data: [0, 0.5, 2] }, { low: 0, high: 1 }).data]).toEqual([0, 128, 255]);
    const [blue, white, red] = [0, 3, 6].map((at) => [...signed({ ...shape, data: [-1, 0, 1] }, 1).data.slice(at, at + 3)]);
    expect(white).toEqual([255, 255, 255]);
    expect(blue[2]).toBeGreaterThan(blue[0]);
    expect(red[0]).toBeGreaterThan(red[2]);
  });

  test('large ones are made small', async () => {
    const uri = await dataUri({ height: 200, width: 100, channels: 3, data: new Uint8Array(60_000) });
    const bytes = Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64');
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([32, 64]);
  });
});

async function observation(): Promise<Observation> {
  const picture = await dataUri({ height: 2, width: 2, channels: 1, data: Uint8Array.from([0, 80, 160, 240]) });
  const shown: Shown[] = judgement.verdicts.map((verdict) => ({ ...verdict, picture }));
  return {
    judgement,
    cells: new Map([['1-0', [shown[3]]]]),
    worst: [shown[3]],
    filters: undefined,
    activations: [],
    layers: [{ name: nasty, kind: 'linear', outputShape: [3], parameters: 12, multiplyAdds: 9 }],
    graph: [
      { name: 'x', op: 'input', inputs: [], shape: [1, 2, 2, 1] },
      { name: 'y', op: nasty, inputs: ['x'], shape: [1, 3] },
      { name: 'z', op: 'add', inputs: ['y', 'x'], shape: [1, 3] },
    ],
  };
}

const run = {
  recipe: 'net',
  summary: nasty,
  folder: nasty,
  stages: [{ name: '', records: [{ epoch: 1, loss: 1 }] }],
  figures: { testAccuracy: 0.75, wrong: 'text' },
  words: '',
  tensors: [],
  configuration: { data: nasty },
  environment: [['node', '20']],
  command: `gradix train net --data ${nasty}`,
  made: 'Made by gradix.',
} as const;

describe('pages', () => {
  test('nothing given is markup, nothing is loaded from elsewhere, sections that do not apply leave no heading', async () => {
    const text = runPage({ ...run, observation: await observation() });
    expect(text).not.toContain('<script>alert');
    expect(text.replaceAll('http-equiv', '')).not.toMatch(/https?:|\burl\(|@import|<link|src="(?!data:)/);
    expect(text).toContain('default-src &#39;none&#39;');
    const headings = [...text.matchAll(/<h2>([^<]*)/g)].map(([, title]) => title);
    expect(headings).toEqual(['Curves', 'Confusion matrix', 'Worst mistakes', 'Classes', 'Model', 'Run']);
    expect([...text.matchAll(/<li><a href="#([\w-]+)"/g)].map(([, id]) => text.includes(`<section id="${id}"`))).toEqual(headings.map(() => true));
    expect(text).toContain('data-cell="1-0"');
    expect(text).toContain('id="cell-1-0" hidden');
    expect(text.length).toBeLessThan(30_000);
  });

  test('a run that is no classifier', () => {
    const text = runPage({ ...run, words: `\nsaid ${nasty}\n`, stages: [{ name: '', records: [] }] });
    expect([...text.matchAll(/<h2>([^<]*)/g)].map(([, title]) => title)).toEqual(['Test', 'Run']);
    expect(text).toContain('said &lt;script&gt;');
  });

  test('a graph has a box per layer and a line per connection', () => {
    const nodes = [
      { name: 'x', op: 'input', inputs: [] },
      { name: 'a', op: 'conv', inputs: ['x'] },
      { name: 'b', op: 'add', inputs: ['a', 'x'] },
    ];
    const { text } = graphDrawing(nodes);
    expect(text.match(/<rect/g)).toHaveLength(3);
    expect(text.match(/<path/g)).toHaveLength(3);
    expect(text.match(/C\d/g)).toHaveLength(1); // round the side
  });
});

describe('comparison', () => {
  const compared = (name: string, learningRate: string, valAccuracy: readonly number[]): ComparedRun => ({
    name,
    options: { recipe: 'net', learningRate },
    stages: [{ name: '', records: valAccuracy.map((value, i) => ({ epoch: i + 1, loss: 1 / (i + 1), valAccuracy: value, seconds: i })) }],
  });
  const runs = [compared('runs/a', '0.1', [0.5, 0.7, 0.6]), compared('runs/b', '0.2', [0.9])];

  test('what differs comes first; validation counts where it is best', () => {
    expect(optionRows(runs).map(({ title, differs }) => [title, differs])).toEqual([
      ['learning rate', true],
      ['recipe', false],
    ]);
    const text = comparisonText(runs);
    expect(text).toMatch(/^ +a +b\n\* learning rate +0\.1 +0\.2\n/);
    expect(text).toMatch(/validation accuracy, best +70\.00 % \(2\) +90\.00 % \(1\)/);
  });

  test('many runs stay within 80 columns', () => {
    const many = Array.from({ length: 9 }, (_, i) => compared(`runs/a-name-that-is-rather-long-${i}`, String(i), [i / 10]));
    const lines = comparisonText(many).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    for (let i = 0; i < 9; i++) expect(lines.join('\n')).toContain(`-long-${i}`);
    expect(runName('x/abcdefghij/', 5)).toBe('ab…ij');
  });

  test('the page overlays the curves', () => {
    const text = comparisonPage(runs, nasty);
    expect([...text.matchAll(/<h2>([^<]*)/g)].map(([, title]) => title)).toEqual(['Options that differ', 'Outcome', 'Curves', 'Options in common']);
    expect(text.match(/<figure class="chart">/g)).toHaveLength(2);
    expect(text).not.toContain('<script>alert');
  });
});
