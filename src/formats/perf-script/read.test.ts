import { describe, expect, test } from 'vitest';
import { checkBytes, groupCounts, readBytes } from '../../../test/support/check-reader.ts';
import { type PerfField, type PerfSample, perfScript, SAMPLES } from '../../../test/support/perf-output.ts';
import type { Census } from '../../census/census.ts';

const ALL: PerfField[] = ['comm', 'pid', 'tid', 'cpu', 'time', 'period', 'event', 'ip', 'sym', 'symoff', 'dso'];
const without = (...fields: PerfField[]) => ALL.filter((field) => !fields.includes(field));

/** The stack of the row of this number, innermost first, user frames marked. */
function stackOf(census: Census, row = 0): string[] {
  const { stacks, symbols } = census;
  return stacks
    .frames(census.rows.row(row).stack)
    .map(({ symbol }) => `${symbols.space(symbol) === 'user' ? 'user ' : ''}${symbols.raw(symbol)}`);
}

function withEvent(event: string, period: number, more: Partial<PerfSample> = {}): PerfSample[] {
  return SAMPLES.map((sample) => ({ ...sample, event, period, ...more }));
}

describe('whatever fields are printed, calls and paths are the same: without', () => {
  const variants: [string, PerfField[]][] = [
    ['nothing', ALL],
    ['tid', without('tid')],
    ['pid', without('pid')],
    ['comm', without('comm')],
    ['cpu', without('cpu')],
    ['time', without('time')],
    ['period', without('period')],
    ['time and period', without('time', 'period')],
    ['time, period and cpu', without('time', 'period', 'cpu')],
    ['pid, tid and time', without('pid', 'tid', 'time')],
    ['comm and time', without('comm', 'time')],
    ['everything but the event', ['event', 'ip', 'sym', 'symoff', 'dso']],
    ['symbol offsets', without('symoff')],
    ['files', without('dso')],
    ['offsets and files', without('symoff', 'dso')],
    ['source lines, but with them', [...ALL, 'srcline']],
  ];
  test.each(variants)('%s', async (_name, fields) => {
    const { census, diagnostics } = await checkBytes('perf-script', perfScript(SAMPLES, fields));
    expect(diagnostics.examples).toEqual([]);
    expect([census.total, census.attributed]).toEqual([2, 2]);
    expect(census.targets).toEqual(['rb_insert_color']);
    expect(groupCounts(census)).toEqual([
      ['__es_insert_extent', 1],
      ['__hrtimer_run_queues', 1],
    ]);
    expect(groupCounts(census, 'entry')).toEqual([
      ['timer interrupt', 1],
      ['write(2)', 1],
    ]);
    const printed = (field: PerfField) => fields.includes(field);
    const comms = printed('comm') ? ['Web Content: a', 'swapper'] : ['(not recorded)'];
    expect(groupCounts(census, 'comm').map(([name]) => name)).toEqual(comms);
    if (printed('pid')) expect(groupCounts(census, 'pid').map(([pid]) => pid)).toEqual(['0', '196']);
    if (printed('cpu')) expect(groupCounts(census, 'cpu').map(([cpu]) => cpu)).toEqual(['0', '1']);
    const stack = stackOf(census);
    expect(stack.slice(0, 6)).toEqual(SAMPLES[0]!.frames.slice(0, 6).map(([, symbol]) => symbol));
    expect(stack.slice(6)).toEqual(SAMPLES[0]!.frames.slice(6).map(([, symbol]) => `user ${symbol}`));
  });
});

test.each([
  ['process and frames', ['comm', 'ip', 'sym', 'dso']],
  ['process, number and frames', ['comm', 'tid', 'ip', 'sym', 'symoff']],
  ['frames', ['ip', 'sym']],
] satisfies [string, PerfField[]][])('nothing printed but %s', async (_name, fields: PerfField[]) => {
  const { census } = await checkBytes('perf-script', perfScript(SAMPLES, fields));
  expect([census.total, census.attributed]).toEqual([2, 2]);
  expect(groupCounts(census, 'entry')).toEqual([
    ['timer interrupt', 1],
    ['write(2)', 1],
  ]);
});

