/** What goes wrong in the middle of a training run leaves what the run had reached. Further tests of bad files: data-folders.test.ts, data-fuzz.test.ts. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { data, fit, nn, optim, seed, train } from '../src/index.ts';

const root = mkdtempSync(join(tmpdir(), 'gradix-bad-data-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Two classes of four grey pictures, 4 × 4. */
function pictures(name: string): string {
  for (const [label, kind] of ['dark', 'light'].entries()) {
    mkdirSync(join(root, name, kind), { recursive: true });
    for (let i = 0; i < 4; i++)
      writeFileSync(join(root, name, kind, `${i}.pgm`), Buffer.concat([Buffer.from('P5\n4 4\n255\n'), Buffer.alloc(16, 100 * label + 10 * i)]));
  }
  return join(root, name);
}

interface Result {
  readonly losses: readonly unknown[];
  readonly weights: readonly number[];
}

/** Trains for three epochs, from the checkpoint if there is one; `epochEnd` is told how many are over. */
async function run(folder: string, out: string, epochEnd: (epochs: number) => void): Promise<Result> {
  seed(5);
  const model = nn.sequential(nn.flatten(), nn.linear(2));
  const history = await fit(model, await data.imageFolder(folder), {
    epochs: 3,
    batchSize: 4,
    loss: 'crossEntropy',
    optimizer: optim.adam({ learningRate: 0.01 }),
    callbacks: [train.checkpoint(out), { name: 'watch', epochEnd: ({ history: epochs }) => epochEnd(epochs.length) }],
    ...((await train.hasCheckpoint(out)) && { resume: await train.loadCheckpoint(out) }),
  });
  return {
    losses: history.epochs.map(({ loss }) => loss),
    weights: model.parameters().flatMap((parameter) => [...parameter.dataSync()].map(Number)),
  };
}

test.each([
  ['vanishes', (path: string) => unlinkSync(path), /light\/2\.pgm was there when the folder was opened and is gone now/],
  ['is cut short', (path: string) => writeFileSync(path, 'P5\n4 4\n255\nabc'), /light\/2\.pgm holds 3 of 16 values\. The file is truncated/],
  ['becomes another file', (path: string) => writeFileSync(path, 'no picture'), /light\/2\.pgm is no PNG, JPEG, PGM or PPM picture/],
  ['gets another size', (path: string) => writeFileSync(path, 'P5\n2 2\n255\nabcd'), /light\/2\.pgm is 2 × 2 pixels, not 4 × 4/],
  ['gets colours', (path: string) => writeFileSync(path, `P6\n4 4\n255\n${'x'.repeat(48)}`), /light\/2\.pgm has 3 channels, not 1/],
])('a picture %s in the second epoch: the error names it, and the run goes on from its checkpoint when the file is back', async (what, damage, message) => {
  const [folder, out] = [pictures(what), join(root, `run ${what}`)];
  const picture = join(folder, 'light/2.pgm');
  const sound = readFileSync(picture);
  const nothing = (): void => {};
  const whole = await run(folder, join(root, `whole ${what}`), nothing);
  await expect(run(folder, out, (epochs) => epochs === 1 && damage(picture))).rejects.toThrow(message);
  await expect(run(folder, out, nothing)).rejects.toThrow(what === 'vanishes' ? /saved with examples 8, but now it is 7/ : message);
  writeFileSync(picture, sound);
  const resumed: number[] = [];
  expect(await run(folder, out, (epochs) => resumed.push(epochs))).toEqual(whole);
  expect(resumed).toEqual([2, 3]);
});
