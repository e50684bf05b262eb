/** The native device of Node: programs as C, compiled for this machine. */
export { type NativeOptions, nativeDevice } from './device.ts';
