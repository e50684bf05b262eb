/** Compiled programs by structure: the least recently used are forgotten. */
import { compileGraph } from '../compiler/pipeline.ts';
import { debug } from '../core/debug.ts';
import type { Node } from '../graph/node.ts';
import type { Program } from '../ir/program.ts';
import type { CompiledDevice, Executable } from '../runtime/device.ts';
import { interpretedExecutable } from '../runtime/reference/index.ts';
import { compiledDevice } from './devices.ts';
import { digest } from './fingerprint.ts';

export interface Loaded {
  readonly executable: Executable;
  /** Undefined on the reference device. */
  readonly program: Program | undefined;
}

export interface Request {
  readonly outputs: readonly Node[];
  readonly inputs: readonly Node[];
  readonly aliases: readonly (number | undefined)[];
}

const cache = new Map<string, Loaded>();
const capacity = 256;

export interface ProgramRequest {
  /** The structure of the graph. */
  readonly text: string;
  readonly graph: () => Request;
  /** For the debug output. */
  readonly why: string;
}

/** The compiler's program, its kernels called k0, k1, … in profiles and in the source. */
function programFor(request: Request, device: CompiledDevice): Program {
  const program = compileGraph(request, device.target);
  return { ...program, kernels: program.kernels.map((kernel, i) => ({ ...kernel, name: `k${i}` })) };
}

/** The program for a graph, from the cache or compiled now. */
export function loadProgram(request: ProgramRequest): Loaded {
  const { key, device, known } = lookUp(request);
  if (known) return known;
  const start = performance.now();
  if (!device) return keep(key, request.why, { executable: interpretedExecutable(request.graph()), program: undefined }, start);
  const recalled = device.recall?.(request.text);
  if (recalled) return keep(key, `${request.why}, recalled`, recalled, start);
  const program = programFor(request.graph(), device);
  return keep(key, request.why, { executable: device.loadSync(program, request.text), program }, start);
}

/** As loadProgram; the event loop is free while the device's compiler works. */
export async function loadProgramAsync(request: ProgramRequest): Promise<Loaded> {
  const { key, device, known } = lookUp(request);
  if (known || !device) return known ?? loadProgram(request);
  const start = performance.now();
  const recalled = device.recall?.(request.text);
  if (recalled) return keep(key, `${request.why}, recalled`, recalled, start);
  const program = programFor(request.graph(), device);
  return keep(key, request.why, { executable: await device.load(program, request.text), program }, start);
}

function lookUp({ text, why }: ProgramRequest): { readonly key: string; readonly device: CompiledDevice | undefined; readonly known: Loaded | undefined } {
  const device = compiledDevice();
  const key = `${device?.target.identity ?? 'reference'}:${digest(text)}`;
  const known = cache.get(key);
  if (known) {
    debug(1, () => `gradix: ${why}: program ${digest(text)}, compiled before`);
    cache.delete(key);
    cache.set(key, known);
  }
  return { key, device, known };
}

function keep(key: string, why: string, loaded: Loaded, start: number): Loaded {
  cache.set(key, loaded);
  if (cache.size > capacity) cache.delete(cache.keys().next().value as string);
  debug(1, () => describe(why, key.slice(key.lastIndexOf(':') + 1), loaded, performance.now() - start));
  return loaded;
}

function describe(why: string, key: string, { program }: Loaded, milliseconds: number): string {
  const size = program
    ? `${program.kernels.length} kernels, ${program.inputs.length} inputs, ${program.outputs.length} outputs, arena ${program.arenaBytes} bytes`
    : 'interpreted';
  return `gradix: ${why}: program ${key}, ready in ${milliseconds.toFixed(0)} ms (${size})`;
}
