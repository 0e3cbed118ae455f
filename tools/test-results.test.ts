import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { closingLines, RESULTS_VARIABLE, type TestResults } from './test-results.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'whocalls-results-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Runs tests/fixtures/every-outcome.ts; what its reporter writes to a file, or else to standard output. */
function runEveryOutcome(file?: string): string {
  const { [RESULTS_VARIABLE]: _, ...env } = process.env;
  const { stdout } = spawnSync(
    'npx',
    ['--no-install', 'vitest', 'run', '--config', 'tools/fixtures/vitest.config.ts'],
    {
      cwd: root,
      encoding: 'utf8',
      env: file === undefined ? env : { ...env, [RESULTS_VARIABLE]: file },
    },
  );
  return file === undefined ? stdout : readFileSync(file, 'utf8');
}

it('every test is counted once, and every skipped one has its reason', () => {
  const results = JSON.parse(runEveryOutcome(join(scratch, 'results.json'))) as TestResults;
  expect(closingLines(results)).toEqual([
    '4 skipped: no qemu: apt-get install qemu',
    '1 skipped: no perf: apt-get install perf',
    '1 skipped: no reason given (tools/fixtures/every-outcome.ts)',
    '2 passed, 3 failed, 6 skipped',
  ]);
});

it('the reasons are told without npm test as well', () => {
  const lines = runEveryOutcome().trimEnd().split('\n');
  expect(lines).toContain('4 skipped: no qemu: apt-get install qemu');
});

it('the last line says that nothing was skipped', () => {
  expect(closingLines({ passed: 3, failed: 0, skipped: [] })).toEqual(['3 passed, 0 failed, 0 skipped']);
});
