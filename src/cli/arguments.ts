/** The command line's parser: options with types and defaults in a table, clear errors, and help text from the same table. */
import { didYouMean, GradixError } from '../core/errors.ts';

export interface Option {
  readonly type: 'text' | 'whole' | 'number' | 'flag';
  /** What stands after it in the help: DIR, N. */
  readonly value?: string;
  readonly help: string;
  readonly least?: number;
  readonly above?: number;
  readonly choices?: readonly string[];
}

export type Options = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O['type'] extends 'text' ? string : O['type'] extends 'flag' ? boolean : number;
export type Parsed<T extends Options> = { readonly [K in keyof T]?: ValueOf<T[K]> };

/** A mistake in how the command was called: exit code 2. */
export class UsageError extends GradixError {
  constructor(command: string, problem: string, hint?: string) {
    super('argument', command, problem, hint ?? `See ${command} --help.`);
  }
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Splits arguments into positional ones and options: `--name value`, `--name=value`, `--flag`. */
export function parseArguments<T extends Options>(
  command: string,
  args: readonly string[],
  options: T,
): { readonly positional: string[]; readonly values: Parsed<T> } {
  const byFlag = new Map(Object.entries(options).map(([name, option]) => [`--${kebab(name)}`, { name, option }]));
  const positional: string[] = [];
  const values: Record<string, string | number | boolean> = {};
  for (let i = 0; i < args.length; i++) {
    const argument = args[i];
    if (!argument.startsWith('-') || argument === '-') {
      positional.push(argument);
      continue;
    }
    const equals = argument.indexOf('=');
    const flag = equals < 0 ? argument : argument.slice(0, equals);
    const found = byFlag.get(flag);
    if (found === undefined) throw new UsageError(command, `unknown option ${flag}`, didYouMean(flag, byFlag.keys()));
    const { name, option } = found;
    if (name in values) throw new UsageError(command, `${flag} is given twice`);
    if (option.type === 'flag') {
      if (equals >= 0) throw new UsageError(command, `${flag} takes no value, got "${argument.slice(equals + 1)}"`);
      values[name] = true;
      continue;
    }
    const text = equals >= 0 ? argument.slice(equals + 1) : args[++i];
    if (text === undefined || (equals < 0 && /^--\w/.test(text)))
      throw new UsageError(command, `${flag} needs a value`, `${flag} ${option.value ?? 'VALUE'}: ${option.help}.`);
    values[name] = readValue(command, flag, option, text);
  }
  return { positional, values: values as Parsed<T> };
}

function readValue(command: string, flag: string, option: Option, text: string): string | number {
  if (option.type === 'text') {
    if (text === '') throw new UsageError(command, `${flag} needs a value, got ""`);
    if (option.choices && !option.choices.includes(text))
      throw new UsageError(command, `${flag} must be one of ${option.choices.join(', ')}, got "${text}"`, didYouMean(text, option.choices));
    return text;
  }
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const { least = Number.NEGATIVE_INFINITY, above = Number.NEGATIVE_INFINITY } = option;
  const fits = option.type === 'whole' ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (!fits || value < least || value <= above) {
    const limit = Number.isFinite(least) ? ` ≥ ${least}` : Number.isFinite(above) ? ` > ${above}` : '';
    throw new UsageError(command, `${flag} must be a ${option.type === 'whole' ? 'whole ' : ''}number${limit}, got "${text}"`);
  }
  return value;
}

/** The options as help text. */
export function optionsHelp(options: Options): string {
  const rows = Object.entries(options).map(([name, option]) => [`--${kebab(name)}${option.type === 'flag' ? '' : ` ${option.value ?? 'VALUE'}`}`, option.help]);
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
