import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-db_bench-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** Runs `whocalls db_bench` as a process; `interrupt` sends SIGINT once the head is out. */
async function dbBench(args: string[], interrupt = false) {
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'db_bench', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
    env: { ...process.env, TEST_TMPDIR: scratch },
    detached: true,
  });
  const output = { out: '', err: '' };
  child.stderr.on('data', (data) => {
    output.err += data;
  });
  child.stdout.on('data', (data) => {
    output.out += data;
    // the whole group, as a terminal does
    if (interrupt && output.out.includes('------\n') && child.pid) process.kill(-child.pid, 'SIGINT');
  });
  const status = await new Promise((resolve) => child.on('close', (code) => resolve(code)));
  return { ...output, status };
}

test.each([['auto'], ['napi']])('prints what db_bench prints, %s', async (driver) => {
  const { out, err, status } = await dbBench([
    '--num=500',
    '--benchmarks=fillseq,readseq',
    `--driver=${driver}`,
    '--bloom_bits=10',
  ]);
  expect(status).toBe(0);
  expect(err).toContain('LevelDB:    version');
  expect(out).toMatch(
    /^Keys: {7}16 bytes each\n[\s\S]*\nfillseq {6}: +[\d.]+ micros\/op; +[\d.]+ MB\/s\nreadseq {6}: .* MB\/s\n$/,
  );
  expect(existsSync(join(scratch, 'dbbench', 'CURRENT'))).toBe(true);
});

test.each([['auto'], ['napi']])('an interrupt ends it cleanly, %s', async (driver) => {
  const { out, err, status } = await dbBench(['--num=200000000', '--benchmarks=fillseq', `--driver=${driver}`], true);
  expect(status).toBe(130);
  expect(out).not.toContain('micros/op');
  expect(err).not.toMatch(/error|Error/);
});

test.each([
  [['--nosuch=1'], "unknown option '--nosuch=1'"],
  [['--num=many'], '--num'],
  [['--num=0'], '--num'],
  [['--compression_ratio=7'], '--compression_ratio'],
  [['--histogram=2'], '--histogram'],
])('wrong usage is one line and status 2: %s', async (args, about) => {
  const { out, err, status } = await dbBench(args);
  expect(status).toBe(2);
  expect(out).toBe('');
  expect(err.trimEnd().split('\n')).toHaveLength(1);
  expect(err).toContain(about);
});
