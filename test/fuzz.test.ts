import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const TOOL = fileURLToPath(new URL('../tools/fuzz.ts', import.meta.url));

function fuzz(...words: readonly string[]) {
  return spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', TOOL, ...words], {
    encoding: 'utf8',
    timeout: 580_000,
  });
}

test('thousands of damaged, hostile and large inputs: no crash, no hang, no broken total', () => {
  const { stdout, stderr, status } = fuzz('--cases', '25000', '--seed', '20261126');
  expect(stdout, stderr).toMatch(/^25000 cases \(seed 20261126, \d+ MB\) in \d+ s: \d+ refused, nothing found$/m);
  expect(status).toBe(0);
  // Both must happen, or the tool tests nothing.
  const refused = Number(/(\d+) refused/.exec(stdout)?.[1]);
  expect(refused).toBeGreaterThan(1000);
  expect(refused).toBeLessThan(12_500);
}, 600_000);
