import { Function as Fn, Line, Location, Mapping, Profile, Sample, StringTable, ValueType } from 'pprof-format';
import { expect, test } from 'vitest';
import { expectSame } from '../../../test/support/check-census.ts';
import { checkBytes, groupCounts, readBytes } from '../../../test/support/check-reader.ts';
import { Census } from '../../census/census.ts';
import { writePprof } from './write.ts';

/** A census with everything a census can hold. */
function everything(): Census {
  const census = new Census();
  const { symbols } = census;
  const frames = [
    { symbol: symbols.intern('rb_insert_color'), offset: 0 },
    { symbol: symbols.intern('timerqueue_add.isra.0', 'ext4'), offset: 0x7fffffff, unreliable: true },
    { symbol: symbols.intern('? odd'), offset: 1 },
    { symbol: symbols.intern('c_start', '', 'kernel', 'crypto/proc.c'), offset: 1 },
    { symbol: symbols.intern('c_start', '', 'kernel', 'kernel/trace/trace.c'), offset: 1 },
    { symbol: symbols.intern('c_start'), offset: 1 },
    { symbol: symbols.intern('</IRQ>', '', 'marker'), offset: -1 },
    { symbol: symbols.intern('main', '/bin/a', 'user'), offset: 4 },
    { symbol: symbols.intern('main', '', 'user'), offset: -1 },
    { symbol: symbols.intern('clock', '[vdso]', 'user'), offset: 2 },
    { symbol: symbols.intern('x', 'user:y', 'user'), offset: 2 },
  ];
  const stack = census.stack(frames);
  census.target('never called');
  const target = census.target('rb_insert_color');
  census.add({ stack, target, comm: 'größe 名;x', pid: 0, cpu: 0, bucket: 0, argument: 'rotate' }, 614697);
  census.add({ stack: census.stack(frames.slice(0, 3)), pid: 0x7fffffff }, Number.MAX_SAFE_INTEGER - 10_000_000);
  const bytes = census.measure({ name: 'bytes', unit: 'bytes', of: 'arg3' });
  census.rows.addSum(0, bytes, 4096);
  census.lose({ code: 'not-printed' }, 3);
  census.lose({ code: 'map-full', map: 'stacks', limit: 100 }, 2);
  census.lose({ code: 'stated', text: 'stack storage full' }, 2);
  census.note({ code: 'stated', text: 'A remark.' });
  census.note({ code: 'target-aliases', aliases: ['a is b'] });
  Object.assign(census.facts, {
    kernels: ['6.1.0-56-amd64'],
    commands: [['db_bench', '--num=1 2']],
    workloads: [{ name: 'db_bench', entries: 5, phases: [{ name: 'fillseq', operations: 5 }] }],
    cpus: 2,
    durationSeconds: 1.5,
    bucketMilliseconds: 10,
  });
  return census;
}

test('everything of a census survives, zeros and unknowns included', async () => {
  const census = everything();
  const { census: back, format } = await readBytes(await writePprof(census));
  expect(format).toBe('pprof');
  expect(back.targets).toEqual(census.targets);
  expectSame(back, census, 'read back');
});

test('a census without any call survives writing; reading says that it has no stacks', async () => {
  await expect(readBytes(await writePprof(new Census()))).rejects.toThrow('has no stacks (read as pprof)');
});

test('a profile of another program', async () => {
  const strings = new StringTable();
  const text = (value: string) => strings.dedup(value);
  const type = (name: string, unit: string) => new ValueType({ type: text(name), unit: text(unit) });
  const fn = (id: number, name: string) => new Fn({ id, name: text(name), systemName: text(name) });
  const profile = new Profile({
    sampleType: [type('cpu', 'nanoseconds'), type('samples', 'count')],
    sample: [
      new Sample({ locationId: [1, 2, 3], value: [5_000_000, 5] }),
      new Sample({ locationId: [4, 3], value: [1_000_000, 1] }),
      new Sample({ locationId: [], value: [1_000_000, 2] }),
      new Sample({ locationId: [3], value: [1_000_000, -2] }),
    ],
    mapping: [
      new Mapping({ id: 1, filename: text('[kernel.kallsyms]') }),
      new Mapping({ id: 2, filename: text('/bin/a') }),
    ],
    location: [
      // Two functions inlined into each other, innermost first.
      new Location({ id: 1, mappingId: 1, line: [new Line({ functionId: 1 }), new Line({ functionId: 2 })] }),
      new Location({ id: 2, mappingId: 1, line: [new Line({ functionId: 3 })] }),
      new Location({ id: 3, mappingId: 2, line: [new Line({ functionId: 4 })] }),
      new Location({ id: 4, mappingId: 1, address: 0xffff8000 }),
    ],
    function: [fn(1, 'vfs_write'), fn(2, 'ksys_write'), fn(3, 'do_syscall_64'), fn(4, 'main')],
    stringTable: strings,
  });
  const { census, diagnostics } = await checkBytes('pprof', profile.encode());
  expect([census.total, census.attributed]).toEqual([8, 6]);
  expect(census.losses).toEqual([{ code: 'sample-without-stack', count: 2 }]);
  expect(diagnostics.skippedLines).toBe(1);
  expect(census.measures).toEqual([{ name: 'cpu', unit: 'nanoseconds', of: 'profile' }]);
  expect(groupCounts(census, 'entry')).toEqual([
    ['write(2)', 5],
    ['unknown entry', 1],
  ]);
});

