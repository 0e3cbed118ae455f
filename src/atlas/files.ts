import { existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Where the compiled atlas is, seen from this module: beside `index.js`, beside `cli/` with the program,
 * or in `dist/` when the sources run by themselves (tests, tools).
 */
const PLACES = ['./atlas/', '../atlas/', '../../dist/atlas/'];

const parsed = new Map<string, unknown>();

/** The path of a compiled atlas file, such as `functions.map`. */
function atlasFile(name: string): string {
  for (const place of PLACES) {
    const path = fileURLToPath(new URL(place + name, import.meta.url));
    if (existsSync(path)) return path;
  }
  throw new Error(`the atlas has no file ${name}: build it with "npm run build"`);
}

/** Reads parts of a compiled atlas file, which stays open. */
export function atlasReader(name: string): (position: number, length: number) => Buffer {
  const descriptor = openSync(atlasFile(name), 'r');
  return (position, length) => {
    const bytes = Buffer.allocUnsafe(length);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, length, position));
  };
}

/**
 * A compiled atlas file: `atlasTable<Row[]>('trees')`. Read once. As it stands in `atlas/`, or made to be looked up
 * (`compiled` in `tools/atlas-areas.ts`).
 * The build has checked its shape (`tools/atlas-areas.ts`); the type says what that shape is.
 */
export function atlasTable<T>(name: string): T {
  let table = parsed.get(name);
  if (table === undefined) {
    table = JSON.parse(readFileSync(atlasFile(`${name}.json`), 'utf8'));
    parsed.set(name, table);
  }
  return table as T;
}
