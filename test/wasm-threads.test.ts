/** What happens when a thread of the WebAssembly device fails: nobody hangs, the error says why, and new threads take over. */
import { availableParallelism } from 'node:os';
import { describe, expect, test, vi } from 'vitest';
import { compileGraph } from '../src/compiler/pipeline.ts';
import '../src/index.ts';
import { broadcast, exp, foldKeep, sub } from '../src/ops/build.ts';
import { wasmDevice } from '../src/runtime/wasm/index.ts';
import { type HostWorker, type WorkerHost, worthLeaving } from '../src/runtime/wasm/pool.ts';
import { nodeWorkers } from '../src/runtime/wasm/workers-node.ts';
import { inputLeaf } from './support/samples.ts';
import { openWasm } from './support/wasm.ts';

const [rows, columns] = [256, 1024];
/** The event loop does not turn meanwhile. */
const sleep = (milliseconds: number): string => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A program of two stages with float64 maths, which comes from the host: Σ over rows of exp(x − Σ over rows of exp(x)). */
function open(workers: WorkerHost, patience?: number) {
  const device = openWasm({ threads: 2, workers, patience });
  const x = inputLeaf({ shape: [rows, columns], dtype: 'float64' });
  const total = foldKeep('sum', exp(x), [0]);
  const output = foldKeep('sum', exp(sub(x, broadcast(total, x.shape))), [0]);
  const executable = device.loadSync(compileGraph({ outputs: [output], inputs: [x], aliases: [undefined] }, device.target));
  const [input, result] = [device.allocate(8 * rows * columns), device.allocate(8 * columns)];
  const first = (): number => new Float64Array(result.buffer, result.byteOffset, 1)[0];
  return {
    device,
    first,
    expected: rows * Math.exp(-rows),
    run: () => executable.run([input], [result]),
    runAsync: () => executable.runAsync([input], [result]),
  };
}

/** Workers of Node; those for which `broken` says so fail when they compute, and all can be killed. */
function host(broken: (worker: number) => boolean) {
  const workers: HostWorker[] = [];
  const start: WorkerHost['start'] = (source, setup, ...handlers) => {
    const text = broken(workers.length)
      ? source.replace('receive((', "functions.exp = () => { throw new Error('no exponentials here'); };\nreceive((")
      : source;
    const worker = nodeWorkers.start(text, setup, ...handlers);
    workers.push(worker);
    return worker;
  };
  return { workers, host: { maySleep: true, processors: 2, mayBlock: worthLeaving, start } satisfies WorkerHost };
}

async function recovered({ device, run, first, expected }: ReturnType<typeof open>): Promise<void> {
  run(); // on one thread until the others are there
  expect(first()).toBeCloseTo(expected, 12);
  for (let i = 0; i < 1000 && device.running() < 2; i++) await pause(10);
  expect(device.running()).toBe(2);
  run();
  expect(first()).toBeCloseTo(expected, 12);
}

test('there are as many threads as the machine runs at the same time, or as GRADIX_THREADS says', () => {
  const device = () => wasmDevice({ workers: nodeWorkers });
  vi.stubEnv('GRADIX_THREADS', undefined);
  expect(device()).toMatchObject({ target: { threads: availableParallelism() } });
  vi.stubEnv('GRADIX_THREADS', '3');
  expect(device()).toMatchObject({ target: { threads: 3 } });
  vi.unstubAllEnvs();
});

describe('a worker of the WebAssembly device', () => {
  test('that traps ends the run with an error, and others take its place', async () => {
    const opened = open(host((worker) => worker === 0).host);
    expect(opened.run).toThrow(/a thread failed in the middle of a run: no exponentials here.*New threads are started/);
    await recovered(opened);
  });

  test('that traps ends a run that a worker conducts', async () => {
    const opened = open(host((worker) => worker === 0).host);
    await expect(opened.runAsync()).rejects.toThrow(/no exponentials here/);
    await recovered(opened);
  });

  test('that conducts and traps ends its run', async () => {
    const opened = open(host((worker) => worker === 1).host);
    await expect(opened.runAsync()).rejects.toThrow(/no exponentials here/);
    await recovered(opened);
  });

  test.each([
    ['a member', 0],
    ['the one that conducts', 1],
  ])('that is killed is replaced: %s', async (_, victim) => {
    const { host: alive, workers } = host(() => false);
    const opened = open(alive);
    await opened.runAsync();
    await workers[victim].end();
    await recovered(opened);
    await opened.runAsync();
    expect(opened.first()).toBeCloseTo(opened.expected, 12);
  });

  test('that is killed while the caller cannot hear of it is given up', async () => {
    const { host: alive, workers } = host(() => false);
    const opened = open(alive, 0.5);
    opened.run();
    void workers[0].end();
    // Until the event loop turns, nobody but the barrier can notice.
    sleep(500);
    expect(opened.run).toThrow(/does not answer any more/);
    await recovered(opened);
  });

  test('that conducts and is killed while the caller waits for its run is given up', async () => {
    const { host: alive, workers } = host(() => false);
    const opened = open(alive, 0.5);
    await opened.runAsync();
    void workers[1].end();
    sleep(500);
    const lost = expect(opened.runAsync()).rejects.toThrow(/conducts it does not answer any more/);
    expect(opened.run).toThrow(/conducts it does not answer any more/);
    await lost;
    await recovered(opened);
  });

  test('that conducts and traps while the caller waits for its run is an error of both', async () => {
    const opened = open(host((worker) => worker === 1).host);
    const failed = expect(opened.runAsync()).rejects.toThrow(/no exponentials here/);
    expect(opened.run).toThrow(/no exponentials here/);
    await failed;
    await recovered(opened);
  });
});
