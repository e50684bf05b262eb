/** Which machine and which versions the figures of a record belong to. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { python } from './workers.mjs';

/** The first line that a command prints, or undefined. */
function firstLine(command, args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0];
  } catch {
    return undefined;
  }
}

export function machine() {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'));
  return {
    name: 'machine',
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model.trim(),
    cores: availableParallelism(),
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split('-')[0]}`,
    gradix: version,
    node: process.version.slice(1),
    compiler: firstLine(process.env.GRADIX_CC ?? 'cc', ['--version']),
    torch: firstLine(python, ['-c', 'import torch; print(torch.__version__)']),
  };
}
