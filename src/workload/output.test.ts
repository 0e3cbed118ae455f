import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Workload } from '../census/workload.ts';
import { UsageError } from '../errors.ts';
import { headline, runsBenchmark } from './benchmarks/registry.ts';
import { parsePhaseRegex, WorkloadReader, type WorkloadReaderOptions } from './output.ts';

/** Output of real runs, both streams into one file. */
function fixture(name: string): Buffer {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url));
}

/** Reads with a clock that shows 1000 at the start and advances 1 ms with every byte. */
function read(
  bytes: Uint8Array | string,
  options: WorkloadReaderOptions = {},
  chunkSizes: number[] = [],
): Workload | null {
  const all = Buffer.from(bytes);
  const reader = new WorkloadReader(1000, options);
  let at = 0;
  for (const size of [...chunkSizes, all.length]) {
    reader.read(all.subarray(at, at + size), 2000);
    at = Math.min(all.length, at + size);
  }
  return reader.finish(2000);
}

const names = (workload: Workload | null) => workload?.phases?.map((phase) => [phase.name, phase.operations]);

describe('benchmarks', () => {
  test("LevelDB's db_bench, with histograms and progress", () => {
    const workload = read(fixture('leveldb.txt'));
    expect(workload).toMatchObject({
      name: 'db_bench',
      engine: 'LevelDB',
      version: '1.20',
      cpu: '2 * AMD EPYC',
      cpuCache: '1024 KB',
      keyBytes: 16,
      valueBytes: 100,
      compressedValueBytes: 50,
      entries: 20000,
      rawSizeMB: 2.2,
      fileSizeMB: 1.3,
    });
    expect(names(workload)).toEqual([
      ['fillseq', 20000],
      ['fillsync', 20],
      ['readrandom', 20000],
    ]);
    expect(workload?.phases?.[0]?.microsPerOp).toBe(2.291);
  });

  test("flags say what LevelDB's lines do not", () => {
    const command = ['./db_bench', '--reads=500', '--threads', '2'];
    expect(names(read(fixture('leveldb.txt'), { command }))).toEqual([
      ['fillseq', 40000],
      ['fillsync', 40],
      ['readrandom', 1000],
    ]);
  });

  test("RocksDB's db_bench", () => {
    const workload = read(fixture('rocksdb.txt'));
    expect(workload).toMatchObject({ name: 'db_bench', engine: 'RocksDB', version: '7.8.3', entries: 20000 });
    expect(workload).toMatchObject({ keyBytes: 16, valueBytes: 100, rawSizeMB: 2.2, fileSizeMB: 1.3 });
    expect(names(workload)).toEqual([
      ['fillseq', 20000],
      ['readrandom', 20000],
    ]);
  });

  test('fio', () => {
    expect(read(fixture('fio.txt'))).toEqual({
      name: 'fio',
      version: '3.33',
      jobs: [
        { name: 'randw', what: 'randwrite, 4096B-4096B, psync, depth 1', operations: 1024 },
        { name: 'readit', what: 'read, 4096B-4096B, psync, depth 1', operations: 1024 },
      ],
      phases: [],
    });
  });

  test.each([
    ['sysbench-cpu.txt', 3325],
    ['sysbench-mem.txt', 102400],
  ])('%s', (name, operations) => {
    const phases = [{ name: 'run', startMs: 2000, endMs: 2000, operations }];
    expect(read(fixture(name))).toEqual({ name: 'sysbench', version: '1.0.20', threads: 1, phases });
  });

  test('stress-ng', () => {
    const jobs = [
      { name: 'switch', operations: 161163 },
      { name: 'pipe', operations: 858506 },
    ];
    const phases = [{ name: 'switch+pipe', startMs: 2000, endMs: 2000, operations: 1019669 }];
    expect(read(fixture('stress-ng.txt'))).toEqual({ name: 'stress-ng', jobs, phases });
  });

  test('a head written down by hand', () => {
    const head =
      '- CPU cache:\t4096KB\n- Keys:\t\t16B each\n- Values:\t100B each\n- Entries:\t1000000\n- Raw size:\t110.6MB\n- File size:\t62.9MB\n';
    expect(read(head)).toMatchObject({
      cpuCache: '4096KB',
      keyBytes: 16,
      valueBytes: 100,
      entries: 1000000,
      rawSizeMB: 110.6,
      fileSizeMB: 62.9,
    });
  });
});

describe("a report's head", () => {
  test.each([
    ['leveldb.txt', 'Keys 16 B · Values 100 B · Entries 20000 · RawSize 2.2 MB · FileSize 1.3 MB'],
    ['rocksdb.txt', 'Keys 16 B · Values 100 B · Entries 20000 · RawSize 2.2 MB · FileSize 1.3 MB'],
    ['fio.txt', 'randw: randwrite, 4096B-4096B, psync, depth 1 · readit: read, 4096B-4096B, psync, depth 1'],
    ['sysbench-cpu.txt', 'sysbench 1.0.20 · 1 thread'],
    ['stress-ng.txt', 'stressors switch, pipe'],
  ])('%s', (name, expected) => {
    expect(headline(read(fixture(name))!)).toBe(expected);
  });

  test('sizes as they were written down by hand', () => {
    expect(headline({ name: 'db_bench', keys: '16B each', entries: 1000000 })).toBe('Keys 16B each · Entries 1000000');
  });

  test('little or nothing is known', () => {
    expect(headline({ name: 'make', entries: 5 })).toBe('');
    for (const name of ['db_bench', 'fio', 'sysbench', 'stress-ng']) expect(headline({ name })).toBe('');
  });

  test('of many jobs the first', () => {
    const jobs = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name }));
    expect(headline({ name: 'fio', jobs })).toBe('a · b · c · 2 more');
    expect(headline({ name: 'stress-ng', jobs })).toBe('stressors a, b, c, d and 1 more');
  });
});

