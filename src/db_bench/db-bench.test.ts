import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { levelDbForTests } from '../../test/support/leveldb.ts';
import { needs } from '../../test/support/needs.ts';
import { WorkloadReader } from '../workload/output.ts';
import { runDbBench } from './db-bench.ts';
import type { DbBenchFlags } from './flags.ts';
import { cTime, readProcessors, sizeLines } from './head.ts';
import { Random } from './random.ts';

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-db_bench-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const defaults: DbBenchFlags = {
  benchmarks: 'fillseq',
  num: 3000,
  reads: -1,
  threads: 1,
  value_size: 100,
  compression_ratio: 0.5,
  compression: true,
  histogram: false,
  use_existing_db: false,
  write_buffer_size: 0,
  max_file_size: 0,
  block_size: 0,
  open_files: 0,
  cache_size: -1,
  bloom_bits: 10,
  key_prefix: 0,
  db: undefined,
};

const { levelDb, library, lack } = await levelDbForTests();

let databases = 0;

async function run(flags: Partial<DbBenchFlags>, signal = new AbortController().signal) {
  databases += 1;
  const all = { ...defaults, db: join(scratch, `db${databases}`), ...flags };
  const output = { out: '', err: '' };
  await runDbBench(all, {
    out: (text) => {
      output.out += text;
    },
    err: (text) => {
      output.err += text;
    },
    progress: undefined,
    signal,
    levelDb: levelDb!,
    library: library!,
    startThread: () => expect.unreachable('one thread is this one'),
  });
  return { ...output, path: all.db };
}

/** Output without what differs from run to run. */
const timeless = (text: string) => text.replace(/\s+[\d.]+ (micros\/op|MB\/s)/g, ' # $1');

describe('db_bench', needs(lack), () => {
  test('every benchmark runs, in the format of the original', async () => {
    const benchmarks =
      'fillseq,readseq,readreverse,readrandom,readmissing,readhot,seekrandom,seekordered,readrandomsmall,' +
      'deleteseq,readseq,fillrandom,readrandom,overwrite,deleterandom,fillsync,fillbatch,fill100K,open,compact,,crc32c,nosuch';
    const { out, err } = await run({ benchmarks });
    expect(err).toMatch(/^LevelDB: {4}version \d+\.\d+\nDate: {7}\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\n/);
    expect(err).toMatch(/\nunknown benchmark 'nosuch'\n$/);
    expect(err).not.toContain("''");
    const [head, lines] = timeless(out).split(`${'-'.repeat(48)}\n`);
    expect(head).toContain('Entries:    3000\n');
    expect(lines).toMatchInlineSnapshot(`
      "fillseq      : # micros/op; # MB/s
      readseq      : # micros/op; # MB/s
      readreverse  : # micros/op; # MB/s
      readrandom   : # micros/op; (3000 of 3000 found)
      readmissing  : # micros/op;
      readhot      : # micros/op;
      seekrandom   : # micros/op; (3000 of 3000 found)
      seekordered  : # micros/op; (3000 of 3000 found)
      readrandomsmall : # micros/op; (3 of 3000 found)
      deleteseq    : # micros/op;
      readseq      : # micros/op;
      fillrandom   : # micros/op; # MB/s
      readrandom   : # micros/op; (1960 of 3000 found)
      overwrite    : # micros/op; # MB/s
      deleterandom : # micros/op;
      fillsync     : # micros/op; # MB/s (3 ops)
      fillbatch    : # micros/op; # MB/s
      fill100K     : # micros/op; # MB/s (3 ops)
      open         : # micros/op;
      compact      : # micros/op;
      crc32c       : skipped (does not use the database)
      "
    `);
  });

  test('random keys are those of the original sequence', async () => {
    const { out } = await run({ benchmarks: 'fillrandom,readrandom' });
    const written = new Set(keys(3000, 1001));
    const found = keys(3000, 1002).filter((key) => written.has(key)).length;
    expect(out).toContain(`(${found} of 3000 found)`);
  });

  test.each([
    [0.5, 0.5, 0.75],
    [1, 0.95, 1.2],
  ])('values compress to the asked ratio %s', async (ratio, least, most) => {
    const { path } = await run({ num: 20_000, compression_ratio: ratio, benchmarks: 'fillseq,compact' });
    const size = readdirSync(path)
      .filter((name) => name.endsWith('.ldb'))
      .reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
    expect(size / (116 * 20_000)).toBeGreaterThan(least);
    expect(size / (116 * 20_000)).toBeLessThan(most);
  });

  test('an existing database is kept, and fresh benchmarks are skipped', async () => {
    const { path } = await run({ benchmarks: 'fillseq' });
    const again = await run({
      benchmarks: 'fillrandom,readseq,stats',
      use_existing_db: true,
      db: path,
      reads: 100,
    });
    expect(again.out).toContain('fillrandom   : skipped (--use_existing_db is true)\n');
    expect(again.out).toMatch(/readseq {6}: +[\d.]+ micros\/op; +[\d.]+ MB\/s\n\n +Compactions\n/);
  });

  test('its own output is read as a workload', async () => {
    const { out, err } = await run({ benchmarks: 'fillseq,fill100K,readrandom', histogram: true });
    const reader = new WorkloadReader(0, { command: ['db_bench'] });
    reader.read(Buffer.from(err), 1, 'stderr');
    reader.read(Buffer.from(out), 1);
    const workload = reader.finish(2);
    expect(workload).toMatchObject({ name: 'db_bench', engine: 'LevelDB', entries: 3000, keyBytes: 16 });
    expect(workload?.phases?.map(({ name, operations }) => [name, operations])).toEqual([
      ['fillseq', 3000],
      ['fill100K', 3],
      ['readrandom', 3000],
    ]);
    expect(out).toContain('Count: 3000  Average: ');
  });

  test('a database that cannot be made is said in one line', async () => {
    await expect(run({ db: '/proc/nosuch/db' })).rejects.toThrow(/^open error: NotFound: \/proc\/nosuch\/db/);
    await expect(run({ use_existing_db: true })).rejects.toThrow(/^open error: /);
  });

  test('stops when told to, and leaves a database that opens', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 20);
    const path = join(scratch, 'stopped');
    await expect(run({ num: 50_000_000, db: path }, stop.signal)).rejects.toThrow(/aborted/);
    const { out } = await run({ benchmarks: 'readrandom', db: path, use_existing_db: true, reads: 10 });
    expect(out).toContain('readrandom');
  });
});

test('the head of the founding case', () => {
  const lines = sizeLines({ keyBytes: 16, valueBytes: 100, entries: 1_000_000, compressionRatio: 0.5 });
  expect(lines).toBe(
    'Keys:       16 bytes each\nValues:     100 bytes each (50 bytes after compression)\n' +
      'Entries:    1000000\nRawSize:    110.6 MB (estimated)\nFileSize:   62.9 MB (estimated)\n',
  );
});

test('processors and time as the original prints them', () => {
  const cpuinfo =
    'processor\t: 0\nmodel name\t: A CPU @ 2: GHz\ncache size\t: 512 KB\n\nprocessor\t: 1\nmodel name\t: A CPU @ 2: GHz\n';
  expect(readProcessors(cpuinfo)).toEqual({ processors: 2, model: 'A CPU @ 2: GHz', cache: '512 KB' });
  expect(cTime(new Date(2026, 10, 3, 4, 5, 6))).toBe('Tue Nov  3 04:05:06 2026');
});

function keys(count: number, seed: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.below(3000));
}
