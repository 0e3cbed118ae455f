import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { levelDbForTests } from '../../test/support/leveldb.ts';
import { needs, VIRTUAL_MACHINE } from '../../test/support/needs.ts';

const program = fileURLToPath(new URL('../../bin/whocalls', import.meta.url));
const { lack } = await levelDbForTests();

describe('db_bench in a guest', needs(VIRTUAL_MACHINE, lack), () => {
  test('finds the library of the host, and runs threads', () => {
    const inside = [program, 'db_bench', '--num=200', '--threads=2', '--benchmarks=fillseq,readrandom', '--db=/tmp/db'];
    const { stdout, stderr, status } = spawnSync(program, ['lab', 'run', '--', ...inside], { encoding: 'utf8' });
    expect(stderr).toMatch(/^LevelDB: {4}version 1\.\d+\n/m);
    expect(stdout).toMatch(/^fillseq .* MB\/s\nreadrandom .*\(200 of 200 found\)\n$/m);
    expect(status).toBe(0);
  }, 300_000);
});
