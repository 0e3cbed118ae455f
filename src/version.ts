import { readFileSync } from 'node:fs';

/** The package's version, from the package.json beside the built files. */
export function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (name === 'whocalls') return version;
    } catch {
      // bundled and unbundled files lie at different depths
    }
  }
  return 'unknown';
}
