/** What is timed call by call, beside a peer where one is asked for: the workloads, tiny programs, other batch sizes and numbers of threads, and peak memory. */
import { rounded } from './numbers.mjs';
import { printer } from './output.mjs';
import { compare, withCompetitors } from './turns.mjs';
import { batchSizes, scaled, tiny, workloads } from './workloads.mjs';

/** In 80 columns; JSON has more. */
const workloadColumns = ({ device }) => [
  ['name', 35],
  ['threads', 7],
  ['ms', 8],
  ['peer_ms', 8],
  ['ratio', 7],
  device === 'wasm' ? ['of_peak', 7] : ['gflops', 7],
];

/** Prints what `measure` gives, or why it failed; true when it did not. */
async function attempt(print, identity, measure) {
  try {
    print({ ...identity, ...(await measure()) });
    return true;
  } catch (error) {
    print({ ...identity, error: error.message });
    return false;
  }
}

/** What is asked for once per workload beside its time. */
async function timed(name, gradix, peers, settings, peak) {
  const { rounds, flops, images } = workloads[name];
  const calls = { rounds: settings.rounds ?? rounds, blocks: settings.blocks, limit: settings.limit };
  const times = await compare(name, gradix, peers, calls, flops ? peak : undefined);
  const row = { threads: settings.threads, ...(settings.device && { device: settings.device }), ...times };
  if (images) row.per_second = Math.round((1000 * images) / row.ms);
  if (flops) row.gflops = rounded(flops / row.ms / 1e6, 1);
  if (row.peak_gflops) row.of_peak = rounded(row.gflops / row.peak_gflops, 2);
  return row;
}

/** Each workload in turns, with each number of threads; a failure is printed and the others go on. */
export async function workloadsReport(settings) {
  const print = printer(settings, workloadColumns(settings));
  let good = true;
  for (const threads of settings.threadCounts) {
    await withCompetitors({ ...settings, threads }, async (gradix, peers, peak) => {
      for (const name of settings.names) good = (await attempt(print, { name }, () => timed(name, gradix, peers, { ...settings, threads }, peak))) && good;
    });
  }
  return good;
}

/** Microseconds per call of programs whose work is next to nothing. */
export async function tinyReport(settings) {
  const print = printer(settings, [['name', 30], ...['us', 'peer_us', 'ratio'].map((key) => [key, 10])]);
  return withCompetitors(settings, async (gradix, peers) => {
    let good = true;
    for (const [name, { rounds }] of Object.entries(tiny)) {
      const measure = async () => {
        // A compiler of the engine's own, and PyTorch's caches, need more calls than those of a long workload.
        const { ms, peer_ms, ratio } = await compare(name, gradix, peers, { rounds, blocks: settings.blocks, warmup: 1000 });
        return { us: rounded(ms * 1e3, 2), ...(peer_ms && { peer_us: rounded(peer_ms * 1e3, 2), ratio }) };
      };
      good = (await attempt(print, { name }, measure)) && good;
    }
    return good;
  });
}

/** Training steps at batch sizes from 1 to 512, on one thread and on all. */
export async function scalingReport(settings) {
  const keys = ['batch', 'threads', 'ms', 'images_per_s', 'peer_ms', 'ratio'];
  const print = printer(settings, [['workload', 22], ...keys.map((key) => [key, key === 'images_per_s' ? 12 : 8])]);
  let good = true;
  for (const threads of [...new Set([1, settings.threads])]) {
    await withCompetitors({ ...settings, threads }, async (gradix, peers) => {
      for (const [workload, nameOf] of Object.entries(scaled)) {
        for (const batch of batchSizes) {
          const measure = async () => {
            const { ms, peer_ms, ratio } = await compare(nameOf(batch), gradix, peers, { rounds: batch > 64 ? 6 : 15, blocks: settings.blocks });
            return { ms, images_per_s: Math.round((1000 * batch) / ms), ...(peer_ms && { peer_ms, ratio }) };
          };
          good = (await attempt(print, { name: 'scaling', workload, batch, threads }, measure)) && good;
        }
      }
    });
  }
  return good;
}

/** The most memory that a process held while it trained AlexNet: what the process itself needs is part of it. */
export async function peakMemoryReport(settings) {
  const keys = ['peak_mb', 'peer_peak_mb', 'of_peer'];
  const print = printer(settings, [['workload', 30], ...keys.map((key) => [key, 13])]);
  const workload = 'alexnet-b32-train';
  const measure = () =>
    withCompetitors(settings, async (gradix, peers) => {
      const peak = async (competitor) => {
        await competitor.time({ workload, warmup: 0, calls: 4 });
        return Math.round(competitor.peakBytes() / 2 ** 20);
      };
      const mb = await peak(gradix);
      if (peers.length === 0) return { peak_mb: mb };
      const peerMb = Math.min(await peak(peers[0]), await peak(peers[1]));
      return { peak_mb: mb, peer_peak_mb: peerMb, of_peer: rounded(mb / peerMb, 3) };
    });
  return attempt(print, { name: 'peak-memory', workload }, measure);
}
