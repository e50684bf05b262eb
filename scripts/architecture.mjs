/**
 * The architecture check: every import in src/ follows the table of docs/architecture.md, there are no cycles, Node's modules stay in their rooms
 * and out of pages, no file is over 500 lines, and the engine stays under 12,000 lines (all of them, tests apart). The C of the native device (its runtime, the prelude of
 * kernels: .c and .h files) is counted apart, at most 1,200 lines, and so are the further devices (WebAssembly), at most 3,000 lines of code. Type-only imports
 * count: the arrows are about who knows whom.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesBelow } from './setup.mjs';

/** What each room may import besides itself. A name with a slash is a room of its own inside another. */
export const arrows = {
  core: [],
  graph: ['core'],
  ops: ['graph', 'core'],
  autodiff: ['ops', 'graph', 'core'],
  ir: ['core'],
  compiler: ['ops', 'graph', 'ir', 'core'],
  codegen: ['ir', 'core'],
  runtime: ['codegen', 'ir', 'core'],
  'runtime/reference': ['runtime', 'ops', 'graph', 'ir', 'core'],
  engine: ['compiler', 'runtime', 'runtime/reference', 'autodiff', 'codegen', 'ops', 'graph', 'ir', 'core'],
  tensor: ['engine', 'runtime', 'ir', 'autodiff', 'ops', 'graph', 'core'],
  nn: ['tensor', 'core'],
  optim: ['nn', 'tensor', 'core'],
  io: ['nn', 'optim', 'tensor', 'core'],
  data: ['io', 'tensor', 'core'],
  train: ['io', 'data', 'optim', 'nn', 'tensor', 'core'],
  models: ['train', 'io', 'data', 'optim', 'nn', 'tensor', 'core'],
  search: ['train', 'io', 'data', 'optim', 'nn', 'tensor', 'core'],
  remote: ['core'],
  report: ['models', 'train', 'io', 'data', 'optim', 'nn', 'tensor', 'core'],
};

const engineRooms = ['core', 'graph', 'ops', 'autodiff', 'ir', 'compiler', 'codegen', 'runtime', 'engine', 'tensor'];
const engineLines = 12_000;
/** C cannot be divided as freely as TypeScript, and is read by other eyes: it has a bound of its own. */
const cLines = 1_200;
/** Devices besides the native one are counted apart: the engine is whole without them. */
const isFurtherDevice = (file) => /^(codegen|runtime)\/wasm[/.-]/.test(file);
const deviceLines = 3_000;
const fileLines = 500;

/** Where Node's modules and koffi may be imported. */
const mayUseNode = (file) => /^(runtime\/native|cli)\//.test(file) || /^(io|data|train|engine|remote|search|runtime\/wasm)\/(.*\/)?[\w-]+-node\.ts$/.test(file);
/** Packages that are loaded when they are first needed, and the only files that may. */
const optionalPackages = { sharp: 'data/images/decode-node.ts', hyparquet: 'data/formats/parquet-decoder.ts', 'better-sqlite3': 'search/database-node.ts' };
const isNodeOnly = (specifier) => specifier.startsWith('node:') || specifier === 'koffi';

/** Lines that are neither blank nor comment. */
export const codeLines = (text) =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length;

