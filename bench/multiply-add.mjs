/**
 * The multiply-add peak of the JavaScript engine: a WebAssembly module with nothing but independent chains of vector multiply-adds in registers (relaxed where
 * the engine has them, as in generated kernels, else a product and a sum), run by as many threads as gradix has.
 */
import { Worker } from 'node:worker_threads';

const lanes = 4;
const turns = 2_000_000;
const unrolled = 4;

const number = (value) => {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest < 128 ? rest : (rest & 127) | 128);
    if (rest < 128) return bytes;
  }
};
const section = (id, content) => [id, ...number(content.length), ...content];
const get = (local) => [0x20, ...number(local)];
const set = (local) => [0x21, ...number(local)];
const vector = (opcode) => [0xfd, ...number(opcode)];

/** `run(turns)` → one of the sums' lanes. Locals: the count; two factors; the chains. */
function moduleOf(fused, chains) {
  const [a, b, first] = [1, 2, 3];
  const multiplyAdd = (chain) => [
    ...(fused ? [...get(a), ...get(b), ...get(chain), ...vector(0x105)] : [...get(a), ...get(b), ...vector(0xe6), ...get(chain), ...vector(0xe4)]),
    ...set(chain),
  ];
  const all = Array.from({ length: chains }, (_, i) => first + i);
  const turn = Array.from({ length: unrolled }, () => all.flatMap(multiplyAdd)).flat();
  const count = [...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0]; // local 0 − 1, kept; again while it is not 0
  const factor = (local, value) => [0x43, ...new Uint8Array(new Float32Array([value]).buffer), ...vector(0x13), ...set(local)];
  const sum = [...get(first), ...all.slice(1).flatMap((chain) => [...get(chain), ...vector(0xe4)]), ...vector(0x1f), 0];
  const code = [1, ...number(2 + chains), 0x7b, ...factor(a, 1e-3), ...factor(b, 1e-3), 0x03, 0x40, ...turn, ...count, 0x0b, ...sum, 0x0b];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7d]),
    ...section(3, [1, 0]),
    ...section(7, [1, 3, ...new TextEncoder().encode('run'), 0, 0]),
    ...section(10, [1, ...number(code.length), ...code]),
  ]);
}

const relaxed = moduleOf(true, 12);
const fused = WebAssembly.validate(relaxed);
// Twelve chains hide the latency of a fused multiply-add, and sixteen registers hold them.
const chains = fused ? 12 : 11;
const bytes = fused ? relaxed : moduleOf(false, chains);
const threads = Number(process.env.GRADIX_THREADS ?? 1);

export const multiplyAddFlops = 2 * lanes * chains * unrolled * turns * threads;

const helper = `
const { workerData: { bytes, words, turns } } = require('node:worker_threads');
const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
for (let seen = 0; ; seen++) {
  Atomics.wait(words, 0, seen);
  run(turns);
  Atomics.add(words, 1, 1);
}`;

/** A call runs the chains on all threads and returns when all are done. */
export function multiplyAddPeak() {
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  const words = new Int32Array(new SharedArrayBuffer(8));
  for (let i = 1; i < threads; i++) new Worker(helper, { eval: true, workerData: { bytes, words, turns } }).unref();
  return () => {
    Atomics.store(words, 1, 0);
    Atomics.add(words, 0, 1);
    Atomics.notify(words, 0);
    run(turns);
    while (Atomics.load(words, 1) < threads - 1);
  };
}
