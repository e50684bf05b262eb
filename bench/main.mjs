/**
 * The benchmarks. Every competitor (gradix, PyTorch in two settings, other frameworks in JavaScript) is a process of its own that times a named workload on request; they take turns
 * within the same minute, and while one works the others are stopped. Figures are medians over all calls of all turns.
 */
import { parseArgs } from 'node:util';
import { ceilingsReport, exploreReport, feedingReport, fitReport, memoryReport, pageReport, pageStartReport, startReport } from './probes.mjs';
import { comparableTorch, engine, installPeers, scriptPeers, startGradix, startTorch } from './workers.mjs';
import { workloadNames, workloads } from './workloads.mjs';

const usage = `npm run bench -- [--peer NAME]… [--device NAME] [--json] [--only NAME,NAME] [--all] [--rounds N] [--blocks N] [--threads N,N]
npm run bench -- --start | --memory | --explore | --ceilings | --fit | --feeding | --page [--json]

  --peer torch   also time PyTorch, in turns; the better of its two settings counts (needs python3 with torch; GRADIX_PYTHON names another python)
  --peer jax-js, --peer tfjs
                 also time these; they and gradix run in Node 24, which npx brings. They have one thread; by default gradix runs with one and with two
  --device       native, wasm or reference (default: the fastest)
  --only         these workloads; without it the main six, with --all every one:
                 ${workloadNames.join('\n                 ')}
  --rounds       calls per workload in all (default: by its size), divided over --blocks turns (default 3)
  --threads      threads for every competitor that can have them, one run for each count (default 2)
  --start        first training step of the digit net with a cold and a warm kernel cache, and the time of importing gradix;
                 with --device wasm in a page of Chromium (GRADIX_CHROMIUM names another), from opening it
  --memory       growth of the resident memory over 20,000 training steps and 20,000 lazy evaluations
  --explore      100 different small expressions in a fresh process
  --ceilings     what the processor can do at most, on --threads: multiply-add fed from the first cache, reading from the second and from memory, a barrier
  --fit          training by fit with progress, a metric and checkpoints against the bare compiled step
  --feeding      training fed from pictures in a tar, decoded and augmented, against training from memory; memory while a large set streams
  --page         how smooth a page stays while a worker of it trains (needs Chromium): frames per second and the longest task of its main thread
  --json         one JSON object per line`;

