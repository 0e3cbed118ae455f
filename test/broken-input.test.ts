import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('support/break-inputs.ts', import.meta.url));

function exists(tool: string): boolean {
  return spawnSync(tool, ['--version']).status === 0;
}

test('damaged input ends in a report or a clear error: no crash, no hang, no more than 300 MB', () => {
  const tools = ['zstd', 'xz'].filter(exists);
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', SCRIPT, ...tools], {
    encoding: 'utf8',
    timeout: 580_000,
    maxBuffer: 1 << 26,
  });
  expect(status, stderr).toBe(0);
  const { reports, errors, problems, megabytes } = JSON.parse(stdout);
  expect(problems).toEqual([]);
  expect(reports + errors).toBe(1400 + 200 * tools.length + 2005);
  // Both must happen, or the test tests nothing.
  expect(reports).toBeGreaterThan(1000);
  expect(errors).toBeGreaterThan(300);
  expect(megabytes).toBeLessThan(300);
}, 600_000);