test.each([
  [['/usr/bin/fio', 'job'], true],
  [['taskset', '1', './db_bench'], true],
  [['node', 'bin/whocalls', 'founding-case'], true],
  [['make', 'fio.o', '/src/fio/'], false],
])('whether %j prints what is understood: %j', (words, expected) => {
  expect(runsBenchmark(words)).toBe(expected);
});

test.each([
  'leveldb.txt',
  'rocksdb.txt',
  'fio.txt',
  'sysbench-cpu.txt',
  'sysbench-mem.txt',
  'stress-ng.txt',
])('%s: where the chunks are cut changes nothing but the clock', (name) => {
  const bytes = fixture(name);
  const timeless = (workload: Workload | null) => ({
    ...workload,
    phases: workload?.phases?.map(({ startMs: _, endMs: __, ...phase }) => phase),
  });
  const whole = timeless(read(bytes));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 60 }), (sizes) => {
      expect(timeless(read(bytes, {}, sizes))).toEqual(whole);
    }),
    { numRuns: 30 },
  );
});

describe('the clock', () => {
  test('a phase ends when its line is read, the next begins there, the first at the end of the head', () => {
    const reader = new WorkloadReader(0);
    const say = (text: string, atMs: number, stream: 'stdout' | 'stderr' = 'stdout') =>
      reader.read(Buffer.from(text), atMs, stream);
    say('LevelDB:    version 1.20\n', 5, 'stderr');
    say(`Entries:    10\n${'-'.repeat(48)}\n`, 7);
    say('... finished 5 ops      \r', 8, 'stderr');
    say('fillseq      :       1.7', 20);
    say('06 micros/op;   64.8 MB/s\n', 21);
    say('compact      :  5.0 micros/op;', 30);
    expect(reader.finish(31)?.phases).toEqual([
      { name: 'fillseq', startMs: 7, endMs: 21, operations: 10, microsPerOp: 1.706 },
      { name: 'compact', startMs: 21, endMs: 31, operations: 1, microsPerOp: 5 },
    ]);
  });

  test('progress and colours around a result do not hide it', () => {
    const line = '\u001b[2K... finished 100 ops    \r\u001b[1;32mfillseq      :\u001b[0m       1.706 micros/op;\r\n';
    expect(names(read(`LevelDB:    version 1.20\n${line}`))).toEqual([['fillseq', undefined]]);
  });

  test('megabytes of progress without a newline are not kept, and do not hide the result', () => {
    const progress = '... finished 100 ops                              \r'.repeat(50_000);
    const workload = read(
      `LevelDB:    version 1.20\n${progress}fillseq      :       1.706 micros/op;\n`,
      {},
      Array(300).fill(8000),
    );
    expect(names(workload)).toEqual([['fillseq', undefined]]);
  });
});

describe('--phase-regex', () => {
  test('marks phases of any program', () => {
    const phaseRegex = parsePhaseRegex('^== (?<name>\\w+) done(?:, (?<ops>[\\d,]+) rows)?');
    const workload = read('hello\n== load done, 1,250 rows\nnoise\n== query done\n', {
      command: ['/opt/mybench'],
      phaseRegex,
    });
    expect(workload?.name).toBe('mybench');
    expect(names(workload)).toEqual([
      ['load', 1250],
      ['query', undefined],
    ]);
  });

  test('takes the place of the known marks, but facts are still read', () => {
    const workload = read(fixture('leveldb.txt'), { phaseRegex: /^(readrandom)/ });
    expect(names(workload)).toEqual([['readrandom', undefined]]);
    expect(workload?.entries).toBe(20000);
  });

  test('a bad one is wrong usage', () => {
    expect(() => parsePhaseRegex('(')).toThrow(UsageError);
  });
});

test('output of no benchmark is no workload', () => {
  expect(read('make: Entering directory\n  CC  main.o\nValues: many\n', { command: ['make'] })).toBeNull();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => void read(bytes)));
});

test('the first phase of a second run in one command begins with its own head', () => {
  const reader = new WorkloadReader(0, { command: ['founding-case'] });
  const head = 'Keys:       16 bytes each\nEntries:    10\nFileSize:   0.1 MB (estimated)\n';
  reader.read(Buffer.from(`${head}${'-'.repeat(48)}\n`), 100);
  reader.read(Buffer.from('fillseq      :       2.000 micros/op;\n'), 200);
  reader.read(Buffer.from(head), 700);
  reader.read(Buffer.from('readseq      :       1.000 micros/op;\n'), 900);
  expect(reader.finish(1000)?.phases?.map(({ name, startMs, endMs }) => [name, startMs, endMs])).toEqual([
    ['fillseq', 100, 200],
    ['readseq', 700, 900],
  ]);
});