test('a period counts calls where the event is one, and not where it measures time', async () => {
  const calls = [
    ...withEvent('page-faults', 3),
    ...withEvent('sched:sched_switch', 1),
    ...withEvent('cpu-clock', 250000),
  ];
  const { census } = await checkBytes('perf-script', perfScript(calls, ALL));
  expect(groupCounts(census, 'target')).toEqual([
    ['page-faults', 6],
    ['cpu-clock', 2],
    ['sched:sched_switch', 2],
  ]);
});

test.each([
  ['probe:rb_insert_color', 'rb_insert_color'],
  ['probe:rb_insert_color_1', 'rb_insert_color'],
  ['kprobes:p_rb_insert_color_0', 'rb_insert_color'],
  ['probe_mine:other', 'probe_mine:other'],
  ['cycles:ppp', 'cycles:ppp'],
])('the target of event %s is %s', async (event, target) => {
  const { census } = await checkBytes('perf-script', perfScript(withEvent(event, 1), ALL));
  expect(census.targets).toEqual([target]);
});

test('what a tracepoint prints of its own belongs to no field', async () => {
  const trace = 'prev_comm=a b: c prev_pid=1 prev_prio=120 prev_state=S ==> next_comm=d 5.000001: next_pid=2';
  const { census } = await checkBytes(
    'perf-script',
    perfScript(withEvent('sched:sched_switch', 1, { trace }), [...without('period'), 'trace']),
  );
  expect(census.targets).toEqual(['sched:sched_switch']);
  expect(census.attributed).toBe(2);
});

test('frames of kernel images and modules on disk are kernel frames', async () => {
  const files = [
    '/usr/lib/debug/boot/vmlinux-6.1.0-56-amd64',
    '/lib/modules/6.1.0/kernel/fs/ext4/dm-crypt.ko.xz',
    '/proc/kcore',
    '[guest.kernel.kallsyms]',
    '[kernel.vmlinux]',
    '/root/.debug/[kernel.kallsyms]/3bfb1d/kallsyms',
  ];
  const frames = files.map((file, i) => [`ffffffff8e16175${i}`, `f${i}`, 1, file] as const);
  const { census } = await checkBytes('perf-script', perfScript([{ ...SAMPLES[0]!, frames }], ALL));
  expect(stackOf(census)).toEqual(frames.map(([, symbol]) => symbol));
  const modules = census.stacks.frames(census.rows.row(0).stack).map(({ symbol }) => census.symbols.module(symbol));
  expect(modules).toEqual(['', 'dm_crypt', '', '', '', '']);
});

test('frames of user programs are user frames, wherever they lie', async () => {
  const files = [
    '[vdso]',
    '[vsyscall]',
    '[heap]',
    '/tmp/perf-1234.map',
    'inlined',
    '/usr/bin/x (deleted)',
    '[unknown]',
  ];
  const frames = files.map((file, i) => [i === 1 ? 'ffffffffff600000' : '7f21a0', `f${i}`, 1, file] as const);
  const { census } = await checkBytes('perf-script', perfScript([{ ...SAMPLES[0]!, frames }], ALL));
  expect(stackOf(census)).toEqual(frames.map(([, symbol]) => `user ${symbol}`));
});

test('inlined functions are frames', async () => {
  const frames = [...SAMPLES[0]!.frames];
  frames.splice(1, 0, ['ffffffffc0546164', 'ext4_es_store', -1, 'inlined']);
  const { census } = await checkBytes('perf-script', perfScript([{ ...SAMPLES[0]!, frames }], ALL));
  expect(groupCounts(census)).toEqual([['ext4_es_store', 1]]);
});

