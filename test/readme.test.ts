/** The tour in the README type-checks and runs, as a program of its own that knows the package only by its public name. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}.cache/readme-${process.pid}`;
const node = (...args: string[]): string => execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 120_000 });

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the tour of the README compiles, runs and learns', () => {
  expect(existsSync(`${root}dist/index.js`), 'dist/ is built (npm run build)').toBe(true);
  const tour = readFileSync(`${root}README.md`, 'utf8').match(/```ts\n([\s\S]*?)```/)?.[1] ?? '';
  expect(tour.trim().split('\n').length).toBeLessThanOrEqual(30);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/tour.ts`, tour);
  const compilerOptions = { target: 'ES2022', module: 'NodeNext', strict: true, skipLibCheck: true, rootDir: '.', types: ['node'] };
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, files: ['tour.ts'] }));
  node('node_modules/typescript/bin/tsc', '-p', folder);
  const output = node(`${folder}/tour.js`);
  expect(output).toContain('[ 2, 2 ] [ [ 6, 12 ], [ 12, 26 ] ]\n12\n');
  const losses = output.trim().split('\n').slice(-40).map(Number);
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(losses[39]).toBeLessThan(losses[0] / 2);
}, 300_000);
