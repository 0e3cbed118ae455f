// `npm run check`: types, format and lint, dead code, who imports whom, the atlas. Runs all of them, fails
// if any does.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

interface Check {
  readonly name: string;
  /** Without the `npx` before it. */
  readonly command: readonly string[];
}

const CHECKS: readonly Check[] = [
  { name: 'tsc', command: ['tsc'] },
  { name: 'biome', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'knip', command: ['knip'] },
  { name: 'imports', command: ['tsx', 'tools/check-imports.ts'] },
  { name: 'atlas:check', command: ['tsx', 'tools/atlas-check.ts'] },
];

const failed = CHECKS.filter(({ name, command }) => {
  const { status } = spawnSync('npx', ['--no-install', ...command], { cwd: root, stdio: 'inherit' });
  process.stdout.write(`${name}: ${status === 0 ? 'ok' : 'FAILED'}\n`);
  return status !== 0;
});
process.exitCode = failed.length > 0 ? 1 : 0;
