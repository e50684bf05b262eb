/** The benchmarks: what is asked for on the command line, handed to the files that measure it. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { boundsReport } from './bounds.mjs';
import { peakMemoryReport, scalingReport, tinyReport, workloadsReport } from './comparisons.mjs';
import { compileReport } from './compile-time.mjs';
import { writeDocs } from './documents.mjs';
import { machine } from './machine.mjs';
import { printer } from './output.mjs';
import { ceilingsReport, exploreReport, feedingReport, fitReport, memoryReport, pageReport, pageStartReport, startReport } from './probes.mjs';
import { peerNames } from './turns.mjs';
import { scriptPeers } from './workers.mjs';
import { workloadNames, workloads } from './workloads.mjs';

const usage = `npm run bench -- [--peer NAME]… [--device NAME] [--json] [--all]
               [--only NAME,NAME] [--rounds N] [--blocks N] [--threads N,N]
npm run bench -- --bounds | --tiny | --scaling | --compile | --peak-memory |
               --start | --memory | --explore | --ceilings | --fit |
               --feeding | --page [--json]
npm run bench -- --record FILE; npm run bench -- --write-docs FILE

Every competitor is a process of its own that times a named workload on
request; they take turns within the same minute, and while one works the others
are stopped. Figures are medians over all calls of all turns.

  --peer torch   also time PyTorch, in turns; the better of its two settings
                 counts (needs python3 with torch; GRADIX_PYTHON names another)
  --peer jax-js, --peer tfjs
                 also time these; they and gradix run in Node 24, which npx
                 brings. They have one thread; gradix runs with one and with two
  --device       native, wasm or reference (default: the fastest)
  --only         these workloads; without it the main six, with --all every one:
                 ${workloadNames.join('\n                 ')}
  --rounds       calls per workload in all (default: by its size), divided over
                 --blocks turns (default 6, against peers in JavaScript 3)
  --threads      threads for every competitor that can have them, one run for
                 each count (default 2)
  --bounds       for each workload: work, least time by the measured ceilings,
                 fraction of it, share of time by kind of kernel, time outside
  --tiny         microseconds per call of programs with next to no work
  --scaling      training steps at batch sizes 1 to 512, on one thread and all
  --compile      compile time of training steps, cache empty and full
  --peak-memory  most resident memory while AlexNet is trained
  --start        first training step of the digit net with a cold and a warm
                 kernel cache, and the time of importing gradix; with --device
                 wasm in a page of Chromium (GRADIX_CHROMIUM names another)
  --memory       growth of the resident memory over 20,000 training steps and
                 20,000 lazy evaluations
  --explore      100 different small expressions in a fresh process
  --ceilings     what the processor can do at most, on --threads and on one:
                 multiply-add fed from the first cache, reading from the others,
                 reading, writing and copying memory, a barrier
  --fit          training by fit with progress, a metric and checkpoints against
                 the bare compiled step
  --feeding      training fed from pictures in a tar, decoded and augmented,
                 against training from memory; memory while a large set streams
  --page         how smooth a page stays while a worker of it trains (needs
                 Chromium); with --peer jax-js also gemm-1024 beside it there,
                 where it has threads
  --record       everything that docs/performance.md shows, with PyTorch, as
                 JSON lines into a new file; takes about ten minutes
  --write-docs   writes the tables and charts of docs/performance.md from a
                 record
  --json         one JSON object per line`;

/** The questions besides the timing of workloads; each takes the settings and gives whether all went well. */
const alone = (report) => async (settings) => {
  await report(printer(settings), settings.threads, settings.peer);
  return true;
};
const reports = {
  bounds: boundsReport,
  tiny: tinyReport,
  scaling: scalingReport,
  compile: compileReport,
  'peak-memory': peakMemoryReport,
  start: (settings) => alone(settings.device === 'wasm' ? pageStartReport : startReport)(settings),
  memory: alone(memoryReport),
  explore: alone(exploreReport),
  ceilings: alone(ceilingsReport),
  fit: alone(fitReport),
  feeding: alone(feedingReport),
  page: alone(pageReport),
};

const flag = { type: 'boolean', default: false };
const options = {
  peer: { type: 'string', multiple: true },
  device: { type: 'string' },
  json: flag,
  only: { type: 'string' },
  all: flag,
  rounds: { type: 'string' },
  blocks: { type: 'string' },
  threads: { type: 'string' },
  record: { type: 'string' },
  'write-docs': { type: 'string' },
  help: flag,
  ...Object.fromEntries(Object.keys(reports).map((name) => [name, flag])),
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

/** What the JavaScript peers can do, and how many seconds they may take for a turn of it. */
const scriptWorkloads = ['gemm-1024', 'mlp-784-256-10-b64-adam', 'lenet3-b32-train'];
const scriptLimit = 8;

function settingsOf(values) {
  const peer = values.peer ?? [];
  for (const name of peer) if (!peerNames.includes(name)) wrongUsage(`there is no peer ${name}; there are ${peerNames.join(', ')}`);
  const scripts = peer.some((name) => name in scriptPeers);
  if (scripts && peer.includes('torch')) wrongUsage('torch and JavaScript peers are measured apart: they need different settings');
  const names = values.only?.split(',') ?? (scripts ? scriptWorkloads : workloadNames.slice(0, values.all ? undefined : 6));
  for (const name of names) if (!(name in workloads)) wrongUsage(`there is no workload ${name}`);
  const threadCounts = (values.threads ?? (scripts ? '1,2' : '2')).split(',').map((text) => positive('threads', text));
  return {
    names,
    peer,
    device: values.device,
    json: values.json,
    rounds: values.rounds && positive('rounds', values.rounds),
    blocks: values.blocks ? positive('blocks', values.blocks) : scripts ? 3 : 6,
    threadCounts,
    threads: Math.max(...threadCounts),
    limit: scripts ? scriptLimit : undefined,
  };
}

/** Everything for docs/performance.md, in one file. */
async function record(file, asked) {
  const settings = { ...asked, record: file, names: workloadNames, peer: ['torch'] };
  writeFileSync(file, '', { flag: 'wx' });
  printer(settings)(machine());
  let good = true;
  for (const report of [alone(ceilingsReport), workloadsReport, boundsReport, tinyReport, peakMemoryReport, scalingReport, compileReport])
    good = (await report(settings)) && good;
  return good;
}

async function main() {
  const values = readArguments();
  if (values.help) {
    console.log(usage);
    return true;
  }
  if (values['write-docs'] !== undefined) return writeDocs(values['write-docs']);
  const settings = settingsOf(values);
  if (values.record !== undefined) return record(values.record, settings);
  const asked = Object.entries(reports).flatMap(([name, report]) => (values[name] ? [report] : []));
  let good = true;
  for (const report of asked.length > 0 ? asked : [workloadsReport]) good = (await report(settings)) && good;
  return good;
}

process.exitCode = await main().then(
  (good) => (good ? 0 : 1),
  (error) => {
    console.error(`bench: ${error.message}`);
    return 1;
  },
);
