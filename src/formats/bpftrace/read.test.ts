import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { checkBytes, groupCounts, readBytes } from '../../../test/support/check-reader.ts';
import { recording } from '../../../test/support/recordings.ts';
import type { Census } from '../../census/census.ts';
import { parseFrame, parseKey, parseValue } from './grammar.ts';

const REAL = gunzipSync(readFileSync(recording('bpftrace.txt.gz'))).toString('latin1');
const START = 'Attaching 1 probe...\n';
const WRITE = '\n    vfs_write+0\n    ksys_write+99\n    do_syscall_64+93\n    entry_SYSCALL_64_after_hwframe+110\n';
const READ = '\n    vfs_read+0\n    ksys_read+99\n    do_syscall_64+93\n    entry_SYSCALL_64_after_hwframe+110\n';
const USER = '\n    __write+20\n    std::string::append(char const*)+32\n    main+12\n    0x7f1b2c3d4e5f\n';

function sums(census: Census): [string, string, number][] {
  return census.measures.map(({ name, unit }, measure) => {
    let sum = 0;
    for (let row = 0; row < census.rows.size; row++) sum += census.rows.sum(row, measure);
    return [name, unit, sum];
  });
}

/** Frames of every row, innermost first. */
function stacks(census: Census): string[] {
  return [...census.rows].map(({ stack }) =>
    census.stacks
      .frames(stack)
      .map(({ symbol }) => `${census.symbols.space(symbol) === 'user' ? 'user ' : ''}${census.symbols.raw(symbol)}`)
      .join(', '),
  );
}

test('text and JSON of one run say the same', async () => {
  const entries = [...REAL.matchAll(/^@\[(\n[\s\S]*?)\n, (\w+)\]: (\d+)$/gm)];
  const map = Object.fromEntries(entries.map(([, stack, comm, count]) => [`${stack}\n,${comm}`, Number(count)]));
  const noise = REAL.slice(REAL.indexOf('\n') + 1, REAL.indexOf('@['));
  const json = `{"type": "attached_probes", "data": {"probes": 1}}\n${noise}{"type": "map", "data": {"@": ${JSON.stringify(map)}}}\n`;
  const fromJson = await checkBytes('bpftrace', json);
  const fromText = await readBytes(REAL);
  expect(fromJson.census.total).toBe(684);
  for (const by of ['site', 'entry', 'comm', 'stack', 'target']) {
    expect(groupCounts(fromJson.census, by)).toEqual(groupCounts(fromText.census, by));
  }
});

describe('keys in any order', () => {
  test.each([
    ['the stack first', `@[${WRITE}, db_bench]: 3\n`],
    ['the stack last', `@[db_bench, ${WRITE}]: 3\n`],
    ['a named map', `@calls[${WRITE}, db_bench]: 3\n`],
    ['behind output that has no line end', `... finished 5000 ops @[${WRITE}, db_bench]: 3\n`],
    ['a paste that lost its indentation', `@[${WRITE.replace(/^ +/gm, '')}, db_bench]: 3\n`],
    ['JSON', `{"type": "map", "data": {"@": {${JSON.stringify(`db_bench,${WRITE}`)}: 3}}}\n`],
  ])('%s', async (_what, text) => {
    const { census, diagnostics } = await checkBytes('bpftrace', START + text);
    expect([census.total, census.targets]).toEqual([3, ['vfs_write']]);
    expect(groupCounts(census, 'comm')).toEqual([['db_bench', 3]]);
    expect(groupCounts(census)).toEqual([['ksys_write', 3]]);
    expect(diagnostics.examples).toEqual([]);
  });

  test('other keys are the recorded argument', async () => {
    const { census } = await readBytes(`${START}@[db_bench, 407, 1, ${WRITE}]: 3\n`);
    expect(groupCounts(census, 'argument')).toEqual([['407, 1', 3]]);
    expect(groupCounts(census, 'comm')).toEqual([['db_bench', 3]]);
  });

  test('a probe is the target', async () => {
    const text = `@[kprobe:ksys_write, ${WRITE}]: 3\n@[tracepoint:syscalls:sys_enter_read, ${READ}]: 2\n`;
    const { census } = await checkBytes('bpftrace', START + text);
    expect(groupCounts(census, 'target')).toEqual([
      ['ksys_write', 3],
      ['syscalls:sys_enter_read', 2],
    ]);
  });

  test.each([
    `@[${WRITE}, ${USER}, db_bench]: 3\n`,
    `@[${USER}, ${WRITE}, db_bench]: 3\n`,
  ])('the stack of the program continues that of the kernel: %#', async (text) => {
    const { census } = await checkBytes('bpftrace', START + text);
    expect(stacks(census)).toEqual([
      'vfs_write, ksys_write, do_syscall_64, entry_SYSCALL_64_after_hwframe, user __write, user std::string::append(char const*), user main, user 0x7f1b2c3d4e5f',
    ]);
    expect(groupCounts(census, 'entry')).toEqual([['write(2)', 3]]);
  });

  test('probes of several functions have a target each', async () => {
    const { census } = await readBytes(`${START}@[${WRITE}]: 3\n@[${READ}]: 2\n`);
    expect(census.targets).toEqual(['vfs_write', 'vfs_read']);
  });
});

