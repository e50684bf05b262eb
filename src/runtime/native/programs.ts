/**
 * Programs that earlier processes compiled, by the structure of their graphs: what the compiler did for a training step is not done again in the next process.
 * A file holds the program without its loop IR, and the C texts of its kernels; its first line is the digest of the rest.
 */
import type { Target } from '../../ir/ir.ts';
import type { Program } from '../../ir/program.ts';
import type { Cache } from './cache.ts';
import { digest } from './compiler.ts';

export interface StoredProgram {
  readonly program: Program;
  /** The C text of every kernel. */
  readonly texts: readonly string[];
}

export interface ProgramStore {
  find(structure: string): StoredProgram | undefined;
  keep(structure: string, stored: StoredProgram): void;
}

/** Set when the package is built: tells one state of the compiler from another. Sources that run as they are remember no programs. */
declare const GRADIX_BUILD: string | undefined;

/** Does nothing where the state of the compiler is not known. */
export function programStore(cache: Cache, target: Target, build = typeof GRADIX_BUILD === 'string' ? GRADIX_BUILD : undefined): ProgramStore {
  if (build === undefined) return { find: () => undefined, keep: () => {} };
  const salt = `${build}\n${JSON.stringify(target)}\n`;
  const nameOf = (structure: string): string => `${digest(salt + structure)}.program`;
  return {
    find(structure) {
      const text = cache.readFile(nameOf(structure));
      const end = text?.indexOf('\n') ?? -1;
      if (text === undefined || end < 0 || digest(text.slice(end + 1)) !== text.slice(0, end)) return undefined;
      const { program, texts } = JSON.parse(text.slice(end + 1)) as StoredProgram;
      // JSON has null for undefined.
      return { program: { ...program, aliases: program.aliases.map((alias) => alias ?? undefined) }, texts };
    },
    keep(structure, { program, texts }) {
      const kernels = program.kernels.map((kernel) => ({ ...kernel, body: [] }));
      const text = JSON.stringify({ program: { ...program, kernels }, texts } satisfies StoredProgram);
      cache.writeFile(nameOf(structure), `${digest(text)}\n${text}`);
    },
  };
}
