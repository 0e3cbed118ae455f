// Compiles atlas/ (edited by people) to dist/atlas/ (read at run time), and says where a file breaks its rules.
// YAML and TSV become JSON of the same name; the map of functions is unpacked and indexed. docs/atlas.md describes every file.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, parse as parsePath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { isNode, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { AREAS } from './atlas-areas.ts';
import type { Path } from './atlas-shapes.ts';
import { indexFunctions } from './function-index.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Mistakes shown before the rest is only counted. */
const SHOWN = 20;

/** What a file holds, and on which line a part of it stands. */
interface Content {
  readonly value: unknown;
  readonly lineOf: (path: Path) => number;
}

/** Compiles every file of `from` into `to`; throws an Error that lists everything wrong, one line each. */
export function buildAtlas(from = join(root, 'atlas'), to = join(root, 'dist', 'atlas')): void {
  mkdirSync(to, { recursive: true });
  const problems: string[] = [];
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const { name, ext } = parsePath(entry.name);
    const source = join(from, entry.name);
    if (ext === '.map') writeFileSync(join(to, entry.name), indexFunctions(brotliDecompressSync(readFileSync(source))));
    else if (entry.isDirectory()) {
      // A folder is one area in several YAML files, each a list.
      const files = readdirSync(source).filter((file) => file.endsWith('.yaml'));
      const parts = files.sort().map((file) => `${entry.name}/${file}`);
      compileArea(name, from, parts, (values) => values.flat(), to, problems);
    } else if (ext === '.yaml' || ext === '.tsv') {
      compileArea(name, from, [entry.name], ([value]) => value, to, problems);
    }
  }
  if (problems.length === 0) return;
  const more = problems.length > SHOWN ? `\n… and ${problems.length - SHOWN} more` : '';
  throw new Error(`the atlas has ${problems.length} mistakes:\n${problems.slice(0, SHOWN).join('\n')}${more}`);
}

/** Checks the files of one area, then the area as a whole, and writes it. */
function compileArea(
  name: string,
  folder: string,
  files: readonly string[],
  combine: (values: readonly unknown[]) => unknown,
  to: string,
  problems: string[],
): void {
  const found: string[] = [];
  const area = AREAS[name];
  const values = files.map((file) => {
    const path = join(folder, file);
    const report = (line: number, what: string) => found.push(`atlas/${file}:${line}: ${what}`);
    const { value, lineOf } = file.endsWith('.yaml') ? readYaml(path, report) : readTsv(path, report);
    if (!area) report(1, 'no rules for this file in tools/atlas-areas.ts');
    area?.shape(value, [], (at, what) => report(lineOf(at), what));
    return value;
  });
  const whole = combine(values);
  if (found.length === 0) area?.whole?.(whole, (what) => found.push(`atlas/${name}: ${what}`));
  problems.push(...found);
  if (area && found.length === 0) {
    writeFileSync(join(to, `${name}.json`), JSON.stringify(area.compiled ? area.compiled(whole) : whole));
  }
}

function readYaml(file: string, report: (line: number, what: string) => void): Content {
  const lines = new LineCounter();
  const document = parseDocument<ParsedNode>(readFileSync(file, 'utf8'), { lineCounter: lines });
  for (const error of document.errors) report(lines.linePos(error.pos[0]).line, error.message.split('\n')[0] ?? '');
  if (document.errors.length > 0) return { value: [], lineOf: () => 0 };
  const lineOf = (path: Path): number => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  return { value: document.toJS(), lineOf };
}

/** A TSV file: `#` starts a comment line, the first other line names the columns; rows become objects of strings. */
function readTsv(file: string, report: (line: number, what: string) => void): Content {
  let columns: readonly string[] | undefined;
  const value: Record<string, string>[] = [];
  const lineNumbers: number[] = [];
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const cells = line.split('\t');
    if (!columns) {
      columns = cells;
      continue;
    }
    if (cells.length !== columns.length) {
      report(index + 1, `${cells.length} columns instead of ${columns.length}`);
      continue;
    }
    value.push(Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? ''])));
    lineNumbers.push(index + 1);
  }
  return { value, lineOf: ([row]) => lineNumbers[Number(row)] ?? 1 };
}
