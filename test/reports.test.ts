/** gradix report and gradix compare, as their users meet them. Runs a build in child processes. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCommand, type Command, lines, type Outcome, writeSmallMnist } from './support/command.ts';

let command: Command;
const at = (name: string): string => join(command.folder, name);
const gradix = (...args: readonly string[]): Promise<Outcome> => command.run(args);
const headings = (page: string): string[] => [...page.matchAll(/<h2>([^<]*)/g)].map(([, title]) => title);

beforeAll(async () => {
  command = buildCommand();
  await writeSmallMnist(at('mnist'));
  const train = (recipe: string, out: string, ...more: string[]) => gradix('train', recipe, '--out', at(out), '--batch-size', '50', ...more);
  expect((await train('lenet5', 'convolutions', '--data', at('mnist'), '--epochs', '1')).code).toBe(0);
  expect((await train('softmax', 'softmax', '--data', at('mnist'), '--epochs', '3')).code).toBe(0);
  expect((await train('addition', 'sums', '--epochs', '1')).code).toBe(0);
}, 300_000);
afterAll(() => command.close());

describe('report', () => {
  test('an image classifier: one page with everything in it, and the figures of eval', async () => {
    const { code, out } = await gradix('report', at('convolutions'), '--json');
    expect(code).toBe(0);
    const [event] = lines(out);
    const evaluated = lines((await gradix('eval', at('convolutions'), '--json')).out)[0];
    expect(event).toMatchObject({ event: 'report', out: join(at('convolutions'), 'report.html'), testAccuracy: evaluated.testAccuracy });
    expect(Number(event.testLoss)).toBeCloseTo(Number(evaluated.testLoss), 5);
    const page = readFileSync(String(event.out), 'utf8');
    expect(headings(page)).toEqual(['Curves', 'Confusion matrix', 'Worst mistakes', 'Classes', 'First layer', 'Activations', 'Model', 'Run']);
    expect(page).toContain(`gradix train lenet5 --data ${at('mnist')} --epochs 1 --batch-size 50 --learning-rate 0.003 --seed 0`);
    expect(page).not.toMatch(/https?:/);
    expect(page.match(/data:image\/png/g)?.length).toBeGreaterThan(100);
    expect(page.length).toBeLessThan(1_000_000);
    expect(page.match(/<input type="radio"/g)?.length).toBe(page.match(/<div class="stages">/g)?.length);
  });

  test('another kind of run: what applies, and no empty headings', async () => {
    const { code, out } = await gradix('report', at('sums'), '--out', at('sums.html'));
    expect([code, out]).toEqual([0, expect.stringMatching(/sums\.html: \d+ KiB; open it in a browser\n$/)]);
    const page = readFileSync(at('sums.html'), 'utf8');
    expect(headings(page)).toEqual(['Curves', 'Test', 'Model', 'Run']);
    expect(page).toContain('of the answers are right');
    expect(page).toContain('encoder.recurrentWeight');
  });

  test('errors', async () => {
    mkdirSync(at('begun'));
    writeFileSync(at('begun/config.json'), readFileSync(at('softmax/config.json')));
    const cases: [string[], number, RegExp][] = [
      [[], 2, /^gradix report: which run\?/],
      [[at('softmax'), at('sums')], 2, /^gradix report: one run at a time/],
      [['/nowhere'], 1, /^gradix report: \/nowhere is not a run: it holds no config\.json\./],
      [[at('begun')], 1, /^gradix report: .*begun holds no net yet: the run has not finished an epoch\. Go on with it: gradix train --resume .*begun\n$/],
      [[at('softmax'), '--data', '/nowhere'], 1, /^mnist: found no train-images-idx3-ubyte\.gz in \/nowhere/],
      [[at('softmax'), '--out', '/nowhere/page.html'], 1, /^gradix report: .*\/nowhere/],
    ];
    for (const [args, code, text] of cases) {
      const outcome = await gradix('report', ...args);
      expect([args, outcome.code, outcome.out + outcome.err]).toEqual([args, code, expect.stringMatching(text)]);
    }
    writeFileSync(at('begun/history.jsonl'), '{"epoch":1,"loss":1}\n{"epo');
    writeFileSync(at('begun/model.safetensors'), readFileSync(at('softmax/model.safetensors')));
    expect((await gradix('report', at('begun'))).err).toMatch(/line 2 of .*history\.jsonl is damaged/);
    expect((await gradix('compare', at('softmax'), at('begun'))).err).toMatch(/line 2 of .*history\.jsonl is damaged/);
  });
});

describe('compare', () => {
  test('a table, JSON and a page', async () => {
    const { code, out } = await gradix('compare', at('convolutions'), at('softmax'), '--out', at('compared.html'));
    expect(code).toBe(0);
    expect(out).toMatch(/\* recipe +lenet5 +softmax\n/);
    expect(out).toMatch(/validation accuracy, best +[\d.]+ % \(1\) +[\d.]+ % \(\d\)\n/);
    const table = out.slice(0, out.indexOf('\n\n')).split('\n');
    expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(headings(readFileSync(at('compared.html'), 'utf8'))).toEqual(['Options that differ', 'Outcome', 'Curves', 'Options in common']);
    const [event] = lines((await gradix('compare', at('convolutions'), at('softmax'), '--json')).out);
    expect(event).toMatchObject({ event: 'compare', differing: expect.arrayContaining([{ option: 'recipe', values: ['lenet5', 'softmax'] }]) });
  });

  test('one run is too few', async () => {
    const { code, err } = await gradix('compare', at('softmax'));
    expect([code, err]).toEqual([2, expect.stringMatching(/^gradix compare: needs two runs or more, got 1\./)]);
  });

  test('info draws the loss of a run', async () => {
    expect((await gradix('info', at('softmax'))).out).toMatch(/\nloss\n *[\d.]+ ┤█+/);
  });
});
