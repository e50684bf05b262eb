/** The features of recordings as examples of one shape: as long as asked for, one channel. */
import { fail } from '../../core/errors.ts';
import type { Shape } from '../../core/shape.ts';
import type { NamedBytes } from '../formats/file-set.ts';
import { parseWav, type Sound } from '../formats/wav.ts';
import { binCount, type FrameOptions, frameCount, logarithm, melSpectrogram, mfcc, spectrogram } from './spectrogram.ts';

export interface Features extends FrameOptions {
  readonly kind: 'wave' | 'spectrogram' | 'mel' | 'mfcc';
  readonly sampleRate: number;
  /** Samples of every example: shorter recordings are followed by silence, longer ones cut. */
  readonly samples: number;
  readonly bands: number;
  readonly coefficients: number;
}

/** The shape of one example: [samples], or [frames, bins | bands | coefficients, 1]. */
export function featureShape(features: Features): Shape {
  const { kind, samples, bands, coefficients } = features;
  if (kind === 'wave') return [samples];
  const columns = { spectrogram: binCount(features), mel: bands, mfcc: coefficients }[kind];
  return [frameCount(samples, features), columns, 1];
}

/** The mean of the channels. */
export function mono({ channels, samples }: Sound): Float32Array {
  if (channels === 1) return samples;
  return Float32Array.from({ length: samples.length / channels }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += samples[i * channels + c];
    return sum / channels;
  });
}

/** Spectrogram and mel bands as logarithms. */
function featuresOf(samples: Float32Array, features: Features): ArrayLike<number> {
  switch (features.kind) {
    case 'wave':
      return samples;
    case 'spectrogram':
      return logarithm(spectrogram(samples, features)).values;
    case 'mel':
      return logarithm(melSpectrogram(samples, features)).values;
    case 'mfcc':
      return mfcc(samples, features).values;
  }
}

/** All files one after the other. Errors: corrupt, another sample rate. */
export function soundFeatures(files: readonly NamedBytes[], features: Features): Float32Array {
  const size = featureShape(features).reduce((product, d) => product * d, 1);
  const all = new Float32Array(files.length * size);
  for (const [i, { name, bytes }] of files.entries()) {
    const sound = parseWav(bytes, name);
    if (sound.sampleRate !== features.sampleRate)
      fail('data', 'audioFolder', `${name} has ${sound.sampleRate} samples per second, not ${features.sampleRate}`, 'Resample the files to one rate.');
    const samples = new Float32Array(features.samples);
    samples.set(mono(sound).subarray(0, features.samples));
    all.set(featuresOf(samples, features), i * size);
  }
  return all;
}
