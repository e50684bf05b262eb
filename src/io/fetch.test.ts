/** Files from URLs: progress, and errors that say what is wrong with the server, the address or the connection. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tensor } from '../tensor/index.ts';
import { fetchBytes, isAddress, type Progress } from './fetch.ts';
import { load, loadTensors, save } from './index.ts';
import { encodeSafetensors } from './safetensors.ts';

const values = Float32Array.from({ length: 100_000 }, (_, i) => i);
const file = encodeSafetensors({ w: { dtype: 'float32', shape: [100_000], data: values } });

const answers: Record<string, RequestListener> = {
  '/whole.safetensors': (_, response) => response.writeHead(200, { 'content-length': file.length }).end(file),
  '/unknown-length.safetensors': (_, response) => {
    response.write(file.subarray(0, 1000));
    setTimeout(() => response.end(file.subarray(1000)), 20);
  },
  '/page.safetensors': (_, response) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<!doctype html>'),
  '/broken.safetensors': (_, response) => {
    response.writeHead(200, { 'content-length': file.length });
    response.write(file.subarray(0, 1000), () => setTimeout(() => response.destroy(), 50));
  },
  '/short.safetensors': (_, response) => response.end(file.subarray(0, 1000)),
  '/endless.safetensors': (_, response) => void response.write(file.subarray(0, 1000)),
};

let server: Server;
let site: string;
beforeAll(async () => {
  server = createServer((request, response) => (answers[request.url ?? ''] ?? ((_, absent) => absent.writeHead(404).end()))(request, response));
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const problem = (name: string): Promise<string> =>
  loadTensors(`${site}/${name}.safetensors`).then(
    () => 'none',
    ({ message }: Error) => message,
  );

test('progress goes up to the whole length', async () => {
  const told: Progress[] = [];
  const { w } = await loadTensors(new URL(`${site}/whole.safetensors`), { onProgress: (progress) => told.push(progress) });
  expect(Buffer.from((await w.data()).buffer).equals(Buffer.from(values.buffer))).toBe(true);
  expect(told.at(-1)).toEqual({ url: `${site}/whole.safetensors`, done: file.length, total: file.length });
  expect(told.map(({ done }) => done)).toEqual(told.map(({ done }) => done).sort((a, b) => a - b));
});

test('a server that does not say how long the file is', async () => {
  let last: Progress | undefined;
  const bytes = await fetchBytes(`${site}/unknown-length.safetensors`, 'load', {
    onProgress: (progress) => {
      last = progress;
    },
  });
  expect(Buffer.from(bytes).equals(file)).toBe(true);
  expect(last).toMatchObject({ done: file.length, total: undefined });
});

test('what is wrong is said', async () => {
  expect(await problem('absent')).toBe(`load: ${site}/absent.safetensors answered 404 Not Found. Check the address.`);
  expect(await problem('page')).toBe(`load: ${site}/page.safetensors is a page of HTML, not a file of tensors. Check the address.`);
  expect(await problem('broken')).toMatch(new RegExp(`^load: the connection to ${site}/broken.safetensors ended after 1000 of ${file.length} bytes\\.`));
  expect(await problem('short')).toMatch(/short\.safetensors: tensor "w" lies at bytes 0 to 400000 of \d+\. The file is corrupt\./);
  await expect(loadTensors('http://127.0.0.1:1/x.safetensors')).rejects.toThrow(
    /^load: http:\/\/127\.0\.0\.1:1\/x\.safetensors could not be fetched: .+\(CORS\)\?$/,
  );
});

test('a signal breaks the transfer off with its reason', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const transfer = loadTensors(`${site}/endless.safetensors`, { signal: controller.signal, onProgress: () => controller.abort(reason) });
  await expect(transfer).rejects.toBe(reason);
});

test('URLs of files are paths', async () => {
  expect([isAddress('https://a/b'), isAddress(new URL('http://a/b')), isAddress('runs/http'), isAddress(pathToFileURL('/a'))]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'gradix-url-'));
  try {
    await save({ w: tensor([1, 2]) }, join(folder, 'a b.safetensors'));
    const target = { stateDict: () => ({}), loadStateDict: (state: object) => Object.keys(state) };
    expect(await load(target, pathToFileURL(join(folder, 'a b.safetensors')))).toBe(target);
    await expect(loadTensors(pathToFileURL(join(folder, 'none')))).rejects.toThrow('none does not exist');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
