/** Which device runs programs. Devices register a loader, called when the device is first needed; 'reference' is always there. */
import { debug, environmentVariable } from '../core/debug.ts';
import { didYouMean, fail } from '../core/errors.ts';
import type { CompiledDevice, DeviceName, Storage } from '../runtime/device.ts';

/** The device, or why this machine cannot have it (for example, no C compiler). */
export type DeviceLoader = () => CompiledDevice | { readonly unavailable: string };

const loaders = new Map<string, DeviceLoader>();
const loaded = new Map<string, CompiledDevice>();
let chosen: string | undefined;
/** The answer of currentDevice: it is asked for with every step, and reading the environment takes longer than a small kernel. */
let current: DeviceName | undefined;
/** Devices that were tried and cannot be had here. */
const unavailable = new Set<string>();

const known = (): string[] => ['reference', ...loaders.keys()];

/** Makes a device available; `loader` is called when it is first needed. */
export function registerDevice(name: DeviceName, loader: DeviceLoader): void {
  loaders.set(name, loader);
  current = undefined;
}

/** Chooses the device for everything that is computed from now on: 'native', 'reference', … */
export function setDevice(name: DeviceName): void {
  if (!known().includes(name)) fail('device', 'setDevice', `there is no device "${name}" here; available: ${known().join(', ')}`, didYouMean(name, known()));
  chosen = name;
  current = undefined;
}

/** The name of the device that is used: setDevice, else GRADIX_DEVICE, else the fastest that is registered and can be had. */
export function currentDevice(): DeviceName {
  if (current !== undefined) return current;
  const name = chosen ?? environmentVariable('GRADIX_DEVICE') ?? [...loaders.keys()].find((key) => !unavailable.has(key)) ?? 'reference';
  if (!known().includes(name))
    fail('device', 'GRADIX_DEVICE', `there is no device "${name}" here; available: ${known().join(', ')}`, didYouMean(name, known()));
  current = name as DeviceName;
  return current;
}

/** The current device, loaded; undefined is the reference device, which interprets. */
export function compiledDevice(): CompiledDevice | undefined {
  const name = currentDevice();
  if (name === 'reference') return undefined;
  const ready = loaded.get(name);
  if (ready) return ready;
  const found = loaders.get(name)?.() ?? fail('device', name, 'this device is not registered');
  if (!('unavailable' in found)) {
    loaded.set(name, found);
    debug(1, () => `gradix: device ${name}: ${found.target.lanes} lanes, ${found.target.threads} threads`);
    return found;
  }
  if (chosen !== undefined || environmentVariable('GRADIX_DEVICE') !== undefined)
    fail('device', name, found.unavailable, "Use setDevice('reference') or another device.");
  unavailable.add(name);
  current = undefined;
  const next = currentDevice();
  const instead = next === 'wasm' ? 'WebAssembly' : 'the slow reference device';
  const advice = name === 'native' ? ' A C compiler (gcc or clang) makes it faster.' : '';
  console.error(`gradix: using ${instead}, because ${found.unavailable}.${advice}`);
  return compiledDevice();
}

/** Memory on the current device without starting it: before a device is loaded, plain JavaScript memory serves (all CPU devices take it). */
export function allocate(byteLength: number): Storage {
  const device = loaded.get(currentDevice());
  return device ? device.allocate(byteLength) : { buffer: new ArrayBuffer(byteLength), byteOffset: 0, byteLength };
}

/** Whether the current device writes to this storage without copying it. */
export const isReached = (storage: Storage): boolean => loaded.get(currentDevice())?.holds?.(storage) ?? true;
