/** The C of the native device, in c/: the runtime, and what stands at the head of every unit of kernels. */
import { readFileSync } from 'node:fs';
import { cPolynomials } from '../../codegen/c-polynomials.ts';
import type { Target } from '../../ir/ir.ts';

/** The files by name, set when the package is bundled: a bundle may be anywhere. */
declare const GRADIX_C_TEXTS: Readonly<Record<string, string>> | undefined;

const read = (name: string): string =>
  typeof GRADIX_C_TEXTS === 'object' ? GRADIX_C_TEXTS[name] : readFileSync(new URL(`./c/${name}`, import.meta.url), 'utf8');

export const runtimeSource = (): string => read('runtime.c');

export const cPrelude = ({ lanes }: Pick<Target, 'lanes'>): string => [`#define LANES ${lanes}`, cPolynomials, read('vectors.h'), read('maths.h')].join('\n');
