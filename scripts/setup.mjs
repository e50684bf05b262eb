/** What every command needs first: the packages (npm ci) and the built dist/. Does nothing when both are fresh. Plain Node, no packages. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const say = (text) => console.error(text);

/** Something the user can mend: told without a stack. */
class SetupError extends Error {}
const stop = (text) => {
  throw new SetupError(text);
};

/** Runs `node file …arguments` in the project's folder and gives its exit status. */
export function runNode(file, args, environment = {}) {
  const result = spawnSync(process.execPath, [join(root, file), ...args], { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } });
  if (result.error) throw result.error;
  return result.status ?? 130;
}

/** All files below a folder, as sorted paths relative to it. */
export function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
    .sort();
}

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : -1);

function installPackages() {
  if (modified(join(root, 'node_modules/.package-lock.json')) >= modified(join(root, 'package-lock.json'))) return;
  say('gradix: installing packages (npm ci) …');
  const windows = process.platform === 'win32';
  const result = spawnSync(windows ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: windows,
  });
  if (result.error || result.status !== 0)
    stop(`gradix: npm ci failed${result.error ? ` (${result.error.message})` : ''}. Check the network or your npm registry settings, then try again.`);
}

/** Changes when a source file or the build's configuration does. */
function sourceStamp() {
  const hash = createHash('sha256').update(process.version);
  for (const path of ['package.json', 'tsconfig.json', 'tsconfig.build.json', ...filesBelow(join(root, 'src')).map((file) => join('src', file))]) {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** The texts of a folder's files by name. */
const textsIn = (folder) => Object.fromEntries(filesBelow(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));

/**
 * The same modules in few files: below node/ for Node, which would spend longer on finding and opening hundreds of them than on running them, and below
 * browser/ for pages that use no bundler, which would fetch them one by one: there only the entry points that are not parts of the first, because each one
 * more divides the rest into more files.
 */
function bundle(folder, stamp) {
  const { buildSync } = createRequire(join(root, 'package.json'))('esbuild');
  const { exports, bin, browser } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const entries = (targets) =>
    Object.fromEntries(targets.map((target) => /^\.\/dist\/node\/(.*)\.js$/.exec(target)[1]).map((name) => [name, join(folder, `${name}.js`)]));
  const libraries = Object.values(exports).map((entry) => entry.node);
  const common = {
    bundle: true,
    splitting: true,
    format: 'esm',
    // package.json names the files with side effects where they will be, not where they are now.
    ignoreAnnotations: true,
    logLevel: 'warning',
  };
  buildSync({
    ...common,
    entryPoints: entries([...libraries, ...Object.values(bin)]),
    outdir: join(folder, 'node'),
    platform: 'node',
    target: 'node20',
    packages: 'external',
    // The compiled programs that the native device remembers belong to this build. Its C texts are files beside its modules, which a bundle leaves behind.
    define: { GRADIX_BUILD: JSON.stringify(stamp), GRADIX_C_TEXTS: JSON.stringify(textsIn(join(folder, 'runtime/native/c'))) },
  });
  // What package.json says of pages, for where the files are now. A module of Node that a page would load is an error here.
  const manifest = join(folder, 'package.json');
  writeFileSync(manifest, JSON.stringify({ type: 'module', browser }).replaceAll('./dist/', './'));
  buildSync({
    ...common,
    entryPoints: entries(['.', './remote', './search'].map((name) => exports[name].node)),
    outdir: join(folder, 'browser'),
    platform: 'browser',
    target: 'es2022',
    minify: true,
    external: ['hyparquet'],
  });
  rmSync(manifest);
}

/** Compiles src/ into dist/ by way of a temporary folder, so that nobody ever sees half a build. */
function build(force) {
  const stampFile = join(root, 'dist/.stamp');
  const stamp = sourceStamp();
  if (!force && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('gradix: building dist/ …');
  const fresh = join(root, `.cache/dist-${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  try {
    if (runNode('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', fresh]) !== 0)
      stop('gradix: the sources do not compile (see above).');
    for (const file of filesBelow(join(root, 'src'))) {
      if (file.endsWith('.ts')) continue;
      mkdirSync(dirname(join(fresh, file)), { recursive: true });
      copyFileSync(join(root, 'src', file), join(fresh, file));
    }
    bundle(fresh, stamp);
    writeFileSync(join(fresh, '.stamp'), stamp);
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    renameSync(fresh, join(root, 'dist'));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Packages and dist/, as far as they are missing or stale. Ends the process with a message when that cannot be done. */
export function setup({ forceBuild = false } = {}) {
  try {
    if (Number(process.versions.node.split('.')[0]) < 20) stop(`gradix: needs Node 20 or later, this is ${process.version}.`);
    installPackages();
    build(forceBuild);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exit(1);
  }
}
