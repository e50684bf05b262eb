/**
 * How smooth a page stays while a worker of it trains: the intervals between animation frames and the longest task of the main thread, for so many seconds (argument 1)
 * with nothing to do and so many while the digit net trains by fit. Needs Chromium (GRADIX_CHROMIUM names another than /usr/bin/chromium).
 */
import { inPage } from './in-page.mjs';

const seconds = Number(process.argv[2]);

const pages = {
  '/': `<!doctype html><p>0</p><script type="module">import { remote } from '/dist/remote/index.js';
    const rest = (ms) => new Promise((done) => setTimeout(done, ms));
    /** Draws in every frame, and measures for a while. */
    async function watched(seconds) {
      const [times, tasks, digits] = [[], [], document.querySelector('p')];
      const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
      observer.observe({ type: 'longtask' });
      let on = true;
      const frame = (now) => {
        times.push(now);
        digits.textContent = now;
        if (on) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
      await rest(1000 * seconds);
      on = false;
      observer.disconnect();
      const intervals = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
      const at = (share) => Number(intervals[Math.floor(share * (intervals.length - 1))].toFixed(1));
      const perSecond = Number((1000 * intervals.length / (times.at(-1) - times[0])).toFixed(1));
      return { frames_per_s: perSecond, median_ms: at(0.5), p99_ms: at(0.99), longest_ms: at(1), long_tasks: tasks.length, longest_task_ms: Math.max(0, ...tasks) };
    }
    globalThis.measure = async (seconds) => {
      await rest(1000);
      const idle = await watched(seconds);
      const net = remote(new Worker('/worker.js', { type: 'module' }));
      const controller = new AbortController();
      let images = 0;
      let begun;
      const started = new Promise((done) => { begun = done; });
      const training = net.train({ signal: controller.signal, onProgress: (seen) => { images = seen; begun(); } });
      await started;
      const [before, from] = [images, performance.now()];
      const busy = await watched(seconds);
      const rate = Math.round((1000 * (images - before)) / (performance.now() - from));
      controller.abort();
      await training;
      return { idle, training: { ...busy, images_per_s: rate } };
    };</script>`,
  '/worker.js': `import { data, fit, models, optim } from '/dist/index.js';
    import { expose } from '/dist/remote/index.js';
    expose({
      async train({ signal, onProgress }) {
        const options = { epochs: 10000, loss: 'crossEntropy', optimizer: optim.adam(), signal, callbacks: [{ tick: ({ seen }) => onProgress(seen) }] };
        await fit(models.lenet(), data.digits({ count: 3200 }), options);
      },
    });`,
};

const both = await inPage(pages, async (tab, open) => {
  await open();
  return tab.evaluate(`measure(${seconds})`);
});
console.log(JSON.stringify(both));
