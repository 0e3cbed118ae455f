// Writes atlas/functions.map: which source file defines a kernel function, from unpacked kernel sources.
//   npx tsx tools/atlas-functions.ts --source DIR [--source DIR …] [--check KALLSYMS …]
// The trees are read together; each file keeps which of them defines a function there. With --check the map is
// compared with lists of real symbols (/proc/kallsyms, gzipped or not) and says what share of them it knows.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync } from 'node:zlib';
import { FunctionMap } from '../src/atlas/function-map.ts';
import { findFolded } from '../src/atlas/generated-symbols.ts';
import { normaliseSymbol } from '../src/census/symbol-name.ts';
import { scanAssembly, scanCode, splitMacros, stripComments } from './c-scan.ts';
import { indexFunctions } from './function-index.ts';
import { isCovered, isStandIn, TOP_FOLDERS } from './function-scope.ts';
import { modulesOfFolder } from './kbuild-modules.ts';

const OUTPUT = fileURLToPath(new URL('../atlas/functions.map', import.meta.url));

/** The packed map must stay below this. */
const MAX_BYTES = 1_000_000;

interface SourceFile {
  readonly path: string;
  module: string;
  /** Function name -> bit set of trees. */
  readonly functions: Map<string, number>;
}

function main(): void {
  const { values } = parseArgs({
    options: { source: { type: 'string', multiple: true }, check: { type: 'string', multiple: true } },
  });
  const sources = values.source ?? [];
  if (sources.length > 0) {
    const files = new Map<string, SourceFile>();
    const kernels = sources.map(kernelVersion);
    for (const [index, source] of sources.entries()) scanTree(source, 1 << index, files);
    const packed = pack(kernels, [...files.values()]);
    process.stdout.write(`${files.size} files, ${packed.length} bytes\n${perFolder(files)}\n`);
    if (packed.length > MAX_BYTES) throw new Error(`the map has more than ${MAX_BYTES} bytes: cover less`);
    writeFileSync(OUTPUT, packed);
  }
  for (const file of values.check ?? []) check(file);
}

/** `6.1` from the tree's Makefile. */
function kernelVersion(source: string): string {
  const makefile = readFileSync(join(source, 'Makefile'), 'utf8');
  const part = (name: string) => new RegExp(`^${name} = (\\d+)`, 'm').exec(makefile)?.[1];
  return `${part('VERSION')}.${part('PATCHLEVEL')}`;
}

/** Adds every function of a tree to `files`. */
function scanTree(source: string, version: number, files: Map<string, SourceFile>): void {
  const parsed = new Map<string, ReturnType<typeof splitMacros>>();
  const headerMacros = new Map<string, ReturnType<typeof splitMacros>['macros']>();
  const shared: ReturnType<typeof splitMacros>['macros'] = new Map();
  const paths = TOP_FOLDERS.flatMap((folder) => sourcesBelow(source, folder));
  for (const path of paths) {
    // Private headers of drivers define few functions, but the macros their files use.
    if (!isCovered(path) && !path.endsWith('.h')) continue;
    const text = readFileSync(join(source, path), 'utf8');
    if (path.endsWith('.S')) {
      if (isCovered(path)) add(files, path, scanAssembly(stripComments(text)), version);
      continue;
    }
    const split = splitMacros(stripComments(text));
    parsed.set(path, split);
    if (!path.endsWith('.h')) continue;
    const local = headerMacros.get(dirname(path)) ?? new Map();
    headerMacros.set(dirname(path), local);
    for (const [name, macro] of split.macros) {
      local.set(name, macro);
      if (!shared.has(name) || path.startsWith('include/')) shared.set(name, macro);
    }
  }
  for (const [path, { code, macros }] of parsed) {
    if (!isCovered(path)) continue;
    const local = headerMacros.get(dirname(path));
    const functions = new Set<string>();
    scanCode(code, (name) => macros.get(name) ?? local?.get(name) ?? shared.get(name), functions);
    add(files, path, functions, version);
  }
  leaveToOthers(files);
  const folders = new Map<string, Map<string, string>>();
  for (const file of files.values()) {
    const folder = dirname(file.path);
    let modules = folders.get(folder);
    if (!modules) {
      modules = modulesOfFolder(join(source, folder));
      folders.set(folder, modules);
    }
    file.module ||= modules.get(basename(file.path).replace(/\.\w$/, '')) ?? moduleFromAbove(source, file.path);
  }
}

/** Takes out of files that stand in for what is not configured everything that another file really defines. */
function leaveToOthers(files: Map<string, SourceFile>): void {
  const standIns = [...files.values()].filter(({ path }) => isStandIn(path));
  for (const other of files.values()) {
    if (isStandIn(other.path)) continue;
    for (const name of other.functions.keys()) for (const { functions } of standIns) functions.delete(name);
  }
}

