/** What probes of pages share: a server for a few texts and the project's files, isolated so that pages have shared memory, and Chromium beside it. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const types = { '': 'text/html', '.js': 'text/javascript' };
/** Without the browser's own errands over the network. */
const args = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Serves `texts` by path, calls `body(tab, open)` in a new browser (GRADIX_CHROMIUM names another than /usr/bin/chromium; `open()` loads the page '/'), and ends both. */
export async function inPage(texts, body) {
  const server = createServer(async ({ url }, response) => {
    const path = normalize(new URL(url, 'http://localhost').pathname);
    const content = texts[path] ?? (await readFile(join(root, path)).catch(() => undefined));
    const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
    response.writeHead(content === undefined ? 404 : 200, { 'content-type': types[extname(path)] ?? 'text/plain', ...isolation });
    response.end(content);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const browser = await chromium.launch({ executablePath: process.env.GRADIX_CHROMIUM ?? '/usr/bin/chromium', args });
    try {
      const tab = await browser.newPage();
      return await body(tab, () => tab.goto(`http://localhost:${server.address().port}/`));
    } finally {
      await browser.close();
    }
  } finally {
    server.close();
  }
}