describe('numbers that are no counts', () => {
  test('a sum beside a count, under the same keys', async () => {
    const text = `@bytes[${WRITE}, a]: 4096\n\n@calls[${WRITE}, a]: 3\n@calls[${READ}, a]: 2\n`;
    const { census } = await checkBytes('bpftrace', START + text);
    expect(census.total).toBe(5);
    expect(sums(census)).toEqual([['bytes', 'bytes', 4096]]);
    expect(census.facts.notes).not.toContainEqual(expect.objectContaining({ code: 'no-sample-counts' }));
  });

  test('a sum by itself: each of its stacks counts as one call, and that is said', async () => {
    const { census } = await checkBytes('bpftrace', `${START}@usecs[${WRITE}]: 4096\n@usecs[${READ}]: 12\n`);
    expect(census.total).toBe(2);
    expect(sums(census)).toEqual([['usecs', 'microseconds', 4108]]);
    expect(census.facts.notes).toContainEqual({
      code: 'no-sample-counts',
      value: 'usecs',
      unit: 'microseconds',
      every: 0,
    });
  });

  test('a sum by the word of the user (--sums)', async () => {
    const { census } = await readBytes(`${START}@[${WRITE}]: 4096\n`, { options: { sums: true } });
    expect([census.total, sums(census)]).toEqual([1, [['sum', '', 4096]]]);
  });

  test.each([
    ['stats()', `@us[${WRITE}]: count 5, average 3, total 15\n`, 5],
    [
      'hist()',
      `@us[${WRITE}]: \n[4, 8)                 2 |@@@@@               |\n[8K, 16K)              3 |@@@@@@@@            |\n\n`,
      5,
    ],
    [
      'hist() of newer versions',
      `@us[${WRITE}]:\n[4]                    2 |@@@@@               |\n[8, 16)                3 |@@@@@@@@            |\n\n`,
      5,
    ],
    [
      'stats() in JSON',
      `{"type": "stats", "data": {"@us": {${JSON.stringify(WRITE)}: {"count": 5, "average": 3, "total": 15}}}}\n`,
      5,
    ],
    [
      'hist() in JSON',
      `{"type": "hist", "data": {"@x": {${JSON.stringify(WRITE)}: [{"min": 4, "max": 7, "count": 2}, {"min": 8, "count": 3}]}}}\n`,
      5,
    ],
  ])('%s tells how often', async (_what, text, count) => {
    const { census } = await readBytes(START + text);
    expect(census.total).toBe(count);
    expect(sums(census)).toEqual(text.includes('total') ? [['us', 'microseconds', 15]] : []);
  });
});

describe('maps that are printed again', () => {
  test('only the last counts while it grows', async () => {
    const text = `@[${WRITE}]: 3\n\n@[${WRITE}]: 5\n@[${READ}]: 1\n\n@[${WRITE}]: 5\n@[${READ}]: 4\n`;
    const { census } = await checkBytes('bpftrace', START + text);
    expect(census.total).toBe(9);
    expect(census.facts.notes).toContainEqual({ code: 'map-printed-again', map: '@', prints: 3, isGrowing: true });
  });

  test('all count where it was cleared in between', async () => {
    const { census } = await readBytes(`${START}@[${WRITE}]: 3\n\n@[${WRITE}]: 2\n\n@[${WRITE}]: 1\n`);
    expect(census.total).toBe(6);
    expect(census.facts.notes).toContainEqual({ code: 'map-printed-again', map: '@', prints: 3, isGrowing: false });
  });

  test('several maps add up, and that is said', async () => {
    const { census } = await readBytes(`${START}@a[${WRITE}]: 3\n\n@b[${READ}]: 2\n`);
    expect(census.total).toBe(5);
    expect(census.facts.notes).toContainEqual({ code: 'several-maps', maps: ['@a', '@b'] });
  });
});

