import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { arena, barrier, floats, input, kernel, launch, output, program, storageOf, testDevice } from '../../../test/support/native.ts';
import type { Program } from '../../ir/program.ts';

const add = kernel('add', 'for (int64_t i = from; i < to; i++) x2[i] = x0[i] + x1[i];');
const double = kernel('double', 'for (int64_t i = from; i < to; i++) x1[i] = 2 * x0[i];');
const reverse = kernel('reverse', 'for (int64_t i = from; i < to; i++) x1[i] = x0[999 - i];');
const ramp = (n: number) => Float32Array.from({ length: n }, (_, i) => i % 1000);

function runOn(threads: number, p: Program, inputs: ArrayLike<number>[]): Float32Array[] {
  const device = testDevice(threads);
  const outputs = p.outputs.map(({ shape }) => device.allocate(4 * shape[0]));
  device.loadSync(p).run(
    inputs.map((values) => storageOf(device, values)),
    outputs,
  );
  return outputs.map(floats);
}

const threadCounts = [1, 2, 4];

describe('native device', () => {
  it.each(threadCounts)('adds vectors on %i threads', (threads) => {
    const p = program({ kernels: [add], steps: [launch(0, 1003, [input(0), input(1), output(0)], 16)], inputs: [1003, 1003], outputs: [1003] });
    const [sum] = runOn(threads, p, [ramp(1003), ramp(1003).fill(0.5)]);
    expect(sum).toEqual(ramp(1003).map((v) => v + 0.5));
  });

  it.each(threadCounts)('keeps data in the arena across a barrier on %i threads', (threads) => {
    const steps = [launch(0, 1000, [input(0), arena(64)]), barrier, launch(1, 1000, [arena(64), output(0)])];
    const [result] = runOn(threads, program({ kernels: [double, reverse], steps, inputs: [1000], outputs: [1000], arenaBytes: 4096 }), [ramp(1000)]);
    expect(result).toEqual(ramp(1000).map((_, i) => 2 * (999 - i)));
  });

  it.each(threadCounts)('sweeps block by block on %i threads', (threads) => {
    const sweep = {
      kind: 'sweep',
      blocks: 20,
      launches: [launch(0, 1000, [input(0), arena(0)], 50), launch(1, 1000, [arena(0), input(0), output(0)], 50)],
    } as const;
    const [result] = runOn(threads, program({ kernels: [double, add], steps: [sweep], inputs: [1000], outputs: [1000], arenaBytes: 4000 }), [ramp(1000)]);
    expect(result).toEqual(ramp(1000).map((v) => 3 * v));
  });

  it.each(threadCounts)('loops with moves and nesting on %i threads', (threads) => {
    // state' = 2·state + row t in place, three times over 4 rows: rows move by 100 floats.
    const step = kernel('step', 'for (int64_t i = from; i < to; i++) x0[i] = 2 * x0[i] + x1[i];');
    const copy = kernel('copy', 'for (int64_t i = from; i < to; i++) x1[i] = x0[i];');
    const inner = {
      kind: 'loop',
      count: 4,
      body: [launch(0, 100, [arena(0), input(0)], 8), barrier],
      moves: [{ launch: 0, argument: 1, byteStride: 400 }],
    } as const;
    const outer = {
      kind: 'loop',
      count: 3,
      body: [inner, launch(1, 100, [arena(0), output(0)]), barrier],
      moves: [{ launch: 1, argument: 1, byteStride: 400 }],
    } as const;
    const clear = kernel('clear', 'for (int64_t i = from; i < to; i++) x0[i] = 0;');
    const steps = [launch(2, 256, [arena(0)]), barrier, outer];
    const rows = Float32Array.from({ length: 400 }, (_, i) => i % 7);
    const p = program({ kernels: [step, copy, clear], steps, inputs: [400], outputs: [300], arenaBytes: 1024 });
    const [result] = runOn(threads, p, [rows]);
    const expected = Array.from({ length: 300 }, (_, at) => {
      let state = 0;
      for (let turn = 0; turn <= Math.floor(at / 100); turn++) for (let t = 0; t < 4; t++) state = 2 * state + rows[t * 100 + (at % 100)];
      return state;
    });
    expect([...result]).toEqual(expected);
  });

  it.each([1, 2, 3, 5])('does every piece of a long launch once, whoever takes it, on %i threads', (threads) => {
    // A thousand launches in one run, each announced as long; the blocks of the first half take longer, so that the last threads help the first.
    const count = kernel('count', 'for (int64_t i = from; i < to; i++) { for (volatile int n = i < 500 ? 300 : 0; n > 0; n--); x0[i] += 1; }', 1e9);
    const shared = Array.from({ length: 1000 }, () => [launch(0, 1003, [arena(0)], 16), barrier]).flat();
    const sweep = { kind: 'sweep', blocks: 100, launches: [launch(0, 1000, [arena(0)], 10), launch(1, 1000, [arena(0), output(0)], 10)] } as const;
    const p = program({ kernels: [count, double], steps: [...shared, sweep], inputs: [], outputs: [1000], arenaBytes: 4096 });
    expect(runOn(threads, p, [])).toEqual([new Float32Array(1000).fill(2 * 1001)]);
  });

  it('runs a single block on the calling thread and skips empty launches', () => {
    const [result] = runOn(
      4,
      program({ kernels: [double], steps: [launch(0, 10, [input(0), output(0)], 16), launch(0, 0, [input(0), output(0)])], inputs: [10], outputs: [10] }),
      [ramp(10)],
    );
    expect(result).toEqual(ramp(10).map((v) => 2 * v));
  });

  it('takes storages that it did not allocate, at any offset', () => {
    const device = testDevice();
    const buffer = Float32Array.from([9, 1, 2, 3]).buffer;
    const result = device.allocate(12);
    const p = program({ kernels: [double], steps: [launch(0, 3, [input(0), output(0)])], inputs: [3], outputs: [3] });
    device.loadSync(p).run([{ byteLength: 12, buffer, byteOffset: 4 }], [result]);
    expect([...floats(result)]).toEqual([2, 4, 6]);
  });

  it('refuses storages of the wrong size or number', () => {
    const device = testDevice();
    const executable = device.loadSync(program({ kernels: [double], steps: [launch(0, 100, [input(0), output(0)])], inputs: [100], outputs: [100] }));
    expect(() => executable.run([device.allocate(16)], [device.allocate(400)])).toThrow(/input 0 of the program has 400 bytes, got 16/);
    expect(() => executable.run([], [device.allocate(400)])).toThrow(/expects 1 inputs and 1 outputs, got 0 and 1/);
  });

  it('aligns its memory', () => {
    const device = testDevice();
    for (const bytes of [0, 1, 100, 5000, 1 << 20]) {
      const storage = device.allocate(bytes);
      expect(storage.byteLength).toBe(bytes);
      expect(storage.buffer.byteLength).toBeGreaterThanOrEqual(storage.byteOffset + bytes);
    }
  });

  it('profiles every launch', () => {
    const device = testDevice();
    const slow = kernel('slow', 'volatile float s = 0; for (int64_t i = from; i < to; i++) for (int k = 0; k < 1000; k++) s += x0[i];', 500);
    const loop = { kind: 'loop', count: 3, body: [launch(0, 1000, [input(0)]), barrier], moves: [] } as const;
    const executable = device.loadSync(
      program({ kernels: [slow, double], steps: [loop, launch(1, 1000, [input(0), output(0)])], inputs: [1000], outputs: [1000] }),
    );
    const times = executable.profile([storageOf(device, ramp(1000))], [device.allocate(4000)]);
    expect(times.map((t) => [t.launch, t.name, t.calls, t.flops])).toEqual([
      [0, 'slow', 3, 1500],
      [1, 'double', 1, 0],
    ]);
    expect(times[0].seconds).toBeGreaterThan(100e-6);
    expect(executable.source).toContain('/* slow:');
  });

  it('says when the working memory does not fit the machine', () => {
    const device = testDevice();
    expect(() => device.loadSync(program({ kernels: [double], steps: [], inputs: [], outputs: [], arenaBytes: 2 ** 50 }))).toThrow(
      /needs 1073741824 MiB of working memory/,
    );
  });
});

