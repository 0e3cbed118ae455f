import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { READERS, WRITERS } from '../src/formats/registry.ts';
import { recording } from './support/recordings.ts';

const WHOCALLS = fileURLToPath(new URL('../bin/whocalls', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'whocalls-formats-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function formats(...files: string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [WHOCALLS, 'formats', ...files], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, COLUMNS: '80' },
  });
  return { stdout, stderr, status };
}

test('lists every format with what it can carry', () => {
  const { stdout, stderr, status } = formats();
  expect([status, stderr]).toEqual([0, '']);
  for (const { name, summary } of [...READERS, ...WRITERS]) expect(stdout).toContain(`  ${name.padEnd(16)}${summary}`);
  expect(stdout).toMatch(/ {2}ftrace {10}the kernel's trace.*\n {18}targets, process, pid, CPU, losses/);
  expect(stdout.split('\n').filter((line) => line.length > 80 && line.startsWith(' '.repeat(18)))).toEqual([]);
});

test('says what files are, and what those look like that are not read', () => {
  const strace = join(scratch, 'x.txt');
  writeFileSync(strace, '[pid  12] openat(AT_FDCWD, "/etc/x", O_RDONLY) = 3\n');
  const ftrace = recording('ftrace.txt.gz');
  const { stdout, status } = formats(ftrace, strace, join(scratch, 'nothing'));
  expect(stdout.split('\n')).toEqual([
    `${ftrace}: ftrace, gzip: the kernel's trace, trace_pipe, snapshot, and trace-cmd report, with stacks`,
    `${strace} looks like the output of strace, which is not read: there are no stacks in it`,
    `no such file: ${join(scratch, 'nothing')}`,
    '',
  ]);
  expect(status).toBe(0);
  expect(formats(strace).status).toBe(1);
});
