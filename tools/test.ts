// `npm test`: runs the checks and every test, and ends with "N passed, N failed".
// Arguments are passed on to vitest (`npm test -- src/census`); with arguments the checks are left out.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

const filters = process.argv.slice(2);
let passed = 0;
let failed = 0;

if (filters.length === 0) {
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', join('tools', 'check.ts')], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status === 0) passed += 1;
  else failed += 1;
}

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-test-'));
try {
  const results = join(scratch, 'results.json');
  const { status } = spawnSync(
    'npx',
    [
      '--no-install',
      'vitest',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${results}`,
      ...filters,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  const counts = readCounts(results);
  passed += counts.passed;
  failed += counts.failed;
  if (status !== 0 && counts.failed === 0) failed += 1; // a crash or an error outside any test
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

function readCounts(file: string): { passed: number; failed: number } {
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(file, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests > 0 ? numFailedTests : numFailedTestSuites };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
