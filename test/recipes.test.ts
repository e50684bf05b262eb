/** Recipes that are more than one net on digits: what they print, and that an interrupted run goes on with the same bits, stage by stage. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { buildCommand, type Command, lines, type RunOptions, writeSmallMnist } from './support/command.ts';

vi.setConfig({ testTimeout: 300_000 }); // nets are trained, by a C compiler's leave

let command: Command;
const at = (name: string): string => join(command.folder, name);

beforeAll(async () => {
  command = buildCommand();
  await writeSmallMnist(at('mnist'));
  const words = ['the king', 'a crown', 'my lord', 'good night', 'sweet words', 'no more'];
  const drawn = (i: number): number => Math.floor(1000 * Math.abs(Math.sin(i * i))) % words.length;
  writeFileSync(at('text.txt'), Array.from({ length: 1500 }, (_, i) => `${words[drawn(i)]}${i % 5 === 0 ? '.\n' : ' '}`).join(''));
}, 120_000);
afterAll(() => command.close());

/** Trains, gives the last event, and what was printed for people. */
async function trained(recipe: string, out: string, more: readonly string[], options?: RunOptions) {
  const outcome = await command.run(['train', recipe, '--out', at(out), '--json', ...more], options);
  const events = outcome.out === '' ? [] : lines(outcome.out);
  return { ...outcome, events, done: events.at(-1) ?? {} };
}

/** Sends Ctrl-C after this many epochs. */
function interruptAfter(epochs: number): RunOptions {
  let seen = 0;
  return {
    watch(text, kill) {
      const before = seen;
      seen += text.split('"event":"epoch"').length - 1;
      if (before < epochs && seen >= epochs) kill('SIGINT');
    },
  };
}

const bytes = (path: string): Buffer => readFileSync(at(path));

test('bag: five nets and their mean; interrupted in the third net it goes on there', async () => {
  const options = ['--data', at('mnist'), '--epochs', '2', '--batch-size', '50'];
  const whole = await trained('bag', 'bag', options);
  expect(whole.code).toBe(0);
  expect(whole.err).toMatch(/their mean +accuracy .*\n +the bag +accuracy/);
  expect(whole.events.filter(({ event }) => event === 'start').map(({ stage }) => stage)).toEqual([1, 2, 3, 4, 5].map((i) => `member-${i}`));
  expect(whole.done).toMatchObject({ event: 'done', recipe: 'bag', parameters: 5 * 203_530, examples: 200 });
  const broken = await trained('bag', 'broken', options, interruptAfter(5));
  expect(broken.code).toBe(130);
  expect(readdirSync(at('broken')).sort()).toEqual(['config.json', 'member-1', 'member-2', 'member-3']);
  const resumed = await command.run(['train', '--resume', at('broken'), '--json']);
  expect(lines(resumed.out).at(-1)).toMatchObject({ testAccuracy: whole.done.testAccuracy, testLoss: whole.done.testLoss });
  for (const i of [1, 3, 5]) expect(bytes(`broken/member-${i}/model.safetensors`).equals(bytes(`bag/member-${i}/model.safetensors`))).toBe(true);
  expect((await command.run(['info', at('bag')])).out).toMatch(/^bag on .*\n.*\n\nmember-1\nepoch 1 .*\nepoch 2 .*\n\n.*203,530 values[\s\S]*\nmember-5\n/);
  const evaluated = await command.run(['eval', at('bag'), '--json']);
  expect(lines(evaluated.out)[0]).toMatchObject({ testAccuracy: whole.done.testAccuracy });
});

test('fine-tune: the second net has the convolutions of the first, bit for bit, and another head', async () => {
  const { code, err, done } = await trained('fine-tune', 'tuned', ['--data', at('mnist'), '--epochs', '2']);
  expect(code).toBe(0);
  expect(err).toMatch(/on 5–9, with 66,309 of 79,557 parameters trained again/);
  expect(Number(done.testAccuracy)).toBeGreaterThan(0.5);
  const { io } = await import('../src/index.ts');
  const [low, high] = await Promise.all(['digits-0-4', 'digits-5-9'].map((name) => io.readSafetensors(at(`tuned/${name}/model.safetensors`))));
  const same = (name: string): boolean => low.tensors.get(name)?.data.toString() === high.tensors.get(name)?.data.toString();
  expect([...high.tensors.keys()].map((name) => [name, same(name)])).toEqual([...low.tensors.keys()].map((name) => [name, name.startsWith('0.')]));
});

test('early-stop: it stops, and the weights are those of the best epoch', async () => {
  const { code, done, events } = await trained('early-stop', 'early', ['--data', at('mnist'), '--learning-rate', '0.01']);
  expect(code).toBe(0);
  expect(done).toMatchObject({ stopped: true, bestEpoch: Number(done.epochs) - 5 });
  const epochs = events.filter(({ event }) => event === 'epoch');
  expect(done.valLoss).toBeCloseTo(Number(epochs[Number(done.bestEpoch) - 1].valLoss), 6);
  expect(done.lastValLoss).toBeCloseTo(Number(epochs.at(-1)?.valLoss), 6);
  expect(Number(done.lastValLoss)).toBeGreaterThan(Number(done.valLoss));
});

test('addition: learns, and both orders of a pair stay on one side', async () => {
  const { code, err, done } = await trained('addition', 'sums', ['--epochs', '3']);
  expect(code).toBe(0);
  expect(err).toContain('7,000 to train, 1,000 to validate, 2,000 to test');
  expect(err).toMatch(/^ +\d+\+\d+ = /m);
  expect(Number(done.testCharacterAccuracy)).toBeGreaterThan(0.4);
  expect((await command.run(['train', 'addition', '--data', at('mnist')])).err).toMatch(/this recipe makes its own data/);
});

test('char-lstm: beats the unigram at once; interrupted within an epoch it goes on with the state it carried', async () => {
  const options = ['--data', at('text.txt'), '--epochs', '3', '--batch-size', '4'];
  const whole = await trained('char-lstm', 'text', options);
  expect(whole.code).toBe(0);
  expect(whole.err).toMatch(/5-gram \(Witten–Bell\) +\d\.\d{3}\n +this net +\d\.\d{3}\n\n── temperature 0\.5\n/);
  expect(Number(whole.done.testLoss)).toBeLessThan(Number(whole.done.unigram));
  const broken = await trained('char-lstm', 'text-broken', options, interruptAfter(1));
  expect(broken.code).toBe(130);
  const resumed = await command.run(['train', '--resume', at('text-broken'), '--json']);
  expect(lines(resumed.out).at(-1)).toMatchObject({ testLoss: whole.done.testLoss, samples: whole.done.samples });
  expect(bytes('text-broken/model.safetensors').equals(bytes('text/model.safetensors'))).toBe(true);
});
