/** gradix/remote between threads of Node, from the built package: what crosses, progress, cancellation, and errors of every kind. */
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { type Remote, remote } from '../src/remote/index.ts';

const workers: Worker[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.terminate();
});

type Any = Readonly<Record<string, (...values: unknown[]) => unknown>>;

/** A thread that exposes the functions of this text. */
function started(functions: string, before = ''): Remote<Any> {
  const address = new URL('../dist/remote/index.js', import.meta.url).href;
  const worker = new Worker(`(async () => { const { expose } = await import(${JSON.stringify(address)}); ${before}; expose(${functions}); })();`, {
    eval: true,
  });
  workers.push(worker);
  return remote<Any>(worker);
}

test('values, arrays and records are copied there and back', async () => {
  const { echo, sum } = started('{ echo: (...values) => values, sum: async ({ numbers }) => numbers.reduce((a, b) => a + b) }');
  const sent = [1, 'two', null, undefined, { three: [3, { four: new Float32Array([4, 5]) }] }, new Map([[6, 7]])];
  expect(await echo(...sent)).toEqual(sent);
  expect(await sum({ numbers: new Int32Array([1, 2, 3]) })).toBe(6);
});

test('calls that come before the worker is ready wait, and calls overlap', async () => {
  const net = started('{ slow: (ms) => new Promise((done) => setTimeout(done, ms, ms)) }', 'await new Promise((done) => setTimeout(done, 50))');
  const order: unknown[] = [];
  await Promise.all([60, 20].map(async (ms) => order.push(await net.slow(ms))));
  expect(order).toEqual([20, 60]);
});

test('functions among the arguments are called here, in order; those of calls that have ended are not', async () => {
  const net = started('{ count: (n, { onStep }) => { for (let i = 0; i < n; i++) onStep(i, { half: i / 2 }); setTimeout(() => onStep(-1), 10); return n; } }');
  const told: unknown[] = [];
  expect(await net.count(3, { onStep: (...values: unknown[]) => told.push(values) })).toBe(3);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(told).toEqual([
    [0, { half: 0 }],
    [1, { half: 0.5 }],
    [2, { half: 1 }],
  ]);
});

test('aborting a signal aborts the one over there, and no other', async () => {
  const net = started('{ wait: ({ signal }) => new Promise((done) => signal.addEventListener("abort", () => done(String(signal.reason)))) }');
  const [first, second] = [new AbortController(), new AbortController()];
  const waits = [first, second].map(({ signal }) => net.wait({ signal }));
  second.abort('that is enough');
  expect(await waits[1]).toBe('that is enough');
  first.abort('this too');
  expect(await waits[0]).toBe('this too');
  expect(await net.wait({ signal: AbortSignal.abort('before') })).toBe('before');
});

test('errors come back as they were', async () => {
  const net = started(
    '{ plain: () => { throw new RangeError("too far"); }, ours: () => tensor([1, 2]).add(tensor([1, 2, 3])), odd: () => Promise.reject("text") }',
    `const { tensor } = await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)})`,
  );
  await expect(net.plain()).rejects.toMatchObject({ name: 'RangeError', message: 'too far', stack: expect.stringContaining('plain') });
  await expect(net.ours()).rejects.toMatchObject({ name: 'GradixError', code: 'shape', operation: 'add', message: expect.stringContaining('[2] and [3]') });
  await expect(net.odd()).rejects.toThrow('text');
});

test('what cannot cross is refused with advice', async () => {
  const net = started(
    '{ tensor: () => ({ all: [tensor([1])] }), method: () => ({ f: () => 1 }), report: (f) => f(tensor([1])), take: (x) => x }',
    `const { tensor } = await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)})`,
  );
  const refused = 'a tensor cannot leave its thread. Send its values: await x.data(). On the other side: tensor(values, { shape }).';
  await expect(net.tensor()).rejects.toThrow(`tensor: ${refused}`);
  await expect(net.report(() => undefined)).rejects.toThrow(`report: ${refused}`);
  await expect(net.method()).rejects.toThrow('method: a value cannot be sent to the other thread');
  await expect(net.take(Symbol('x'))).rejects.toThrow('take: a value cannot be sent to the other thread');
  await expect(net.tkae(1)).rejects.toThrow('remote: the worker exposes no function tkae. Did you mean take?');
  expect(await net.take(1)).toBe(1);
});

test('a worker that cannot start, or ends, fails its calls', async () => {
  const net = started('{ never: () => new Promise(() => {}) }');
  const call = net.never();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await workers[0].terminate();
  await expect(call).rejects.toThrow('remote: the worker has ended. Start a new one.');
  await expect(net.never()).rejects.toThrow('the worker has ended');
  const broken = new Worker('throw new Error("no such luck")', { eval: true });
  await expect(remote<Any>(broken).anything()).rejects.toThrow('remote: the worker failed: no such luck. Start a new one.');
  expect(await Promise.race([remote<Any>(broken), 1])).not.toBe(1); // no promise: it can be awaited and returned
});
