// `npm test`: sets the virtual machine up where it is not, runs the checks and every test, and says at the end why some
// were skipped; the last line is "N passed, N failed, N skipped". Arguments are passed on to vitest
// (`npm test -- src/census`); with arguments it is only the tests.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closingLines, RESULTS_VARIABLE, type TestResults } from './test-results.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): boolean {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', env }).status === 0;
}

/** Runs the tests; a crash counts as a failed test. */
function runTests(args: readonly string[]): TestResults {
  const scratch = mkdtempSync(join(tmpdir(), 'whocalls-test-'));
  try {
    const file = join(scratch, 'results.json');
    const isGood = run('npx', ['--no-install', 'vitest', 'run', ...args], { ...process.env, [RESULTS_VARIABLE]: file });
    const results = readResults(file);
    return isGood || results.failed > 0 ? results : { ...results, failed: 1 };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function readResults(file: string): TestResults {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as TestResults;
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
}

const filters = process.argv.slice(2);
let checks = { passed: 0, failed: 0 };
if (filters.length === 0) {
  const isSetUp = run(process.execPath, [join('bin', 'whocalls'), 'lab', 'setup', '--kernel', 'all', '--yes']);
  if (!isSetUp) process.stdout.write('The virtual machine cannot be set up here (see above): its tests are skipped.\n');
  const isGood = run(process.execPath, ['--import', 'tsx', join('tools', 'check.ts')]);
  checks = isGood ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}
const tests = runTests(filters);
const results = { ...tests, passed: tests.passed + checks.passed, failed: tests.failed + checks.failed };
for (const line of closingLines(results)) process.stdout.write(`${line}\n`);
process.exitCode = results.failed > 0 ? 1 : 0;
