// Part of `npm run check`: which file imports which, and how long files are, against tools/import-rules.ts.
// Offenders that were there before the rules are listed below, each with the reason why it still is; the list may only
// shrink, and an entry that offends no longer is an offence itself.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOffences, type Offence } from './import-rules.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

const FOLDERS = ['src', 'web', 'tools', 'bench', 'test', 'examples'];

/** What offends, as it is printed, and why it is still there. */
const KNOWN: Readonly<Record<string, string>> = {};

/** Offences that are not known, and a known one for each that is none. */
export function unexpected(offences: readonly Offence[], known: Readonly<Record<string, string>>): Offence[] {
  const offending = new Set(offences.map(({ what }) => what));
  return [
    ...offences.filter(({ what }) => !Object.hasOwn(known, what)),
    ...Object.keys(known)
      .filter((what) => !offending.has(what))
      .map((what) => ({ what, why: 'offends no longer: remove it from the list in tools/check-imports.ts' })),
  ];
}

function sourceFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const folder of FOLDERS.filter((name) => existsSync(join(root, name)))) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.[cm]?[jt]sx?$/.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      if (!path.includes('node_modules')) files.set(path.slice(root.length), readFileSync(path, 'utf8'));
    }
  }
  return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = sourceFiles();
  const problems = unexpected(findOffences(files), KNOWN);
  for (const { what, why } of problems) process.stderr.write(`${what}\n    ${why}\n`);
  if (problems.length > 0) process.exitCode = 1;
}