const options = {
  peer: { type: 'string', multiple: true },
  device: { type: 'string' },
  json: { type: 'boolean', default: false },
  only: { type: 'string' },
  all: { type: 'boolean', default: false },
  rounds: { type: 'string' },
  blocks: { type: 'string', default: '3' },
  threads: { type: 'string' },
  start: { type: 'boolean', default: false },
  memory: { type: 'boolean', default: false },
  explore: { type: 'boolean', default: false },
  ceilings: { type: 'boolean', default: false },
  fit: { type: 'boolean', default: false },
  feeding: { type: 'boolean', default: false },
  page: { type: 'boolean', default: false },
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

/** A competitor's turn: its milliseconds, or why it cannot do the workload. */
async function turn(competitor, request, result) {
  if (result.error) return;
  try {
    result.times.push(...(await competitor.time(request)));
  } catch (error) {
    result.error = error.message;
  }
}

/** Times one workload on all competitors in turns; for each the median in milliseconds or an error. */
async function inTurns(name, competitors, { rounds, blocks, limit }) {
  const results = competitors.map(() => ({ times: [], error: undefined }));
  const calls = Math.max(1, Math.ceil((rounds ?? workloads[name]?.rounds ?? 30) / blocks));
  for (let block = 0; block < blocks; block++) {
    for (const [i, competitor] of competitors.entries())
      await turn(competitor, { workload: name, warmup: 3, calls, ...(limit && { limit_s: limit }) }, results[i]);
  }
  return results.map(({ times, error }) => (error ? { error } : { ms: median(times) * 1e3 }));
}

/** What the engine's multiply-add could do at most, GFLOP/s, in turns with nothing else: asked for just before a workload is compared with it. */
async function enginePeak(gradix, settings) {
  const [{ ms, error }] = await inTurns('multiply-add', [gradix], settings);
  if (error) throw new Error(error);
  return gradix.facts.multiplyAddFlops / ms / 1e6;
}

async function compare(name, { gradix, peers, threads, device }, settings) {
  const [own, ...others] = await inTurns(name, [gradix, ...peers], settings);
  if (own.error) throw new Error(own.error);
  const { ms } = own;
  const row = { name, ms: rounded(ms, 4), threads, ...(device && { device }) };
  const able = others.flatMap((result, i) => (result.error ? [] : [{ ...result, setting: peers[i].setting }]));
  if (able.length > 0) {
    const best = able.reduce((a, b) => (b.ms < a.ms ? b : a));
    Object.assign(row, { peer_ms: rounded(best.ms, 4), ratio: rounded(best.ms / ms, 3), peer_setting: best.setting });
  }
  if (others.length > 0) row.peers = Object.fromEntries(others.map((result, i) => [peers[i].setting, result.error ?? rounded(result.ms, 4)]));
  const { flops, images } = workloads[name];
  if (images) row.per_second = Math.round(images / (ms / 1e3));
  if (flops) row.gflops = rounded(flops / ms / 1e6, 1);
  if (flops && device === 'wasm') row.peak_gflops = rounded(await enginePeak(gradix, settings), 1);
  return row;
}

const columns = { name: 38, threads: 8, ms: 10, peer_ms: 10, ratio: 7, gflops: 8, peer_setting: 14 };
const show = (row) =>
  Object.entries(columns)
    .map(([key, width]) => (key === 'name' ? String(row[key] ?? '').padEnd(width) : String(row[key] ?? '').padStart(width)))
    .join(' ')
    .trimEnd();

const peerNames = ['torch', ...Object.keys(scriptPeers)];
/** What the JavaScript peers can do, and how long they may take for a turn of it. */
const scriptWorkloads = ['gemm-1024', 'mlp-784-256-10-b64-adam', 'lenet3-b32-train'];
const scriptLimit = 8;

/** gradix and its peers, started, with so many threads. */
async function startAll(names, threads, device) {
  const scripts = names.filter((name) => name in scriptPeers);
  if (scripts.length === 0) {
    const peers = names.includes('torch') ? [await startTorch(threads, 'default'), await startTorch(threads, 'pinned')] : [];
    if (peers.length > 0) await comparableTorch(peers);
    return { gradix: await startGradix(threads, { device }), peers, threads, device };
  }
  installPeers();
  const node = engine();
  const peers = await Promise.all(scripts.flatMap((name) => scriptPeers[name](node)));
  return { gradix: await startGradix(threads, { device, node }), peers, threads, device };
}

async function runWorkloads(values) {
  const names = values.peer ?? [];
  for (const name of names) if (!peerNames.includes(name)) wrongUsage(`there is no peer ${name}; there are ${peerNames.join(', ')}`);
  const scripts = names.some((name) => name in scriptPeers);
  if (scripts && names.includes('torch')) wrongUsage('torch and JavaScript peers are measured apart: they need different settings');
  const all = values.only?.split(',') ?? (scripts ? scriptWorkloads : workloadNames.slice(0, values.all ? undefined : 6));
  for (const name of all) if (!(name in workloads)) wrongUsage(`there is no workload ${name}`);
  const settings = {
    rounds: values.rounds && positive('rounds', values.rounds),
    blocks: positive('blocks', values.blocks),
    limit: scripts ? scriptLimit : undefined,
  };
  const counts = (values.threads ?? (scripts ? '1,2' : '2')).split(',').map((text) => positive('threads', text));

  let failed = false;
  if (!values.json) console.log(show(Object.fromEntries(Object.keys(columns).map((key) => [key, key]))));
  for (const threads of counts) {
    const competitors = await startAll(names, threads, values.device);
    try {
      for (const name of all) {
        try {
          const row = await compare(name, competitors, settings);
          console.log(values.json ? JSON.stringify(row) : show(row));
        } catch (error) {
          failed = true;
          console.log(values.json ? JSON.stringify({ name, error: error.message }) : `${name}: ${error.message}`);
        }
      }
    } finally {
      for (const competitor of [competitors.gradix, ...competitors.peers]) competitor.end();
    }
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
  const reports = {
    start: values.device === 'wasm' ? pageStartReport : startReport,
    memory: memoryReport,
    explore: exploreReport,
    ceilings: ceilingsReport,
    fit: fitReport,
    feeding: feedingReport,
    page: pageReport,
  };
  const probes = Object.entries(reports).flatMap(([name, report]) => (values[name] ? [report] : []));
  if (probes.length === 0) return runWorkloads(values);
  for (const probe of probes) await probe(print(values), positive('threads', values.threads ?? '2'));
  return 0;
}

process.exitCode = await main().catch((error) => {
  console.error(`bench: ${error.message}`);
  return 1;
});
