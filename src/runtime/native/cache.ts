/**
 * Compiled libraries on disk, found again by content. A library's name is the digest of its bytes and is verified before it is loaded;
 * an index file per kernel names the library that holds it. Programs lie beside them (programs.ts). Nothing is ever changed in place: files are renamed into the directory.
 */
import * as fs from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { environmentVariable } from '../../core/debug.ts';
import { digest } from './compiler.ts';

export interface Cache {
  readonly directory: string;
  /** Why the user's directory is not used; undefined when it is. */
  readonly warning: string | undefined;
  /** The digest of the library that holds the kernel. */
  lookUp(key: string): string | undefined;
  /** The path of a library whose bytes are what they should be; undefined when it is missing or damaged (it is removed then). */
  verified(library: string): string | undefined;
  /** Moves a new library in, records its kernels, and returns its digest. */
  add(path: string, keys: readonly string[]): string;
  /** The text of a further file of the cache; undefined when it is missing. */
  readFile(name: string): string | undefined;
  /** Puts a file in place at once, or not at all. */
  writeFile(name: string, text: string): void;
  /** A new empty directory on the same file system, for the caller to remove. */
  workDirectory(): string;
  /** Removes the least recently used libraries and programs when all of them exceed the limit. */
  prune(limitBytes?: number): void;
}

const day = 86_400_000;
const isDigest = /^[0-9a-f]{64}$/;

/** GRADIX_CACHE, else XDG_CACHE_HOME/gradix, else ~/.cache/gradix. */
function wantedDirectory(): string {
  const shared = () => join(environmentVariable('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'gradix');
  return resolve(environmentVariable('GRADIX_CACHE') ?? shared());
}

/** Opens the user's cache, or, where that cannot be used or trusted, a private temporary directory with the reason. */
export function openCache(directory: string = wantedDirectory()): Cache {
  const problem = makePrivate(directory);
  return problem === undefined
    ? cacheIn(directory, undefined)
    : temporaryCache(`cannot use the cache directory ${directory}: ${problem}. Kernels are compiled anew for this process`);
}

/** A cache for this process alone, removed when it ends. */
export function temporaryCache(warning: string): Cache {
  const directory = fs.mkdtempSync(join(tmpdir(), 'gradix-'));
  process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
  return cacheIn(directory, warning);
}

/** Makes the directory (mode 0700) if it is missing and returns why code must not be loaded from it, or undefined. */
function makePrivate(directory: string): string | undefined {
  try {
    makeLevels(directory);
    const facts = fs.statSync(directory);
    const user = process.getuid?.();
    if (!facts.isDirectory()) return 'it is no directory';
    if (user !== undefined && facts.uid !== user) return `it belongs to user ${facts.uid}, not to ${user}`;
    if (user !== undefined && (facts.mode & 0o022) !== 0) return 'others may write to it (chmod 700 helps)';
    fs.rmSync(fs.mkdtempSync(join(directory, 'tmp-')), { recursive: true });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Level by level: Node 20's recursive mkdir never returns below /proc. */
function makeLevels(directory: string): void {
  try {
    fs.lstatSync(directory);
    return;
  } catch {
    const parent = dirname(directory);
    if (parent !== directory) makeLevels(parent);
  }
  try {
    fs.mkdirSync(directory, { mode: 0o700 });
    fs.chmodSync(directory, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** What `read` finds; undefined where it cannot read. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** What was used lately is pruned last. */
function markUsed(path: string): void {
  if (Date.now() - fs.statSync(path).mtimeMs > day) fs.utimesSync(path, new Date(), new Date());
}

function cacheIn(directory: string, warning: string | undefined): Cache {
  const libraryPath = (library: string) => join(directory, `${library}.so`);
  const indexPath = (key: string) => join(directory, `${key}.kernel`);
  return {
    directory,
    warning,
    lookUp: (key) =>
      readable(() => {
        const library = fs.readFileSync(indexPath(key), 'latin1').trim();
        return isDigest.test(library) ? library : undefined;
      }),
    verified: (library) =>
      readable(() => {
        const path = libraryPath(library);
        if (digest(fs.readFileSync(path)) !== library) return fs.unlinkSync(path) as undefined;
        markUsed(path);
        return path;
      }),
    add(path, keys) {
      const library = digest(fs.readFileSync(path));
      fs.renameSync(path, libraryPath(library));
      // A half-written index file holds no digest and counts as missing, so these need no renaming.
      for (const key of keys) fs.writeFileSync(indexPath(key), library);
      return library;
    },
    readFile: (name) =>
      readable(() => {
        const path = join(directory, name);
        const text = fs.readFileSync(path, 'utf8');
        markUsed(path);
        return text;
      }),
    writeFile: (name, text) =>
      readable(() => {
        const fresh = fs.mkdtempSync(join(directory, 'tmp-'));
        fs.writeFileSync(join(fresh, name), text);
        fs.renameSync(join(fresh, name), join(directory, name));
        fs.rmdirSync(fresh);
      }),
    workDirectory() {
      makeLevels(directory); // someone may have emptied the cache meanwhile
      return fs.mkdtempSync(join(directory, 'tmp-'));
    },
    prune: (limitBytes = 512 * 2 ** 20) => prune(directory, limitBytes),
  };
}

function prune(directory: string, limitBytes: number): void {
  const remove = (path: string) => fs.rmSync(path, { recursive: true, force: true });
  try {
    const entries = fs.readdirSync(directory).flatMap((name) => {
      const path = join(directory, name);
      const facts = fs.lstatSync(path, { throwIfNoEntry: false });
      return facts ? [{ name, path, size: facts.size, modified: facts.mtimeMs }] : [];
    });
    // Left behind by processes that were killed while they compiled.
    for (const { name, path, modified } of entries) if (name.startsWith('tmp-') && Date.now() - modified > day) remove(path);
    const large = entries.filter(({ name }) => /\.(so|program)$/.test(name)).sort((a, b) => b.modified - a.modified);
    let total = 0;
    const excess = large.filter(({ size }) => {
      total += size;
      return total > limitBytes;
    });
    const removed = new Set(excess.map(({ name }) => name.slice(0, -'.so'.length)));
    for (const { path } of excess) remove(path);
    if (removed.size === 0) return;
    for (const { name, path } of entries) if (name.endsWith('.kernel') && removed.has(fs.readFileSync(path, 'latin1'))) remove(path);
  } catch {
    // Another process prunes at the same time; the next compile tries again.
  }
}
