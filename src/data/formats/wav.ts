/** WAV sound (Microsoft RIFF): PCM of 8, 16, 24 and 32 bits, floats of 32 and 64 bits, any number of channels. Pure functions on bytes. */
import { fail } from '../../core/errors.ts';
import { latin1, viewOf } from './bytes.ts';

export interface Sound {
  /** Frames per second. */
  readonly sampleRate: number;
  readonly channels: number;
  /** [frames, channels] in −1 … 1. */
  readonly samples: Float32Array;
}

const pcm = 1;
const float = 3;
const extensible = 0xfffe;

/** By format tag and bits: bytes per value, and the value in −1 … 1. */
const readers: Readonly<Record<string, { readonly bytes: number; readonly read: (view: DataView, at: number) => number }>> = {
  [`${pcm}/8`]: { bytes: 1, read: (view, at) => (view.getUint8(at) - 128) / 128 },
  [`${pcm}/16`]: { bytes: 2, read: (view, at) => view.getInt16(at, true) / 2 ** 15 },
  [`${pcm}/24`]: { bytes: 3, read: (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23 },
  [`${pcm}/32`]: { bytes: 4, read: (view, at) => view.getInt32(at, true) / 2 ** 31 },
  [`${float}/32`]: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  [`${float}/64`]: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

/** Reads a WAV file. A data chunk that claims more than the file holds (a recording that was broken off) is an error. */
export function parseWav(bytes: Uint8Array, name = 'the data'): Sound {
  const bad = (problem: string, hint = 'The file is truncated or corrupt.'): never => fail('data', 'wav', `${name} ${problem}`, hint);
  if (bytes.length < 12 || latin1(bytes.subarray(0, 4)) !== 'RIFF' || latin1(bytes.subarray(8, 12)) !== 'WAVE')
    bad('does not begin as a WAV file does', 'It is not a WAV file.');
  const view = viewOf(bytes);
  let format: { tag: number; channels: number; sampleRate: number; bits: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = latin1(bytes.subarray(at, at + 4));
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (start + size > bytes.length) bad(`announces ${size} bytes of ${JSON.stringify(id)}, but ${bytes.length - start} follow`);
    if (id === 'fmt ') format = readFormat(view, start, size, bad);
    if (id === 'data') {
      if (format === undefined) return bad('has its data before their format');
      const { tag, channels, sampleRate, bits } = format;
      const reader = readers[`${tag}/${bits}`];
      if (reader === undefined) return bad(`has ${bits} bits in format ${tag}`, 'Known are PCM of 8, 16, 24 and 32 bits and floats of 32 and 64.');
      const frames = Math.floor(size / (reader.bytes * channels));
      const samples = new Float32Array(frames * channels);
      for (let i = 0; i < samples.length; i++) samples[i] = reader.read(view, start + i * reader.bytes);
      return { sampleRate, channels, samples };
    }
    at = start + size + (size & 1);
  }
  return bad('holds no data chunk');
}

function readFormat(view: DataView, start: number, size: number, bad: (problem: string) => never) {
  if (size < 16) bad(`has a format chunk of ${size} bytes`);
  const tag = view.getUint16(start, true);
  const [channels, sampleRate, bits] = [view.getUint16(start + 2, true), view.getUint32(start + 4, true), view.getUint16(start + 14, true)];
  if (channels === 0 || sampleRate === 0) bad(`claims ${channels} channels at ${sampleRate} Hz`);
  if (tag !== extensible) return { tag, channels, sampleRate, bits };
  if (size < 40) bad(`has an extended format chunk of ${size} bytes`);
  return { tag: view.getUint16(start + 24, true), channels, sampleRate, bits };
}

/** Writes floats of 32 bits, or PCM of 16 bits (values beyond ±1 are cut). */
export function encodeWav({ sampleRate, channels, samples }: Sound, { bits = 16 }: { readonly bits?: 16 | 32 } = {}): Uint8Array {
  const width = bits / 8;
  const bytes = new Uint8Array(44 + samples.length * width);
  const view = viewOf(bytes);
  const text = (at: number, word: string) => [...word].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, bits === 16 ? pcm : float, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * width, true);
  view.setUint16(32, channels * width, true);
  view.setUint16(34, bits, true);
  text(36, 'data');
  view.setUint32(40, samples.length * width, true);
  for (let i = 0; i < samples.length; i++) {
    if (bits === 32) view.setFloat32(44 + 4 * i, samples[i], true);
    else view.setInt16(44 + 2 * i, Math.max(-32_768, Math.min(32_767, Math.round(samples[i] * 32_768))), true);
  }
  return bytes;
}
