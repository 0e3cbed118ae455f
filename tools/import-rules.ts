// The shape of the code, as rules that can be checked: which folder may import which, no circles, no long files.
import { dirname, join } from 'node:path/posix';

/** Something that breaks a rule. */
export interface Offence {
  /** What offends, in the form that the list of known offenders uses: a file, or files joined by arrows. */
  readonly what: string;
  /** Which rule it breaks. */
  readonly why: string;
}

/** Imports point from a layer to layers further down, never up, and never between two rooms of one layer. */
const LAYERS: readonly (readonly string[])[] = [
  ['cli'],
  ['index.ts'],
  ['live'],
  ['report', 'capture', 'lab', 'db_bench'],
  ['formats', 'workload'],
  ['atlas'],
  ['image'],
  ['census'],
  ['host'],
  ['text'],
  ['errors.ts', 'pause.ts', 'version.ts'],
];

/** The rooms of `src/capture`; its own files, the front doors, are `.`. */
const CAPTURE_LAYERS: readonly (readonly string[])[] = [
  ['.'],
  ['session'],
  ['engines'],
  ['targets', 'run'],
  ['bpf'],
  ['symbols'],
  ['sys'],
  ['refusals'],
];

/** Who may import `src/image`; the tools may as well. */
const USES_IMAGES = ['capture', 'lab', 'report', 'formats', 'index.ts', 'cli'];

const MOST_LINES = 400;
/** Tests and what only tests use. */
const MOST_TEST_LINES = 600;
/** A long file says on one of so many first lines why it is long: `// Over 400 lines: …`. */
const REASON_WITHIN = 10;

/**
 * Checks source files against every rule.
 *
 * @param files text by path below the root of the checkout, with `/`
 */
export function findOffences(files: ReadonlyMap<string, string>): Offence[] {
  const imports = new Map([...files].map(([file, text]) => [file, importsOf(file, text, files)]));
  const arrows = [...imports].flatMap(([from, all]) => all.map((to) => ({ from, to })));
  return [
    ...arrows.flatMap(({ from, to }) => {
      const why = forbids(from, to);
      return why === null ? [] : [{ what: `${from} -> ${to}`, why }];
    }),
    ...circles(imports).map((circle) => ({ what: circle.join(' -> '), why: 'files import each other in a circle' })),
    ...[...files].flatMap(([file, text]) => {
      const why = lengthProblem(file, text);
      return why === null ? [] : [{ what: file, why }];
    }),
  ];
}

/** The files of ours that a file imports, by whatever kind of import, types included. */
function importsOf(file: string, text: string, files: ReadonlyMap<string, string>): string[] {
  // from './a.ts'   import './a.ts'   import('./a.ts')   require('./a.cjs')
  const specifiers = text.matchAll(/\b(?:from|import|require)\s*\(?\s*['"]([^'"\n]+)['"]/g);
  const found = new Set<string>();
  for (const [, specifier = ''] of specifiers) {
    const path = /^whocalls(\/|$)/.test(specifier) ? 'src/index.ts' : join(dirname(file), specifier);
    if (files.has(path)) found.add(path);
  }
  return [...found];
}

/** Why a file may not import another; null where it may. */
function forbids(from: string, to: string): string | null {
  const [fromTop, fromRoom] = roomOf(from);
  const [toTop, toRoom] = roomOf(to);
  if (fromTop === 'web' && toTop !== 'web') return 'web takes reports as data and imports nothing of ours';
  if (toTop === 'src' && toRoom === 'cli' && !(fromTop === 'src' && fromRoom === 'cli')) return 'nothing imports cli';
  if (fromTop !== 'src' || isTest(from)) return null;
  if (toTop === 'web') return fromRoom === 'report' ? null : 'only report knows of web';
  if (toTop !== 'src') return `src imports nothing from ${toTop}`;
  if (fromRoom === toRoom)
    return fromRoom === 'capture' ? upwards(CAPTURE_LAYERS, captureRoom(from), captureRoom(to)) : null;
  if (toRoom === 'image' && !USES_IMAGES.includes(fromRoom)) return `${fromRoom} has no business with kernel images`;
  return upwards(LAYERS, fromRoom, toRoom);
}

function upwards(layers: readonly (readonly string[])[], from: string, to: string): string | null {
  const [upper, lower] = [from, to].map((room) => layers.findIndex((layer) => layer.includes(room)));
  if (upper === -1) return `tools/import-rules.ts does not say where "${from}" belongs`;
  if (lower === -1) return `tools/import-rules.ts does not say where "${to}" belongs`;
  if (from === to || (upper ?? 0) < (lower ?? 0)) return null;
  return `${from} may not import ${to}: arrows point ${layers.map((layer) => layer.join(', ')).join(' -> ')}`;
}

/** `src/census/merge.ts` is in src, census; `src/errors.ts` in src, errors.ts; `test/cli.test.ts` in test. */
function roomOf(file: string): [top: string, room: string] {
  const [top = '', room = ''] = file.split('/');
  return [top, room];
}

function captureRoom(file: string): string {
  const [, , room = '', ...more] = file.split('/');
  return more.length === 0 ? '.' : room;
}

function isTest(file: string): boolean {
  return file.startsWith('test/') || /\.test\.\w+$/.test(file);
}

function lengthProblem(file: string, text: string): string | null {
  const most = isTest(file) ? MOST_TEST_LINES : MOST_LINES;
  const lines = text.split('\n');
  const count = lines.length - (lines.at(-1) === '' ? 1 : 0);
  const reason = new RegExp(`^// Over ${most} lines: \\S.{15}`);
  const isExplained = lines.slice(0, REASON_WITHIN).some((line) => reason.test(line));
  if (count > most && !isExplained)
    return `${count} lines: split it, or say "// Over ${most} lines: …" on one of its first ${REASON_WITHIN} lines`;
  if (count <= most && isExplained) return `${count} lines need no reason: remove "// Over ${most} lines: …"`;
  return null;
}

/** One circle, the shortest through its first file, for each set of files that all reach each other. */
function circles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const seen = new Set<string>();
  for (const start of [...imports.keys()].sort()) {
    if (seen.has(start)) continue;
    const circle = circleThrough(start, imports);
    if (circle === null) continue;
    found.push(circle);
    const ahead = reachable(start, imports);
    for (const file of ahead) if (reachable(file, imports).has(start)) seen.add(file);
  }
  return found;
}

function circleThrough(start: string, imports: ReadonlyMap<string, readonly string[]>): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const file of queue) {
    for (const next of imports.get(file) ?? []) {
      if (next === start) return wayBack(file, start, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, file);
      queue.push(next);
    }
  }
  return null;
}

function wayBack(last: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const circle = [start];
  for (let file = last; file !== start; file = cameFrom.get(file) ?? start) circle.unshift(file);
  return [start, ...circle];
}

function reachable(start: string, imports: ReadonlyMap<string, readonly string[]>): Set<string> {
  const all = new Set([start]);
  for (const file of all) for (const next of imports.get(file) ?? []) all.add(next);
  return all;
}
