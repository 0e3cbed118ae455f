import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-demo-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const program = fileURLToPath(new URL('../../bin/whocalls', import.meta.url));

function demo(...args: string[]) {
  const env = { ...process.env, XDG_DATA_HOME: scratch };
  return spawnSync(program, ['demo', ...args], { encoding: 'utf8', env, timeout: 60_000 });
}

test('reads the recording, says that nothing is counted, and writes nothing but the page', () => {
  const { stdout, stderr, status } = demo('--only', 'recording');
  expect(status).toBe(0);
  expect(stderr).toMatch(/^whocalls: reading the recording .*; nothing is counted on this machine\n$/);
  expect(stdout).toMatch(/\nThe seven kinds of path of the founding case, here:\n(?: +\d+ {2}\S.*\n){7}\n/);
  expect(stdout).not.toMatch(/^ +0 {2}/m);
  const page = join(scratch, 'whocalls', 'founding-case.html');
  expect(stdout.endsWith(`\nTo look at it, open ${page} in a browser.\n`)).toBe(true);
  expect(readdirSync(join(scratch, 'whocalls'))).toEqual(['founding-case.html']);
  expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>/);
});

test.each(['live', 'lab'])('whether the census can be kept is looked at before anything else, %s', (place) => {
  const { stderr, status } = demo('--only', place, '-o', '/nosuch/run.pb.gz');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^whocalls: cannot write \/nosuch\/run\.pb\.gz: .*\n$/);
});

test('the census goes where the data of the user is', () => {
  expect(demo('-h').stdout.replaceAll(/\s+/g, ' ')).toContain(`"${scratch}/whocalls/founding-case.pb.gz"`);
});
