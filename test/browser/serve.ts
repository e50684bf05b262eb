/** A small static server: files of the project and texts by path, with or without the headers that give a page shared memory. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const types: Record<string, string> = { '.js': 'text/javascript', '.html': 'text/html', '.css': 'text/css', '.json': 'application/json' };
const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

export interface Served {
  readonly root: string;
  /** Contents at paths that are no files. */
  readonly texts?: Readonly<Record<string, string | Uint8Array>>;
  readonly isolated?: boolean;
}

export async function serve({ root, texts = {}, isolated = true }: Served): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
    const file = join(root, path);
    const found = texts[path] ?? (existsSync(file) && statSync(file).isFile() ? readFileSync(file) : undefined);
    const type = path === '/' ? 'text/html' : (types[extname(path)] ?? 'application/octet-stream');
    const length = found === undefined ? 0 : Buffer.byteLength(found);
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': type, 'content-length': length, ...(isolated ? isolation : {}) });
    response.end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
