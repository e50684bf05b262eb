/** npm run check: format and lint, types, architecture. Runs all three and fails if any does. */
import { runNode, setup } from './setup.mjs';

setup();
const steps = [
  ['format and lint', 'node_modules/@biomejs/biome/bin/biome', ['check', '--max-diagnostics=50', '.']],
  ['types', 'node_modules/typescript/bin/tsc', ['--noEmit', '-p', '.']],
  ['architecture', 'scripts/architecture.mjs', []],
];
const failed = [];
for (const [title, file, args] of steps) {
  console.log(`── ${title}`);
  if (runNode(file, args) !== 0) failed.push(title);
}
console.log(failed.length === 0 ? 'check: all well' : `check: failed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
