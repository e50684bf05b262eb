/** npm test: set-up, then all tests (or those named), and last one plain line: "N passed, N failed, N skipped". */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runNode, setup } from './setup.mjs';

setup();
const folder = mkdtempSync(join(tmpdir(), 'gradix-test-'));
const report = join(folder, 'report.json');
let status = runNode('node_modules/vitest/vitest.mjs', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
]);
try {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  // A file that could not even be loaded has no tests in it: count it as one failure.
  const broken = result.testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')).length;
  const failed = result.numFailedTests + broken;
  if (failed > 0 && status === 0) status = 1;
  console.log(`${result.numPassedTests} passed, ${failed} failed, ${result.numPendingTests + result.numTodoTests} skipped`);
} catch {
  console.log('0 passed, 1 failed, 0 skipped');
  status ||= 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(status);
