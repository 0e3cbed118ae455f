// Compiles atlas/ (edited by people) to dist/atlas/ (read at run time), and says where a file breaks its rules.
// YAML and TSV become JSON of the same name; the map of functions is unpacked and indexed. docs/atlas.md describes every file.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, parse as parsePath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { LineCounter, parseDocument } from 'yaml';
import { AREAS } from './atlas-areas.mjs';
import { indexFunctions } from './function-index.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Compiles every file of `from` into `to`; throws an Error that lists everything wrong, one line each. */
export function buildAtlas(from = join(root, 'atlas'), to = join(root, 'dist', 'atlas')) {
  mkdirSync(to, { recursive: true });
  const problems = [];
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const { name, ext } = parsePath(entry.name);
    const source = join(from, entry.name);
    if (entry.isDirectory()) {
      // A folder is one area in several YAML files, each a list.
      const parts = readdirSync(source).filter((file) => file.endsWith('.yaml'));
      const records = parts.sort().flatMap((file) => {
        const { value, lineOf } = readYaml(join(source, file), problems);
        checkArea(name, value, (path) => `atlas/${entry.name}/${file}:${lineOf(path)}`, problems);
        return Array.isArray(value) ? value : [];
      });
      finishArea(name, records, problems);
      writeJson(join(to, `${name}.json`), records);
    } else if (ext === '.yaml' || ext === '.tsv') {
      const { value, lineOf } = ext === '.yaml' ? readYaml(source, problems) : readTsv(source, problems);
      checkArea(name, value, (path) => `atlas/${entry.name}:${lineOf(path)}`, problems);
      finishArea(name, value, problems);
      const compiled = problems.length === 0 && AREAS[name]?.compiled;
      writeJson(join(to, `${name}.json`), compiled ? compiled(value) : value);
    } else if (ext === '.map') {
      writeFileSync(join(to, entry.name), indexFunctions(brotliDecompressSync(readFileSync(source))));
    }
  }
  if (problems.length > 0) {
    const more = problems.length > 20 ? `\n… and ${problems.length - 20} more` : '';
    throw new Error(`the atlas has ${problems.length} mistakes:\n${problems.slice(0, 20).join('\n')}${more}`);
  }
}

function writeJson(file, value) {
  writeFileSync(file, JSON.stringify(value));
}

function readYaml(file, problems) {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines });
  for (const error of document.errors) problems.push(`${file}: ${error.message.split('\n')[0]}`);
  if (document.errors.length > 0) return { value: [], lineOf: () => 0 };
  const lineOf = (path) => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      if (node?.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  return { value: document.toJS(), lineOf };
}

/** A TSV file: `#` starts a comment line, the first other line names the columns; rows become objects of strings. */
function readTsv(file, problems) {
  let columns;
  const value = [];
  const lineNumbers = [];
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const cells = line.split('\t');
    if (!columns) {
      columns = cells;
      continue;
    }
    if (cells.length !== columns.length) {
      problems.push(`${file}:${index + 1}: ${cells.length} columns instead of ${columns.length}`);
      continue;
    }
    value.push(Object.fromEntries(columns.map((column, i) => [column, cells[i]])));
    lineNumbers.push(index + 1);
  }
  return { value, lineOf: ([row]) => lineNumbers[row] ?? 1 };
}

function checkArea(name, value, where, problems) {
  const area = AREAS[name];
  if (!area) problems.push(`${where([])}: no rules for this file in tools/atlas-areas.mjs`);
  else area.shape(value, [], (path, what) => problems.push(`${where(path)}: ${what}`));
}

/** Rules about an area as a whole, such as no duplicates. */
function finishArea(name, value, problems) {
  AREAS[name]?.whole?.(value, (what) => problems.push(`atlas/${name}: ${what}`));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    buildAtlas();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
