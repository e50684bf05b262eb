/** The tour in the README runs, as a program of its own that knows the package only by its public name. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}.cache/readme-${process.pid}`;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the tour of the README runs and learns', () => {
  expect(existsSync(`${root}dist/index.js`), 'dist/ is built (npm run build)').toBe(true);
  const [, tour] = readFileSync(`${root}README.md`, 'utf8').match(/```ts\n([\s\S]*?)```/) ?? [];
  expect(tour.trim().split('\n').length).toBeLessThanOrEqual(40);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/tour.mjs`, tour);
  const output = execFileSync(process.execPath, [`${folder}/tour.mjs`], { encoding: 'utf8', timeout: 120_000 });
  expect(output).toContain('[ 2, 2 ] [ [ 6, 12 ], [ 12, 26 ] ]');
  expect(output).toMatch(/^12(\.0+\d*)?$|^11\.99999\d*$/m);
  const losses = output.trim().split('\n').map(Number).filter(Number.isFinite);
  expect(losses.length).toBeGreaterThanOrEqual(40);
  expect(losses.at(-1)).toBeLessThan(losses.at(-40) as number);
}, 150_000);
