/** The one debug switch: GRADIX_DEBUG=0…5 (see docs/debugging.md), settable in code for browsers and tests. */

const environment = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env ?? {};

/** An environment variable, or undefined where there are none (browsers). */
export const environmentVariable = (name: string): string | undefined => environment[name] || undefined;

let level = Number(environmentVariable('GRADIX_DEBUG') ?? 0) || 0;

export const debugLevel = (): number => level;

export function setDebugLevel(value: number): void {
  level = value;
}

/** Prints to stderr when the level is reached; the text is built only then. */
export function debug(atLeast: number, text: () => string): void {
  if (level >= atLeast) console.error(text());
}