describe('stacks that a script prints', () => {
  const printed = `write of a file\n${WRITE.replace(/^ {4}/gm, '        ')}\nread of a file\n${READ.replace(/^ {4}/gm, '        ')}\n`;

  test('are a call each', async () => {
    const { census } = await checkBytes('bpftrace', START + printed + printed);
    expect([census.total, census.targets]).toEqual([4, ['vfs_write', 'vfs_read']]);
  });

  test('in JSON too', async () => {
    const { census } = await readBytes(`{"type": "printf", "data": ${JSON.stringify(printed)}}\n`);
    expect(census.total).toBe(2);
  });

  test('without anything else of bpftrace around', async () => {
    const { census } = await readBytes(printed);
    expect(census.total).toBe(2);
  });

  test('with addresses: kstack(perf)', async () => {
    const text = '\n\tffffffff8e1617b5 vfs_write+0 ([kernel])\n\tffffffff8e1617c5 ext4_x+99 ([ext4])\n\n';
    const { census } = await readBytes(START + text);
    expect(stacks(census)).toEqual(['vfs_write, ext4_x']);
  });

  test('lost events are lost calls', async () => {
    const { census } = await readBytes(`${START}${printed}Lost 7 events\n`);
    expect(census.losses).toEqual([{ code: 'ring-buffer-full', count: 7 }]);
  });
});

describe('damage', () => {
  test('a map cut off in a key', async () => {
    const { census, diagnostics } = await readBytes(REAL.slice(0, REAL.lastIndexOf('do_syscall_64')));
    expect([census.total, census.attributed]).toEqual([684 - 142 + 1, 684 - 142]);
    expect(diagnostics.examples.map(({ why }) => why)).toEqual(['the key has no end']);
  });

  test('output of the workload within a key', async () => {
    const text = `@[${WRITE.replace('    do_sys', '... finished 100 ops\n    do_sys')}, db_bench]: 3\n`;
    const { census, diagnostics } = await readBytes(START + text);
    expect(groupCounts(census, 'entry')).toEqual([['write(2)', 3]]);
    expect(diagnostics.examples).toMatchObject([{ line: 5, why: 'not a line of a key' }]);
  });

  test('maps without stacks are refused', async () => {
    await expect(readBytes(`${START}@[db_bench]: 3\n@[bash]: 1\n`)).rejects.toThrow(
      /no map has a stack among its keys/,
    );
  });
});

test.each([
  ['    vfs_read+12', 'vfs_read', 12, '', null],
  ['    vfs_read+12 (fs/read_write.c:450)', 'vfs_read', 12, '', null],
  ['    ext4_x+12 ([ext4])', 'ext4_x', 12, 'ext4', 'kernel'],
  ['    ext4_x+12 [ext4]', 'ext4_x', 12, 'ext4', 'kernel'],
  ['    malloc+12 (/usr/lib/libc.so.6)', 'malloc', 12, '/usr/lib/libc.so.6', 'user'],
  ['\tffffffff8e1617b5 vfs_read+12 ([kernel])', 'vfs_read', 12, '', 'kernel'],
  ['    0xffffffffc0318083', '0xffffffffc0318083', -1, '', 'kernel'],
  ['ffffffffc0318083', '0xffffffffc0318083', -1, '', 'kernel'],
  ['    std::map<int, int>::at(int)+12', 'std::map<int, int>::at(int)', 12, '', 'user'],
])('the frame %j', (line, raw, offset, module, space) => {
  expect(parseFrame(line)).toEqual({ raw, offset, module, space });
});

test.each([
  'vfs_read+12',
  '    fillseq : 1.1 MB/s',
  ', db_bench]: 3',
  '',
  '@[',
  '+12',
  ' *  ip_output+1',
])('%j is no frame', (line) => {
  expect(parseFrame(line)).toBeNull();
});

test('a key of everything', () => {
  const { stacks: all, others } = parseKey(`db_bench, 12, ${WRITE}, ${USER}, x`);
  expect([all.map((stack) => stack.length), others]).toEqual([
    [4, 4],
    ['db_bench', '12', 'x'],
  ]);
});

test.each(['', '(1, 2)', 'text', '1.5'])('%j is no value', (text) => {
  expect(parseValue(text)).toBeNull();
});
