import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { levelDbForTests } from '../../test/support/leveldb.ts';
import { needs } from '../../test/support/needs.ts';

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-db_bench-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const program = fileURLToPath(new URL('../../bin/whocalls', import.meta.url));

/** Runs `whocalls db_bench` as a process; `interrupt` sends SIGINT once the head is out. */
async function dbBench(args: string[], { interrupt = false, env = {} }: { interrupt?: boolean; env?: object } = {}) {
  const child = spawn(program, ['db_bench', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
    env: { ...process.env, TEST_TMPDIR: scratch, ...env },
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

const { lack } = await levelDbForTests();

describe('whocalls db_bench', needs(lack), () => {
  test('prints what db_bench prints', async () => {
    const { out, err, status } = await dbBench(['--num=500', '--benchmarks=fillseq,readseq']);
    expect(status).toBe(0);
    expect(err).toContain('LevelDB:    version');
    expect(out).toMatch(
      /^Keys: {7}16 bytes each\n[\s\S]*\nfillseq {6}: +[\d.]+ micros\/op; +[\d.]+ MB\/s\nreadseq {6}: .* MB\/s\n$/,
    );
    expect(existsSync(join(scratch, 'dbbench', 'CURRENT'))).toBe(true);
  });

  test('the folder among the temporary files has to be its own', async () => {
    const [temporary, elsewhere] = ['shared', 'elsewhere'].map((name) => join(scratch, name));
    for (const folder of [temporary!, elsewhere!]) mkdirSync(folder);
    symlinkSync(elsewhere!, join(temporary!, `leveldbtest-${process.geteuid?.()}`));
    const env = { TMPDIR: temporary, TEST_TMPDIR: '' };
    const { err, status } = await dbBench(['--num=10', '--benchmarks=fillseq'], { env });
    expect(status).toBe(1);
    expect(err).toMatch(/^whocalls: \/.*leveldbtest-\d+ is not a folder of your own; name one: --db=FOLDER\n$/);
    expect(readdirSync(elsewhere!)).toEqual([]);
  });

  test('threads work at the same time, and what they did is added up', async () => {
    const benchmarks = 'fillseq,readrandom,readseq,readwhilewriting,open,compact';
    const flags = ['--num=500', '--threads=3', '--histogram', `--benchmarks=${benchmarks}`];
    const { out, err, status } = await dbBench(flags);
    expect(status).toBe(0);
    expect(err).not.toMatch(/error|Error/);
    const lines = out.split('\n').filter((line) => line.includes('micros/op'));
    expect(lines.map((line) => line.replace(/ *:.*;/, '').replace(/ +[\d.]+ (?=MB)/, ' # '))).toEqual([
      'fillseq # MB/s',
      'readrandom (500 of 500 found)',
      'readseq # MB/s',
      'readwhilewriting (500 of 500 found)',
      'open',
      'compact',
    ]);
    expect(out.match(/^Count: \d+/gm)).toEqual(['1500', '1500', '1500', '1500', '1', '0'].map((n) => `Count: ${n}`));
  });

  test.each([1, 2])('an interrupt ends it cleanly, %i threads', async (threads) => {
    const flags = ['--num=200000000', '--benchmarks=fillseq', `--threads=${threads}`];
    const { out, err, status } = await dbBench(flags, { interrupt: true });
    expect(status).toBe(130);
    expect(out).not.toContain('micros/op');
    expect(err).not.toMatch(/error|Error/);
  });
});

test.each([
  [
    'a library that is not there',
    '/nosuch/libleveldb.so',
    /^whocalls: cannot load LevelDB from \/nosuch\/libleveldb\.so: .*No such file/,
  ],
  ['a library that is another one', 'libm.so.6', /^whocalls: libm\.so\.6 is not LevelDB's library: /],
])('%s is one line and status 1', async (_, file, message) => {
  const { out, err, status } = await dbBench([`--library=${file}`]);
  expect(out).toBe('');
  expect(err).toMatch(message);
  expect(err.trimEnd().split('\n')).toHaveLength(1);
  expect(status).toBe(1);
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