/** The specifiers of static imports, re-exports and literal dynamic imports, and of types. Formatted code starts statements on lines of their own. */
export function importsOf(source) {
  const text = source.replace(/^\s*\*.*$/gm, '').replace(/^\s*\/\/.*$/gm, '');
  const found = [];
  for (const match of text.matchAll(/^(?:import|export)\s(type\s)?(?:[^'"`;]*?\sfrom\s)?\s*['"]([^'"]+)['"]/gm))
    found.push({ to: match[2], lazy: false, type: match[1] !== undefined });
  for (const match of text.matchAll(/(typeof )?\bimport\(\s*['"]([^'"]+)['"]/g)) found.push({ to: match[2], lazy: true, type: match[1] !== undefined });
  return found;
}

const roomOf = (file) => {
  const parts = file.split('/');
  if (parts.length === 1) return 'entry';
  const inner = `${parts[0]}/${parts[1]}`;
  return inner in arrows ? inner : parts[0];
};

/** Problems of one import, or none. `file` and the result of resolving `to` are relative to src/. */
function arrowProblems(file, { to, lazy }) {
  if (isNodeOnly(to)) return mayUseNode(file) ? [] : [`${file}: imports ${to}, but Node's modules belong in runtime/native, cli and files named *-node.ts`];
  if (lazy && optionalPackages[to] === file) return [];
  if (!to.startsWith('.')) return [`${file}: imports the package ${to}; only koffi is expected`];
  const target = posix.join(posix.dirname(file), to);
  const [from, into] = [roomOf(file), roomOf(target)];
  if (from === into || from === 'entry' || from === 'cli') return [];
  const allowed = arrows[from];
  if (!allowed) return [`${file}: ${from}/ is not in the table of rooms`];
  return allowed.includes(into) ? [] : [`${file}: imports ${target}, but ${from}/ may import only ${allowed.length ? allowed.join(', ') : 'nothing'}`];
}

/** Cycles among files, each as a path that ends where it began. */
function cyclesOf(graph) {
  const cycles = [];
  const state = new Map();
  const visit = (file, path) => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      cycles.push([...path.slice(path.indexOf(file)), file]);
      return;
    }
    state.set(file, 'open');
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of graph.keys()) visit(file, []);
  return cycles;
}

/** Node's modules that a bundler would find from what pages import, statically or not, once it has replaced files as `browser` in package.json says. */
function pageProblems(imports, manifest) {
  const sourceOf = (path) => path.replace(/^\.\/dist\/(.*)\.js$/, '$1.ts');
  const replaced = new Map(Object.entries(manifest.browser).map(([from, to]) => [sourceOf(from), to && sourceOf(to)]));
  const problems = [...replaced.keys()].filter((file) => !imports.has(file)).map((file) => `package.json: browser names ${file}, which does not exist`);
  const pages = new Set(Object.values(manifest.exports).map((entry) => sourceOf(entry.default)));
  for (const file of pages) {
    for (const { to, type, lazy } of imports.get(file) ?? []) {
      if (type) continue;
      if (isNodeOnly(to)) problems.push(`${file}: pages would load ${to}; import this file dynamically and name it in browser of package.json`);
      const target = posix.join(posix.dirname(file), to);
      const page = replaced.get(target) ?? target;
      if (page === false && !lazy) problems.push(`${file}: imports ${target} statically, which pages do not have (browser in package.json)`);
      if (to.startsWith('.') && page) pages.add(page);
    }
  }
  return problems;
}

const lineCount = (text) => text.split('\n').length - (text.endsWith('\n') ? 1 : 0);

/** All problems of a source folder that is published with this package.json, and its size. */
export function inspect(folder, manifest) {
  const problems = [];
  const all = new Map();
  const graph = new Map();
  const sizes = { code: 0, all: 0, c: 0, devices: 0 };
  const files = filesBelow(folder).map((file) => file.replaceAll('\\', '/'));
  for (const file of files) {
    if (!/\.(ts|c|h)$/.test(file)) continue;
    const text = readFileSync(join(folder, file), 'utf8');
    const count = lineCount(text);
    if (!file.endsWith('.ts')) sizes.c += count;
    if (count > fileLines) problems.push(`${file}: ${count} lines, more than ${fileLines}`);
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
    if (isFurtherDevice(file)) sizes.devices += codeLines(text);
    else if (engineRooms.includes(file.split('/')[0])) {
      sizes.code += codeLines(text);
      sizes.all += count;
    }
    const imports = importsOf(text);
    all.set(file, imports);
    problems.push(...imports.flatMap((entry) => arrowProblems(file, entry)));
    graph.set(
      file,
      imports.filter(({ to }) => to.startsWith('.')).map(({ to }) => posix.join(posix.dirname(file), to)),
    );
    for (const target of graph.get(file)) if (!existsSync(join(folder, target))) problems.push(`${file}: imports ${target}, which does not exist`);
  }
  for (const cycle of cyclesOf(graph)) problems.push(`cycle: ${cycle.join(' → ')}`);
  if (manifest) problems.push(...pageProblems(all, manifest));
  if (sizes.all >= engineLines) problems.push(`the engine (${engineRooms[0]} … ${engineRooms.at(-1)}) has ${sizes.all} lines, not less than ${engineLines}`);
  if (sizes.c > cLines) problems.push(`the C of the native device has ${sizes.c} lines, more than ${cLines}`);
  if (sizes.devices > deviceLines) problems.push(`the further devices have ${sizes.devices} lines of code, more than ${deviceLines}`);
  return { problems, files: graph.size, sizes };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const { problems, files, sizes } = inspect(join(root, 'src'), JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  for (const problem of problems) console.error(problem);
  const engine = `engine ${sizes.all} of ${engineLines} lines (${sizes.code} without blank lines and comments)`;
  const apart = `C ${sizes.c} of ${cLines}, further devices ${sizes.devices} of ${deviceLines} lines of code`;
  console.log(`architecture: ${files} files, ${engine}, ${apart}, ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`);
  process.exit(problems.length === 0 ? 0 : 1);
}
