/**
 * The system's C compiler: found, asked what this machine's vector units are, and run on several units at once.
 * GRADIX_CC, then CC, then cc, gcc, clang.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { environmentVariable } from '../../core/debug.ts';
import { fail } from '../../core/errors.ts';

export interface Compiler {
  /** The program and its leading arguments ("ccache gcc" is two words). */
  readonly command: readonly string[];
  readonly flags: readonly string[];
  /** Predefined macros that tell the vector units, such as __AVX512F__. */
  readonly macros: readonly string[];
  /** Changes when compiled code may change: the compiler, its flags, the processor. */
  readonly identity: string;
}

export interface Unavailable {
  readonly unavailable: string;
}

/**
 * Sums keep their written order (no fast-math) and a·b + c is fused only where the kernel says so: the same bits from every compiler.
 * -O2 with vectorisation compiles in less than half the time of -O3; the kernels are vectorised by hand already.
 */
const commonFlags = [
  ...['-O2', '-ftree-vectorize', '-std=gnu11', '-shared', '-fPIC', '-pipe', '-w'],
  ...['-ffp-contract=off', '-fno-math-errno', '-fno-trapping-math', '-fno-finite-math-only', '-fwrapv', '-fno-strict-aliasing', '-fno-stack-protector'],
];
/** What to ask a compiler for "this machine", in order of preference. */
const machineFlags = [['-march=native'], ['-mcpu=native'], []];
const relevantMacro = /^#define (__VERSION__|__AVX\w*__|__FMA__|__SSE\w*__|__AMX\w*__|__F16C__|__ARM_\w+|__x86_64__|__aarch64__|__OPTIMIZE__)\b/;

/** The text of a file, or `otherwise` where there is none to read. */
export function readText(path: string, otherwise = ''): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

/** The processor's name and features: code compiled for one machine must not run on another that shares the cache directory. */
export function processorIdentity(): string {
  const lines = readText('/proc/cpuinfo').split('\n\n', 1)[0].split('\n');
  const facts = lines.filter((line) => /^(model name|flags|Features|CPU \w+)\s*:/.test(line));
  return facts.join('\n') || (cpus()[0]?.model ?? process.arch);
}

/** Finds the compiler. What it says of the machine is remembered in `cacheDirectory`, so that a warm start spawns no process. */
export function findCompiler(cacheDirectory: string): Compiler | Unavailable {
  const chosen = environmentVariable('GRADIX_CC');
  const candidates = chosen ? [chosen] : [environmentVariable('CC'), 'cc', 'gcc', 'clang'];
  let reason = 'no C compiler was found (looked for GRADIX_CC, CC, cc, gcc and clang)';
  for (const candidate of candidates) {
    const command = candidate === undefined ? undefined : resolveCommand(candidate);
    if (command === undefined) {
      if (chosen) reason = `the C compiler named by GRADIX_CC, "${chosen}", was not found`;
      continue;
    }
    const compiler = describe(command, cacheDirectory);
    if (!('unavailable' in compiler)) return compiler;
    reason = compiler.unavailable;
  }
  return { unavailable: reason };
}

/** "ccache gcc" → [path of ccache, gcc]; undefined when there is no such program. */
function resolveCommand(text: string): string[] | undefined {
  const whole = findProgram(text.trim());
  if (whole) return [whole];
  const [first, ...rest] = text.trim().split(/\s+/);
  const program = findProgram(first);
  return program && rest.length > 0 ? [program, ...rest] : undefined;
}