describe('asynchronous runs', () => {
  const increment = kernel('increment', 'for (int64_t i = from; i < to; i++) x0[i] += 1;');
  const spin = kernel(
    'spin',
    'volatile float s = 0; for (int64_t i = from; i < to; i++) for (int k = 0; k < 2000000; k++) s += 1; if (from == 0) x0[0] = 2 * x0[0] + x1[0];',
  );
  const spinning = program({ kernels: [spin], steps: [launch(0, 8, [input(0), input(1)])], inputs: [1, 1], outputs: [] });

  it('leave the event loop free', async () => {
    const device = testDevice();
    const executable = device.loadSync(spinning);
    const [state, one] = [storageOf(device, [1]), storageOf(device, [1])];
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await executable.runAsync([state, one], []);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
    expect(floats(state)[0]).toBe(3);
  });

  it('run in the order they were asked for, synchronous ones too', async () => {
    const device = testDevice();
    const executable = device.loadSync(spinning);
    const state = storageOf(device, [1]);
    const terms = [3, 5, 7, 11].map((v) => storageOf(device, [v]));
    const finished: number[] = [];
    const runs = terms.slice(0, 3).map((term, i) => executable.runAsync([state, term], []).then(() => finished.push(i)));
    executable.run([state, terms[3]], []);
    expect(floats(state)[0]).toBe((((1 * 2 + 3) * 2 + 5) * 2 + 7) * 2 + 11);
    await Promise.all(runs);
    expect(finished).toEqual([0, 1, 2]);
    await executable.runAsync([state, terms[0]], []);
    expect(floats(state)[0]).toBe(((((1 * 2 + 3) * 2 + 5) * 2 + 7) * 2 + 11) * 2 + 3);
  });

  it('have a deep stack on every thread', async () => {
    const device = testDevice(2);
    const deep = kernel(
      'deep',
      'volatile char panel[6 << 20]; for (int64_t i = 0; i < (6 << 20); i += 4096) panel[i] = 1; for (int64_t i = from; i < to; i++) x0[i] += panel[i * 4096];',
    );
    const executable = device.loadSync(program({ kernels: [deep], steps: [launch(0, 16, [input(0)])], inputs: [16], outputs: [] }));
    const state = storageOf(device, new Float32Array(16));
    await executable.runAsync([state], []);
    executable.run([state], []);
    expect(floats(state)).toEqual(new Float32Array(16).fill(2));
  });

  it('survive 10,000 runs without growing', async () => {
    const device = testDevice();
    const executable = device.loadSync(
      program({ kernels: [increment], steps: [launch(0, 256, [input(0)]), barrier, launch(0, 256, [input(0)])], inputs: [256], outputs: [] }),
    );
    const state = storageOf(device, new Float32Array(256));
    executable.run([state], []);
    const before = process.memoryUsage().rss;
    for (let i = 1; i < 10_000; i++) executable.run([state], []);
    for (let i = 0; i < 200; i++) await executable.runAsync([state], []);
    expect(floats(state)).toEqual(new Float32Array(256).fill(20_400));
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  });

  it.each([
    [2, 1e9],
    [4, 1e9],
    [2, 2e4],
  ])('wake sleeping workers (%i threads, work %f)', async (threads, work) => {
    const device = testDevice(threads);
    const steps = [launch(0, 256, [input(0)]), barrier, launch(0, 256, [input(0)])];
    const executable = device.loadSync(program({ kernels: [increment], steps, inputs: [256], outputs: [], work }));
    const state = storageOf(device, new Float32Array(256));
    for (let i = 0; i < 60; i++) {
      for (let k = 0; k < 20; k++) executable.run([state], []);
      if (i % 3) await new Promise((resolve) => setTimeout(resolve, i % 5));
    }
    expect(floats(state)).toEqual(new Float32Array(256).fill(2400));
  });
});