/** A profile with one stack, `ksys_write <- main`, in samples with these values. */
function profileWith(types: [string, string][], values: number[][], period?: [number, string, string]): Uint8Array {
  const strings = new StringTable();
  const text = (value: string) => strings.dedup(value);
  const type = ([name, unit]: [string, string]) => new ValueType({ type: text(name), unit: text(unit) });
  return new Profile({
    sampleType: types.map(type),
    sample: values.map((value) => new Sample({ locationId: [1, 2], value })),
    mapping: [new Mapping({ id: 1, filename: text('[kernel.kallsyms]') })],
    location: [1, 2].map((id) => new Location({ id, mappingId: 1, line: [new Line({ functionId: id })] })),
    function: ['ksys_write', 'main'].map((name, i) => new Fn({ id: i + 1, name: text(name) })),
    ...(period && { period: period[0], periodType: type([period[1], period[2]]) }),
    stringTable: strings,
  }).encode();
}

const NANOSECONDS: [string, string] = ['cpu', 'nanoseconds'];

test.each<[string, Uint8Array, number, object[]]>([
  [
    'samples are counted',
    profileWith(
      [['samples', 'count'], NANOSECONDS],
      [
        [3, 30],
        [1, 10],
      ],
      [10, 'cpu', 'nanoseconds'],
    ),
    4,
    [{ code: 'samples-counted', events: ['cpu'] }],
  ],
  [
    'objects are',
    profileWith(
      [
        ['alloc_space', 'bytes'],
        ['alloc_objects', 'count'],
      ],
      [
        [800, 8],
        [100, 1],
      ],
    ),
    9,
    [],
  ],
  [
    'the kind of samples that has any',
    profileWith(
      [
        ['exception', 'count'],
        ['alloc-samples', 'count'],
      ],
      [[0, 2]],
    ),
    2,
    [],
  ],
  [
    'time tells a number where the time between samples is known',
    profileWith([NANOSECONDS], [[30_000_000], [10_000_001]], [10_000_000, 'cpu', 'nanoseconds']),
    4,
    [{ code: 'no-sample-counts', value: 'cpu', unit: 'nanoseconds', every: 10_000_000 }],
  ],
  [
    'and none where it is not',
    profileWith([NANOSECONDS], [[30_000_000], [10_000_000], [0]], [1, 'mutex', 'count']),
    2,
    [{ code: 'no-sample-counts', value: 'cpu', unit: 'nanoseconds', every: 0 }],
  ],
  [
    'bytes tell none',
    profileWith([['inuse_space', 'bytes']], [[524288]], [524288, 'space', 'bytes']),
    1,
    [{ code: 'no-sample-counts', value: 'inuse_space', unit: 'bytes', every: 0 }],
  ],
  ['a value without a unit is taken as it is', profileWith([['x', '']], [[5]]), 5, []],
])('of the values of a profile %s', async (_what, profile, total, notes) => {
  const { census } = await checkBytes('pprof', profile);
  expect([census.total, census.facts.notes]).toEqual([total, notes]);
});

test('what runs in every sample is no target', async () => {
  const samples = await readBytes(profileWith([['samples', 'count']], [[3], [4]]));
  expect(samples.census.targets).toEqual([]);
});

test.each([
  ['a text', '{"facts":'],
  [
    'facts of wrong types',
    JSON.stringify({ targets: [], facts: { kernels: [1, 'a'], durationSeconds: 'y', notes: 'z' } }),
  ],
  ['too little', JSON.stringify({ targets: [], losses: [], facts: { kernels: [] } })],
])('a census file with damaged facts (%s) is read as far as it goes', async (_name, json) => {
  const profile = Profile.decode(Buffer.from(await plain(everything())));
  const { strings } = profile.stringTable;
  strings[Number(profile.comment[0])] = `whocalls/census/1 ${json}`;
  const { census } = await readBytes(profile.encode());
  expect(census.attributed).toBeGreaterThan(614697);
  expect(typeof census.facts.durationSeconds === 'string').toBe(false);
  expect(Array.isArray(census.facts.kernels) && Array.isArray(census.facts.notes)).toBe(true);
});

async function plain(census: Census): Promise<Buffer> {
  const { gunzipSync } = await import('node:zlib');
  return gunzipSync(await writePprof(census));
}

test('a profile cut off says at which byte', async () => {
  const bytes = await plain(everything());
  await expect(readBytes(bytes.subarray(0, bytes.length - 20))).rejects.toThrow(
    /^input: the profile is cut off at byte \d+/,
  );
});

test('a measure without a name, and a loss without a reason, come back', async () => {
  const census = everything();
  const row = census.addCalls(census.rows.row(0).stack, census.rows.row(0).target, census.rows.row(0).key, 1);
  census.rows.addSum(row, census.measure({ name: '', unit: '', of: 'profile' }), 7);
  census.lose({ code: 'stated', text: '' }, 5);
  expectSame((await readBytes(await writePprof(census))).census, census, 'read back');
});