function findProgram(name: string): string | undefined {
  const folders = (environmentVariable('PATH') ?? '/usr/bin:/bin').split(delimiter);
  const paths = name.includes('/') ? [resolve(name)] : folders.map((folder) => resolve(folder, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}

type Description = Pick<Compiler, 'flags' | 'macros'>;

function describe(command: readonly string[], cacheDirectory: string): Compiler | Unavailable {
  const path = realpathSync(command[0]);
  const { size, mtimeMs } = statSync(path);
  const key = digest([...command, path, size, mtimeMs, processorIdentity(), ...commonFlags].join('\n'));
  const file = join(cacheDirectory, `machine-${key}.json`);
  const known = readDescription(file);
  const description = known ?? askMachine(command);
  if ('unavailable' in description) return description;
  if (!known) {
    try {
      writeFileSync(file, JSON.stringify(description));
    } catch {
      // Not remembered, then; asked again next time.
    }
  }
  const wide = description.macros.some((macro) => macro.startsWith('__AVX512F__'));
  const flags = [...commonFlags, ...description.flags, ...(wide ? ['-mprefer-vector-width=512'] : [])];
  return { command, flags, macros: description.macros, identity: digest([key, ...flags, ...description.macros].join('\n')) };
}

function readDescription(file: string): Description | undefined {
  const strings = (value: unknown): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string');
  try {
    const parsed = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    if (strings(parsed.flags) && strings(parsed.macros) && parsed.macros.length > 0) return { flags: parsed.flags, macros: parsed.macros };
  } catch {
    // Missing or damaged: ask the compiler.
  }
  return undefined;
}

function askMachine(command: readonly string[]): Description | Unavailable {
  let problem = '';
  for (const flags of machineFlags) {
    const options = { encoding: 'utf8', env: compilerEnvironment(), timeout: 60_000 } as const;
    const result = spawnSync(command[0], [...command.slice(1), ...flags, '-dM', '-E', '-x', 'c', '/dev/null'], options);
    const macros = result.status === 0 ? result.stdout.split('\n').flatMap((line) => (relevantMacro.test(line) ? [line.slice('#define '.length)] : [])) : [];
    if (macros.some((macro) => macro.startsWith('__VERSION__'))) return { flags, macros };
    const said = () => firstLines(result.stderr) || `it exits with ${result.status} and is no C compiler`;
    problem ||= result.error?.message ?? (result.signal ? `it was killed by ${result.signal}` : said());
  }
  return { unavailable: `the C compiler ${command.join(' ')} does not work: ${problem}` };
}

const compilerEnvironment = (temporary?: string): NodeJS.ProcessEnv => ({ ...process.env, LC_ALL: 'C', ...(temporary ? { TMPDIR: temporary } : {}) });

/** Every .c file of the working directory becomes a .so, all at once; the log and the exit status of each lie beside it. */
const script = 'for f in *.c; do { "$@" -o "$f.so" "$f" -lm >"$f.log" 2>&1; echo $? >"$f.status"; } & done; wait';

const shellArguments = (compiler: Compiler) => ['-c', script, 'sh', ...compiler.command, ...compiler.flags];
const shellOptions = (directory: string) => ({ cwd: directory, env: compilerEnvironment(directory), stdio: 'ignore' as const });

/** Compiles `units` (one C text each) in parallel in `directory`, which is empty. Returns the libraries' paths; throws a GradixError when one fails. */
export function compileSync(compiler: Compiler, directory: string, units: readonly string[]): string[] {
  writeUnits(directory, units);
  const { error } = spawnSync('sh', shellArguments(compiler), shellOptions(directory));
  return collect(compiler, directory, units.length, error);
}

/** The same with the event loop free meanwhile. */
export async function compile(compiler: Compiler, directory: string, units: readonly string[]): Promise<string[]> {
  writeUnits(directory, units);
  const error = await new Promise<Error | undefined>((done) => {
    const child = spawn('sh', shellArguments(compiler), shellOptions(directory));
    child.on('error', done);
    child.on('close', () => done(undefined));
  });
  return collect(compiler, directory, units.length, error);
}

function writeUnits(directory: string, units: readonly string[]): void {
  for (const [i, unit] of units.entries()) writeFileSync(join(directory, `${i}.c`), unit);
}

function collect(compiler: Compiler, directory: string, count: number, error: Error | undefined): string[] {
  const name = compiler.command.join(' ');
  if (error) fail('compile', 'native', `could not start the C compiler ${name}: ${error.message}`);
  return Array.from({ length: count }, (_, i) => {
    const status = Number(readText(join(directory, `${i}.c.status`), 'NaN'));
    if (status === 0) return join(directory, `${i}.c.so`);
    const log = firstLines(readText(join(directory, `${i}.c.log`)));
    const how = status > 128 ? `was killed by signal ${status - 128}` : Number.isNaN(status) ? 'was stopped' : `failed with status ${status}`;
    const problem = `the C compiler ${name} ${how}${log ? `:\n${log}\n` : ''}`;
    return fail('compile', 'native', problem, 'GRADIX_DEBUG=5 prints the source; GRADIX_CC chooses another compiler.');
  });
}

/** The error lines of a compiler's output, at most eight. */
function firstLines(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => /error|fatal|killed|cannot|undefined/i.test(line));
  return (errors.length > 0 ? errors : lines).slice(0, 8).join('\n');
}

export const digest = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');
