// `npm run check`: types, format and lint, dead code, who imports whom, the catalog of trees. Runs all of them, fails if any does.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureReady } from './setup.cjs';

ensureReady();
const root = fileURLToPath(new URL('../', import.meta.url));
const checks = [
  ['tsc', []],
  ['biome', ['check', '--error-on-warnings', '.']],
  ['knip', []],
  ['tsx', ['tools/check-imports.ts'], 'imports'],
  ['tsx', ['tools/atlas-check.ts'], 'atlas:check'],
];
const failed = checks.filter(([tool, args, name = tool]) => {
  const { status } = spawnSync('npx', ['--no-install', tool, ...args], { cwd: root, stdio: 'inherit' });
  process.stdout.write(`${name}: ${status === 0 ? 'ok' : 'FAILED'}\n`);
  return status !== 0;
});
process.exitCode = failed.length > 0 ? 1 : 0;