describe('what a run leaves behind', () => {
  it.runIf(process.platform === 'linux')('is no narrower processor mask: child processes would inherit it', () => {
    const mask = () => /^Cpus_allowed_list:.*$/m.exec(readFileSync('/proc/thread-self/status', 'utf8'))?.[0];
    const before = mask();
    const device = testDevice(2);
    const executable = device.loadSync(program({ kernels: [double], steps: [launch(0, 1000, [input(0), output(0)])], inputs: [1000], outputs: [1000] }));
    const storages = [device.allocate(4000), device.allocate(4000)];
    for (let i = 0; i < 1000; i++) executable.run([storages[0]], [storages[1]]);
    expect(mask()).toBe(before);
  });

  it('is no memory once the program is collected', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const device = testDevice();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 300; i++) {
      device.loadSync(program({ kernels: [double], steps: [], inputs: [], outputs: [], arenaBytes: 2 ** 20 })).run([], []);
      if (i % 50 !== 49) continue;
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20);
  });
});

describe('one kernel text', () => {
  it('is compiled once for many programs, also when loaded asynchronously', async () => {
    const device = testDevice();
    const make = () => program({ kernels: [add, double, add], steps: [launch(2, 4, [input(0), input(1), output(0)])], inputs: [4, 4], outputs: [4] });
    const first = await device.load(make());
    const second = device.loadSync(make());
    for (const executable of [first, second]) {
      const result = device.allocate(16);
      executable.run([storageOf(device, [1, 2, 3, 4]), storageOf(device, [1, 1, 1, 1])], [result]);
      expect([...floats(result)]).toEqual([2, 3, 4, 5]);
    }
  });
});
