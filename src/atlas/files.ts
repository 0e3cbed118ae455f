import { existsSync, readFileSync } from 'node:fs';

/**
 * Where the compiled atlas is, seen from this module: beside `index.js`, beside `cli/` and `chunks/` in the bundle,
 * or in `dist/` when the sources run by themselves (tests, tools).
 */
const PLACES = ['./atlas/', '../atlas/', '../../dist/atlas/'];

const parsed = new Map<string, unknown>();

/** The bytes of a compiled atlas file, such as `functions.map`. */
export function atlasBytes(name: string): Buffer {
  for (const place of PLACES) {
    const url = new URL(place + name, import.meta.url);
    if (existsSync(url)) return readFileSync(url);
  }
  throw new Error(`the atlas has no file ${name}: build it with "npm run build"`);
}

/**
 * A compiled atlas file as it stands in `atlas/`: `atlasTable<Row[]>('glosses')`. Read once.
 * The build has checked its shape (`tools/atlas-areas.mjs`); the type says what that shape is.
 */
export function atlasTable<T>(name: string): T {
  let table = parsed.get(name);
  if (table === undefined) {
    table = JSON.parse(atlasBytes(`${name}.json`).toString('utf8'));
    parsed.set(name, table);
  }
  return table as T;
}