/** Some Makefiles list objects of folders below them: `i915-y += gt/intel_gt.o`, `amdgpu` from `../amd`. */
function moduleFromAbove(source: string, path: string): string {
  const steps = dirname(path).split('/');
  const object = basename(path).replace(/\.\w$/, '');
  for (let up = 1; up <= 2 && up < steps.length; up += 1) {
    const below = [...steps.slice(-up), object].join('/');
    const module = modulesOfFolder(join(source, ...steps.slice(0, -up))).get(below);
    if (module) return module;
  }
  return '';
}

function add(files: Map<string, SourceFile>, path: string, functions: Iterable<string>, version: number): void {
  let file = files.get(path);
  for (const raw of functions) {
    const name = normaliseSymbol(raw);
    if (!/^[\x21-\x7e]{1,200}$/.test(name) || name === 'init_module' || name === 'cleanup_module') continue;
    if (!file) {
      file = { path, module: '', functions: new Map() };
      files.set(path, file);
    }
    file.functions.set(name, (file.functions.get(name) ?? 0) | version);
  }
}

function sourcesBelow(source: string, folder: string): string[] {
  let entries: ReturnType<typeof list>;
  const list = () => readdirSync(join(source, folder), { withFileTypes: true });
  try {
    entries = list();
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    // Register descriptions of one graphics vendor make up a third of all source; they define no function.
    if (entry.isDirectory())
      return /amd\/include$|\/(?:selftests|tests?|kunit)$/.test(path) ? [] : sourcesBelow(source, path);
    return /\.[chS]$/.test(path) ? [path] : [];
  });
}

/** The compressed map; `tools/function-index.ts` describes the layout. */
function pack(kernels: readonly string[], files: readonly SourceFile[]): Buffer {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const names = files.reduce((sum, { functions }) => sum + functions.size, 0);
  const header = Buffer.from(
    JSON.stringify({ kernels, names, files: sorted.flatMap(({ path, module }) => [path, module]) }),
    'latin1',
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const parts = [length, header];
  for (const { functions } of sorted) {
    let previous = '';
    let text = '';
    for (const [name, versions] of [...functions].sort(([a], [b]) => (a < b ? -1 : 1))) {
      let kept = 0;
      while (kept < name.length - 1 && name[kept] === previous[kept]) kept += 1;
      text += String.fromCharCode(1 + versions, 32 + kept) + name.slice(kept);
      previous = name;
    }
    parts.push(Buffer.from(`${text}\0`, 'latin1'));
  }
  const whole = Buffer.concat(parts);
  return brotliCompressSync(whole, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: whole.length,
    },
  });
}

function perFolder(files: Map<string, SourceFile>): string {
  const counts = new Map<string, number>();
  for (const { path, functions } of files.values()) {
    const folder = path
      .split('/')
      .slice(0, /^(drivers|sound|arch)/.test(path) ? 2 : 1)
      .join('/');
    counts.set(folder, (counts.get(folder) ?? 0) + functions.size);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([folder, count]) => `${folder} ${count}`)
    .join(', ');
}

/** Says what share of a kernel's text symbols the map knows, per module where it knows less than all. */
function check(file: string): void {
  const symbols = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(symbols) : symbols).toString('latin1');
  const bytes = indexFunctions(brotliDecompressSync(readFileSync(OUTPUT)));
  const map = new FunctionMap((position, length) => bytes.subarray(position, position + length));
  let known = 0;
  const unknown: string[] = [];
  for (const line of text.split('\n')) {
    const symbol = /^\S+ [tTwW] (\S+)(?:\s+\[(\w+)\])?$/.exec(line);
    if (!symbol?.[1] || symbol[1].startsWith('__pfx_')) continue;
    const name = normaliseSymbol(symbol[1]);
    if (name === 'init_module' || name === 'cleanup_module' || findFolded(map, name).length > 0) known += 1;
    else unknown.push(symbol[2] ? `${symbol[1]} [${symbol[2]}]` : symbol[1]);
  }
  const share = ((100 * known) / (known + unknown.length)).toFixed(2);
  process.stdout.write(`${file}: ${known} of ${known + unknown.length} text symbols have a file (${share} %)\n`);
  const sample = values(unknown, 40);
  process.stdout.write(`without, for example: ${sample.join(' ')}\n`);
}

/** `count` values spread evenly over a list. */
function values<T>(list: readonly T[], count: number): T[] {
  return list.filter((_, index) => index % Math.ceil(list.length / count) === 0);
}

main();
