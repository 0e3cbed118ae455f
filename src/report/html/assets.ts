import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Where the built script and style of the page are, seen from this module: beside `index.js`, beside `cli/` with the
 * program, or in `dist/` when the sources run by themselves (tests, tools).
 */
const PLACES = ['./web/', '../web/', '../../../dist/web/'];

/** The script and the style of the page, which `tools/build.ts` bundles from `web/`. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

const known = new Map<string, PageAssets>();

/** Read once. @param isComparing for a page of several censuses, which can compare them */
export function pageAssets(isComparing: boolean): PageAssets {
  const name = isComparing ? 'page-compare' : 'page';
  let assets = known.get(name);
  if (!assets) {
    assets = { script: asset(`${name}.js`), style: asset(`${name}.css`) };
    known.set(name, assets);
  }
  return assets;
}

function asset(name: string): string {
  for (const place of PLACES) {
    const path = fileURLToPath(new URL(place + name, import.meta.url));
    if (existsSync(path)) return readFileSync(path, 'utf8');
  }
  throw new Error(`the page has no file ${name}: build it with "npm run build"`);
}
