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

let assets: PageAssets | undefined;

/** Read once. */
export function pageAssets(): PageAssets {
  assets ??= { script: asset('page.js'), style: asset('page.css') };
  return assets;
}

function asset(name: string): string {
  for (const place of PLACES) {
    const path = fileURLToPath(new URL(place + name, import.meta.url));
    if (existsSync(path)) return readFileSync(path, 'utf8');
  }
  throw new Error(`the page has no file ${name}: build it with "npm run build"`);
}
