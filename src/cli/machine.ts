/** Options that choose the device and its threads: they become the environment variables that the engine reads when it starts. */
import { compiledDevice, currentDevice } from '../engine/devices.ts';

/** Starts the device and returns its name. (Where native cannot start, the engine says so in one line and uses reference.) */
export function useMachine({ device, threads }: { readonly device?: string; readonly threads?: number }): string {
  if (device !== undefined) process.env.GRADIX_DEVICE = device;
  if (threads !== undefined) process.env.GRADIX_THREADS = String(threads);
  compiledDevice();
  return currentDevice();
}
