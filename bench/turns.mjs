/** Competitors take turns at a workload within the same minute; figures are medians over all calls of all turns. */
import { median, rounded } from './numbers.mjs';
import { comparableTorch, engine, installPeers, scriptPeers, startGradix, startTorch } from './workers.mjs';

export const peerNames = ['torch', ...Object.keys(scriptPeers)];

/**
 * Starts gradix and its peers (PyTorch in its two settings, or frameworks in JavaScript in an engine that all of them share); ends them after `body`. On WebAssembly
 * there is one more competitor, which does nothing but the engine's multiply-adds.
 */
export async function withCompetitors({ threads, peer = [], device }, body) {
  const started = [];
  const start = async (worker) => {
    started.push(await worker);
    return started.at(-1);
  };
  try {
    const scripts = peer.filter((name) => name in scriptPeers);
    if (scripts.length > 0) installPeers();
    const node = scripts.length > 0 ? engine() : undefined;
    const gradix = await start(startGradix(threads, { device, node }));
    const peak = device === 'wasm' ? await start(startGradix(threads, { device, node })) : undefined;
    const peers = await Promise.all(scripts.flatMap((name) => scriptPeers[name](node)).map(start));
    if (peer.includes('torch')) {
      for (const setting of ['default', 'pinned']) peers.push(await start(startTorch(threads, setting)));
      await comparableTorch(peers);
    }
    return await body(gradix, peers, peak && { time: (request) => peak.time({ ...request, workload: 'multiply-add' }), flops: peak.facts.multiplyAddFlops });
  } finally {
    for (const competitor of started) competitor.end();
  }
}

/** A competitor's turn: its seconds, or why it cannot do the workload. */
async function turn(competitor, request, result) {
  if (result.error) return;
  try {
    result.times.push(...(await competitor.time(request)));
  } catch (error) {
    result.error = error.message;
  }
}

/** Times one workload on all competitors in turns; for each the median in milliseconds or an error. With `limit`, seconds, a slow competitor makes fewer calls. */
async function inTurns(workload, competitors, { rounds, blocks, warmup = 3, limit }) {
  const results = competitors.map(() => ({ times: [], error: undefined }));
  const calls = Math.max(1, Math.ceil(rounds / blocks));
  for (let block = 0; block < blocks; block++) {
    // Later turns only bring back what the caches have lost.
    const request = { workload, calls, warmup: block === 0 ? warmup : Math.ceil(warmup / 10), ...(limit && { limit_s: limit }) };
    for (const [i, competitor] of competitors.entries()) await turn(competitor, request, results[i]);
  }
  return results.map(({ times, error }) => (error ? { error } : { ms: median(times) * 1e3 }));
}

/** Milliseconds of gradix, and of the best of the peers that can do the workload. With `peak`, GFLOP/s of the engine's multiply-adds in the same turns. */
export async function compare(workload, gradix, peers, settings, peak) {
  const ours = peak ? [gradix, peak] : [gradix];
  const results = await inTurns(workload, [...ours, ...peers], settings);
  const [own, most] = results.slice(0, ours.length);
  const others = results.slice(ours.length);
  for (const result of [own, most]) if (result?.error) throw new Error(result.error);
  const row = { ms: rounded(own.ms, 4), ...(peak && { peak_gflops: rounded(peak.flops / most.ms / 1e6, 1) }) };
  const able = others.flatMap((result, i) => (result.error ? [] : [{ ...result, setting: peers[i].setting }]));
  if (able.length > 0) {
    const best = able.reduce((a, b) => (b.ms < a.ms ? b : a));
    Object.assign(row, { peer_ms: rounded(best.ms, 4), ratio: rounded(best.ms / own.ms, 3), peer_setting: best.setting });
  }
  if (others.length > 0) row.peers = Object.fromEntries(others.map((result, i) => [peers[i].setting, result.error ?? rounded(result.ms, 4)]));
  return row;
}
