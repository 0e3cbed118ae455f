// `npm run check`: types, format and lint, dead code, who imports whom, the atlas, shell scripts. Runs all of them,
// fails if any does.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

interface Check {
  readonly name: string;
  readonly command: readonly string[];
  /** The Debian package of a program that need not be there. */
  readonly optional?: string;
}

const SCRIPTS = ['.ci/run', ...['init', 'agent', 'common'].map((name) => `src/lab/guest/${name}.sh`)];

const npx = (...words: readonly string[]): readonly string[] => ['npx', '--no-install', ...words];

const CHECKS: readonly Check[] = [
  { name: 'tsc', command: npx('tsc') },
  { name: 'tsc web', command: npx('tsc', '-p', 'web') },
  { name: 'tsc test/page/browser', command: npx('tsc', '-p', 'test/page/browser') },
  { name: 'biome', command: npx('biome', 'check', '--error-on-warnings', '.') },
  { name: 'knip', command: npx('knip') },
  { name: 'imports', command: npx('tsx', 'tools/check-imports.ts') },
  { name: 'regular expressions', command: npx('tsx', 'tools/check-regexes.ts') },
  { name: 'atlas:docs', command: npx('tsx', 'tools/tree-docs.ts', '--check') },
  { name: 'atlas:check', command: npx('tsx', 'tools/atlas-check.ts') },
  { name: 'shellcheck', command: ['shellcheck', '-x', '-P', 'SCRIPTDIR', ...SCRIPTS], optional: 'shellcheck' },
];

const failed = CHECKS.filter(({ name, command: [program = '', ...args], optional }) => {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  const isMissing = optional !== undefined && (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
  const result = isMissing ? `skipped, not installed: apt-get install ${optional}` : status === 0 ? 'ok' : 'FAILED';
  process.stdout.write(`${name}: ${result}\n`);
  return status !== 0 && !isMissing;
});
process.exitCode = failed.length > 0 ? 1 : 0;
