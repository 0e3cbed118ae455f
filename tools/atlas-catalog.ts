// Reads the catalog of trees as people edit it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { TreeRecord } from '../src/atlas/subjects/tree-catalog.ts';

/** The folder of the repository. */
export const repository = fileURLToPath(new URL('../', import.meta.url));

/** All records of atlas/trees/. */
export function readCatalog(): TreeRecord[] {
  return readFolder<TreeRecord>('trees');
}

/** All records of a folder of the atlas. */
export function readFolder<T>(name: string): T[] {
  const folder = join(repository, 'atlas', name);
  return readdirSync(folder)
    .sort()
    .flatMap((file) => parse(readFileSync(join(folder, file), 'utf8')) as T[]);
}

/** The rows of a TSV file with `#` comments and a heading line. */
export function readTable(path: string): Record<string, string>[] {
  const [heading = '', ...lines] = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const columns = heading.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? '']));
  });
}