test('the header says which kernel, how many CPUs and what was recorded', async () => {
  const header = [
    '# ========',
    '# captured on    : Mon Nov 23 04:56:42 2026',
    '# os release : 6.1.0-56-amd64',
    '# nrcpus online : 2',
    '# cmdline : /usr/bin/perf record -e mem:0xffffffff8e7ea5b0:x -ag -- db_bench --num=5000 ',
    '# ========',
    '#',
    '',
  ].join('\n');
  const { census } = await checkBytes('perf-script', header + perfScript(SAMPLES, ALL));
  expect(census.facts.kernels).toEqual(['6.1.0-56-amd64']);
  expect(census.facts.cpus).toBe(2);
  expect(census.facts.commands).toEqual([
    ['/usr/bin/perf', 'record', '-e', 'mem:0xffffffff8e7ea5b0:x', '-ag', '--', 'db_bench', '--num=5000'],
  ]);
});

test('CRLF', async () => {
  const text = perfScript(SAMPLES, ALL);
  const { census, diagnostics } = await checkBytes('perf-script', text.replaceAll('\n', '\r\n'));
  expect(diagnostics.skippedLines).toBe(0);
  expect(groupCounts(census)).toEqual(groupCounts((await readBytes(text)).census));
});

test('records of lost events are losses, other records nothing', async () => {
  const records = [
    'swapper     0 [000]    18.000000: PERF_RECORD_MMAP -1/0: [0xffffffff8de00000(0xe00000) @ 0xffffffff8de00000]: x [kernel.kallsyms]_text',
    'perf   196 [000]    18.100000: PERF_RECORD_COMM exec: db_bench:196/196',
    'perf   196 [000]    18.200000: PERF_RECORD_FORK(197:197):(196:196)',
    'perf   196 [000]    18.300000: PERF_RECORD_LOST lost 12',
    'perf   196 [000]    18.300000: PERF_RECORD_LOST_SAMPLES lost 3',
    '',
  ].join('\n');
  const { census, diagnostics } = await checkBytes('perf-script', records + perfScript(SAMPLES, ALL));
  expect(diagnostics.examples).toEqual([]);
  expect([census.total, census.attributed]).toEqual([17, 2]);
  expect(census.losses).toEqual([{ code: 'ring-buffer-full', count: 15 }]);
});

test('events without call chains: the one frame on their line, or a loss', async () => {
  const text = [
    '            perf   196 [000]    18.873442:          1 mem:0xffffffff8e7ea5b0:x:  ffffffff8e7ea5b0 rb_insert_color+0x0 ([kernel.kallsyms])',
    '         swapper     0 [001]    18.873443:          1 mem:0xffffffff8e7ea5b0:x:  ffffffff8e7ea5b0 rb_insert_color+0x0 ([kernel.kallsyms])',
    '         swapper     0 [001]    18.873444:          1 mem:0xffffffff8e7ea5b0:x: ',
    '',
  ].join('\n');
  const { census } = await checkBytes('perf-script', text);
  expect([census.total, census.attributed]).toEqual([3, 2]);
  expect(census.losses).toEqual([{ code: 'sample-without-stack', count: 1 }]);
  expect(groupCounts(census, 'comm')).toEqual([
    ['perf', 1],
    ['swapper', 1],
  ]);
});

test('a stack whose event line is damaged is a loss; the others are read', async () => {
  const text = perfScript([...SAMPLES, ...SAMPLES], ALL).replace(/\nswapper .*\n/, '\n');
  const { census } = await readBytes(text);
  expect([census.total, census.attributed]).toEqual([4, 3]);
  expect(census.losses).toEqual([{ code: 'event-line-missing', count: 1 }]);
});

test('empty lines between events may be missing', async () => {
  const text = perfScript(SAMPLES, ALL).replaceAll('\n\n', '\n');
  const { census } = await checkBytes('perf-script', text);
  expect(groupCounts(census)).toEqual(groupCounts((await readBytes(perfScript(SAMPLES, ALL))).census));
});

test('an unresolved kernel address keeps its place', async () => {
  const frames = [...SAMPLES[1]!.frames];
  frames[2] = ['ffffffffc0318083', '[unknown]', -1, '[unknown]'];
  const { census } = await checkBytes('perf-script', perfScript([{ ...SAMPLES[1]!, frames }], ALL));
  expect(stackOf(census)[2]).toBe('[unknown]');
});
