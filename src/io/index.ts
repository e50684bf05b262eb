/** gradix/io: safetensors files, and models in them. */

export { readSafetensors, readSafetensorsHeader, writeFileAtomic, writeSafetensors } from './files.ts';
export { load, loadTensors, type SaveOptions, type Stateful, save } from './model.ts';
export { type ArrayValue, decodeSafetensors, encodeSafetensors, type SafetensorsFile, type SafetensorsHeader } from './safetensors.ts';
