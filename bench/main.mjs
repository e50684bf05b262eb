/**
 * The benchmarks. Every competitor (gradix, and PyTorch in two settings) is a process of its own that times a named workload on request; they take turns
 * within the same minute, and while one works the others are stopped. Figures are medians over all calls of all turns.
 */
import { parseArgs } from 'node:util';
import { ceilingsReport, exploreReport, fitReport, memoryReport, startReport } from './probes.mjs';
import { comparableTorch, startGradix, startTorch } from './workers.mjs';
import { workloadNames, workloads } from './workloads.mjs';

const usage = `npm run bench -- [--peer torch] [--json] [--only NAME,NAME] [--all] [--rounds N] [--blocks N] [--threads N]
npm run bench -- --start | --memory | --explore | --ceilings | --fit [--json]

  --peer torch   also time PyTorch, in turns; the better of its two settings counts (needs python3 with torch; GRADIX_PYTHON names another python)
  --only         these workloads; without it the main six, with --all every one:
                 ${workloadNames.join('\n                 ')}
  --rounds       calls per workload in all (default: by its size), divided over --blocks turns (default 3)
  --threads      threads for every competitor (default 2)
  --start        first training step of the digit net with a cold and a warm kernel cache, and the time of importing gradix
  --memory       growth of the resident memory over 20,000 training steps and 20,000 lazy evaluations
  --explore      100 different small expressions in a fresh process
  --ceilings     what the processor can do at most, on --threads: multiply-add fed from the first cache, reading from the second and from memory, a barrier
  --fit          training by fit with progress, a metric and checkpoints against the bare compiled step
  --json         one JSON object per line`;

const options = {
  peer: { type: 'string' },
  json: { type: 'boolean', default: false },
  only: { type: 'string' },
  all: { type: 'boolean', default: false },
  rounds: { type: 'string' },
  blocks: { type: 'string', default: '3' },
  threads: { type: 'string', default: '2' },
  start: { type: 'boolean', default: false },
  memory: { type: 'boolean', default: false },
  explore: { type: 'boolean', default: false },
  ceilings: { type: 'boolean', default: false },
  fit: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

const wrongUsage = (text) => {
  console.error(`bench: ${text}\n\n${usage}`);
  process.exit(2);
};

function readArguments() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return wrongUsage(error.message);
  }
}

const positive = (name, text) => (/^[1-9]\d*$/.test(text) ? Number(text) : wrongUsage(`--${name} needs a whole number ≥ 1, got ${text}`));

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const rounded = (value, digits) => Number(value.toFixed(digits));

/** Times one workload on all competitors in turns; milliseconds by competitor. */
async function inTurns(name, competitors, { rounds, blocks }) {
  const times = competitors.map(() => []);
  const calls = Math.max(1, Math.ceil((rounds ?? workloads[name].rounds) / blocks));
  for (let block = 0; block < blocks; block++) {
    for (const [i, competitor] of competitors.entries()) {
      times[i].push(...(await competitor.time({ workload: name, warmup: 3, calls })));
    }
  }
  return times.map((seconds) => median(seconds) * 1e3);
}

async function compare(name, gradix, peers, settings) {
  const [ms, ...peerMs] = await inTurns(name, [gradix, ...peers], settings);
  const row = { name, ms: rounded(ms, 4) };
  if (peers.length > 0) {
    const best = peerMs.indexOf(Math.min(...peerMs));
    Object.assign(row, { peer_ms: rounded(peerMs[best], 4), ratio: rounded(peerMs[best] / ms, 3), peer_setting: peers[best].setting });
  }
  const { flops } = workloads[name];
  if (flops) row.gflops = rounded(flops / ms / 1e6, 1);
  return row;
}

const columns = { name: 38, ms: 10, peer_ms: 10, ratio: 7, gflops: 8, peer_setting: 14 };
const show = (row) =>
  Object.entries(columns)
    .map(([key, width]) => (key === 'name' ? String(row[key] ?? '').padEnd(width) : String(row[key] ?? '').padStart(width)))
    .join(' ')
    .trimEnd();

async function runWorkloads(values) {
  const all = values.only?.split(',') ?? workloadNames.slice(0, values.all ? undefined : 6);
  for (const name of all) if (!(name in workloads)) wrongUsage(`there is no workload ${name}`);
  if (values.peer !== undefined && values.peer !== 'torch') wrongUsage(`the only peer is torch, got ${values.peer}`);
  const settings = { rounds: values.rounds && positive('rounds', values.rounds), blocks: positive('blocks', values.blocks) };
  const threads = positive('threads', values.threads);

  const gradix = await startGradix(threads);
  const peers = values.peer ? [await startTorch(threads, 'default'), await startTorch(threads, 'pinned')] : [];
  let failed = false;
  try {
    if (peers.length > 0) await comparableTorch(peers);
    if (!values.json) console.log(show(Object.fromEntries(Object.keys(columns).map((key) => [key, key]))));
    for (const name of all) {
      try {
        const row = await compare(name, gradix, peers, settings);
        console.log(values.json ? JSON.stringify(row) : show(row));
      } catch (error) {
        failed = true;
        console.log(values.json ? JSON.stringify({ name, error: error.message }) : `${name}: ${error.message}`);
      }
    }
  } finally {
    for (const competitor of [gradix, ...peers]) competitor.end();
  }
  return failed ? 1 : 0;
}

const print = (values) => (row) =>
  console.log(
    values.json
      ? JSON.stringify(row)
      : Object.entries(row)
          .map(([key, value]) => `${key} ${value}`)
          .join('  '),
  );

async function main() {
  const values = readArguments();
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const reports = { start: startReport, memory: memoryReport, explore: exploreReport, ceilings: ceilingsReport, fit: fitReport };
  const probes = Object.entries(reports).flatMap(([name, report]) => (values[name] ? [report] : []));
  if (probes.length === 0) return runWorkloads(values);
  for (const probe of probes) await probe(print(values), positive('threads', values.threads));
  return 0;
}

process.exitCode = await main().catch((error) => {
  console.error(`bench: ${error.message}`);
  return 1;
});
