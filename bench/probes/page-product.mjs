/**
 * A product of two 1024 × 1024 matrices in Chromium, where jax-js has threads, too: gradix in a worker of the page (dist/browser/) and jax-js in the page take
 * turns, each with a thread per core. Prints medians in milliseconds. Needs Chromium (GRADIX_CHROMIUM names another than /usr/bin/chromium) and bench/peers installed.
 */
import { median, rounded } from '../numbers.mjs';
import { inPage } from './in-page.mjs';

const [turns, calls, warmup] = [6, 10, 20];

const pages = {
  '/': `<!doctype html><script type="module">
    import { blockUntilReady, defaultDevice, init, jit, numpy, random } from '/bench/peers/node_modules/@jax-js/jax/dist/index.js';
    await init('wasm');
    defaultDevice('wasm');
    const [a, b] = [1, 2].map((seed) => random.normal(random.key(seed), [1024, 1024]));
    const product = jit((x, y) => numpy.matmul(x, y));
    async function jax(calls) {
      const times = [];
      for (let i = 0; i < calls; i++) {
        const start = performance.now();
        const result = product(a.ref, b.ref);
        await blockUntilReady(result);
        times.push(performance.now() - start);
        result.dispose();
      }
      return times;
    }
    const worker = new Worker('/worker.js', { type: 'module' });
    const answer = () => new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); });
    await answer();
    const gradix = (calls) => {
      worker.postMessage(calls);
      return answer();
    };
    globalThis.competitors = { gradix, 'jax-js': jax };
  </script>`,
  '/worker.js': `import { compile, random } from '/dist/browser/index.js';
    const [a, b] = [random.normal([1024, 1024]), random.normal([1024, 1024])];
    const product = compile((x, y) => x.matmul(y));
    onmessage = async ({ data: calls }) => {
      const times = [];
      for (let i = 0; i < calls; i++) {
        const start = performance.now();
        await product(a, b).realize();
        times.push(performance.now() - start);
      }
      postMessage(times);
    };
    await product(a, b).realize();
    postMessage('ready');`,
};

const row = await inPage(pages, async (tab, open) => {
  await open();
  await tab.waitForFunction(() => globalThis.competitors !== undefined);
  const ask = (name, count) => tab.evaluate(([competitor, n]) => globalThis.competitors[competitor](n), [name, count]);
  const times = { gradix: [], 'jax-js': [] };
  for (const name of Object.keys(times)) await ask(name, warmup);
  for (let turn = 0; turn < turns; turn++) for (const name of Object.keys(times)) times[name].push(...(await ask(name, calls)));
  const [ms, peerMs] = Object.values(times).map(median);
  const threads = await tab.evaluate(() => navigator.hardwareConcurrency);
  return { threads, ms: rounded(ms, 2), peer_ms: rounded(peerMs, 2), ratio: rounded(peerMs / ms, 2), gflops: rounded((2 * 1024 ** 3) / ms / 1e6, 1) };
});
console.log(JSON.stringify(row));
