/**
 * Time from opening a page in Chromium to the end of the first training step of the digit net, in a worker of the page, on WebAssembly:
 * `node start-page.mjs files` imports dist/browser/, few files for pages without a bundler; `node start-page.mjs modules` the modules of dist/ as they are;
 * `node start-page.mjs bundled` one file that esbuild makes of what the page uses. The page is opened in a browser that has come to rest after its own start, or,
 * with `launching` as second argument, at once, while the browser's processes are still starting.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { inPage } from './in-page.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [way, moment] = process.argv.slice(2);
const restMs = moment === 'launching' ? 0 : 1500;
const round = (value) => Number(value.toFixed(1));

const worker = `
const beginning = performance.now();
const { compile, models, nn, optim, random } = await import('gradix');
const imported = performance.now();
const model = models.lenet();
const optimizer = optim.sgd({ learningRate: 0.01, momentum: 0.9 });
const step = compile((x, y) => {
  const loss = nn.crossEntropy(model.apply(x), y);
  optimizer.minimize(loss, model);
  return loss;
});
const loss = await step(random.normal([32, 28, 28, 1]), random.randint([32], { low: 0, high: 10 })).item();
const end = performance.now();
postMessage({ loss, worker_ms: beginning, import_ms: imported - beginning, step_ms: end - imported });`;

const page = `<!doctype html><title>start</title><script type="module">
const worker = new Worker('/worker.js', { type: 'module' });
worker.onmessage = ({ data }) => { globalThis.answer = { ...data, first_step_ms: performance.now() }; };
worker.onerror = ({ message }) => { globalThis.answer = { error: message }; };
</script>`;

async function bundled() {
  const stdin = {
    contents: worker
      .replace(/const (\{.*\}) = await import\('gradix'\);/, '')
      .replace('const beginning', `import { compile, models, nn, optim, random } from 'gradix';\nconst beginning`),
    resolveDir: join(root, 'bench'),
  };
  const { outputFiles } = await build({ stdin, bundle: true, write: false, minify: true, format: 'esm', platform: 'browser', target: 'es2022' });
  return outputFiles[0].text;
}

const texts = {
  '/': page,
  '/worker.js': way === 'bundled' ? await bundled() : worker.replace("'gradix'", way === 'files' ? "'/dist/browser/index.js'" : "'/dist/index.js'"),
};
const { error, loss, ...times } = await inPage(texts, async (tab, open) => {
  await new Promise((resolve) => setTimeout(resolve, restMs));
  await open();
  await tab.waitForFunction(() => globalThis.answer !== undefined);
  return tab.evaluate(() => globalThis.answer);
});
if (error !== undefined || !Number.isFinite(loss)) throw new Error(error ?? `the loss is ${loss}`);
console.log(JSON.stringify(Object.fromEntries(Object.entries(times).map(([key, value]) => [key, round(value)]))));
