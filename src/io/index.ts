/** gradix/io: safetensors files, on disks, in pages and behind URLs, and models in them. */
export type { FetchOptions, Progress } from './fetch.ts';

export { readSafetensors, readSafetensorsHeader, writeFileAtomic, writeSafetensors } from './files.ts';
export { type LoadOptions, load, loadTensors, type SaveOptions, type Stateful, save } from './model.ts';
export { type ArrayValue, decodeSafetensors, encodeSafetensors, type SafetensorsFile, type SafetensorsHeader } from './safetensors.ts';
