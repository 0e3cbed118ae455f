import { describe, expect, test } from 'vitest';
import { checkBytes, groupCounts, readBytes } from '../../../test/support/check-reader.ts';
import { type PerfField, type PerfSample, perfScript, SAMPLES, selections } from '../../../test/support/perf-output.ts';
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

describe('every selection of fields', () => {
  const HEADER_FIELDS: PerfField[] = ['comm', 'pid', 'tid', 'cpu', 'misc', 'time', 'period', 'event'];
  const samples = withEvent('page-faults', 3, { comm: 'Web Content: a', pid: 196, tid: 196 });
  test.each([5, 7])('gives the same calls, pids padded to %i characters', async (pidWidth) => {
    for (const fields of selections(HEADER_FIELDS)) {
      // Flags stand behind a number, or they cannot be told from the name.
      if (fields.includes('misc') && !fields.some((field) => ['pid', 'tid', 'cpu'].includes(field))) continue;
      const text = perfScript(samples, [...fields, 'ip', 'sym', 'symoff', 'dso'], pidWidth);
      const { census, diagnostics } = await readBytes(text);
      const has = (...names: PerfField[]) => names.some((name) => fields.includes(name));
      const label = `-F ${fields.join()}`;
      expect(diagnostics.examples, label).toEqual([]);
      expect([census.attributed, census.losses], label).toEqual([has('period') && has('event') ? 6 : 2, []]);
      const { comm, pid, cpu } = census.keys.at(census.rows.row(0).key);
      expect([pid, cpu], label).toEqual([has('pid', 'tid') ? 196 : -1, has('cpu') ? 0 : -1]);
      // With nothing but the name in the line `Content:` could be the event.
      if (has('comm') && has('pid', 'tid', 'cpu', 'time', 'event')) expect(comm, label).toBe('Web Content: a');
      if (has('event')) expect(census.targets, label).toEqual(['page-faults']);
      expect(stackOf(census).slice(0, 3), label).toEqual(['rb_insert_color', '__es_insert_extent', 'vfs_write']);
    }
  });
});

describe('how many calls a sample is', () => {
  test('as many as its period says where the event is what happens; one where the period is time or work', async () => {
    const samples = [
      ...withEvent('page-faults', 3),
      ...withEvent('sched:sched_switch', 1),
      ...withEvent('sched:sched_stat_sleep', 4_012_345, { trace: 'comm=alpha pid=412 delay=4012345 [ns]' }),
      ...withEvent('cpu-clock:u', 250_000),
      ...withEvent('branches:u', 99_999),
      ...withEvent('armv8_pmuv3_0/cycles/', 100_003),
    ];
    const { census } = await checkBytes('perf-script', perfScript(samples, [...ALL, 'trace']));
    expect(groupCounts(census, 'target')).toEqual([
      ['page-faults', 6],
      ['armv8_pmuv3_0/cycles/', 2],
      ['branches:u', 2],
      ['cpu-clock:u', 2],
      ['sched:sched_stat_sleep', 2],
      ['sched:sched_switch', 2],
    ]);
    expect(census.facts.notes).toEqual([
      {
        code: 'samples-counted',
        events: ['sched:sched_stat_sleep', 'cpu-clock:u', 'branches:u', 'armv8_pmuv3_0/cycles/'],
      },
    ]);
  });

  test('a period of an event that is not printed could be anything', async () => {
    const { census } = await readBytes(perfScript(withEvent('page-faults', 3), without('event')));
    expect(census.total).toBe(2);
    expect(census.facts.notes).toEqual([{ code: 'samples-counted', events: ['samples'] }]);
  });

  test('a period that perf chose and did not print is missed', async () => {
    const { census } = await readBytes(perfScript(withEvent('page-faults', 3), without('period')));
    expect(census.total).toBe(2);
    expect(census.facts.notes).toEqual([{ code: 'period-not-printed', events: ['page-faults'] }]);
    const breakpoint = await readBytes(perfScript(SAMPLES, without('period')));
    expect(breakpoint.census.facts.notes).toEqual([]);
  });

  test.each([
    ['page-faults', 'beta  31912 page-faults: \n\tffffffff81050abc clear_page_erms+0xc ([kernel.kallsyms])\n'],
    [
      'probe:do_exit',
      'beta 31912 probe:do_exit: (ffffffff81050abc)\n\tffffffff81050abc do_exit+0x0 ([kernel.kallsyms])\n',
    ],
    ['cs', 'beta 31912 cs: \n            ffffffff81050abc __schedule ([kernel.kallsyms])\n'],
    ['two of one', 'beta 31912 faults:\n ffffffff81050abc f (x)\n\nbeta 31912 faults:\n ffffffff81050abc f (x)\n'],
  ])('not as many as the number of its process: %s', async (_what, text) => {
    const { census } = await checkBytes('perf-script', text);
    expect(census.total).toBe(text.split('beta').length - 1);
    expect(groupCounts(census, 'pid')).toEqual([['31912', census.total]]);
    expect(groupCounts(census, 'comm')).toEqual([['beta', census.total]]);
  });
});

describe('what a paste does to a text', () => {
  const text = perfScript(SAMPLES, ALL);
  const untimed = perfScript(withEvent('page-faults', 1), ['comm', 'pid', 'event', 'ip', 'sym', 'dso']);
  const spoilt: [string, (lines: string) => string][] = [
    ['indentation lost', (lines) => lines.replace(/^[ \t]+/gm, '')],
    ['blanks for tabs', (lines) => lines.replaceAll('\t', '        ')],
    ['several blanks made one', (lines) => lines.replace(/(?<=\S) {2,}/g, ' ').replace(/^\t +/gm, '\t')],
    ['an empty line below each header', (lines) => lines.replace(/(:\s*\n)(?=\t)/g, '$1\n')],
    ['two empty lines below each header', (lines) => lines.replace(/(:\s*\n)(?=\t)/g, '$1\n\n')],
    ['every line twice as far from the next', (lines) => lines.replaceAll('\n', '\n\n')],
    ['blanks in the empty lines', (lines) => lines.replace(/^$/gm, '   ')],
    ['no empty lines', (lines) => lines.replaceAll('\n\n', '\n')],
    ['everything indented', (lines) => lines.replace(/^(?=.)/gm, '    ')],
    ['everything indented with tabs', (lines) => lines.replace(/^(?=.)/gm, '\t')],
    ['cut off behind the last frame', (lines) => lines.trimEnd()],
  ];
  test.each(spoilt)('%s', async (_what, spoil) => {
    for (const whole of [text, untimed]) {
      const { census, diagnostics } = await checkBytes('perf-script', spoil(whole));
      const { census: expected } = await readBytes(whole);
      expect(diagnostics.examples).toEqual([]);
      expect(census.losses).toEqual([]);
      for (const by of ['stack', 'comm', 'pid', 'target'] as const) {
        expect(groupCounts(census, by), `by ${by}`).toEqual(groupCounts(expected, by));
      }
    }
  });
});

test('a line inside a stack that cannot be read keeps its place: its caller is not the site', async () => {
  const text = perfScript(SAMPLES, ALL).replace(/\t.*__es_insert_extent.*\n/, '\t<< garbage: more of it >>\n');
  const { census, diagnostics } = await checkBytes('perf-script', text);
  expect(stackOf(census).slice(0, 3)).toEqual(['rb_insert_color', '[unknown]', 'vfs_write']);
  expect(diagnostics.skippedLines).toBe(1);
});

test('a stack below a header that cannot be read is a lost call', async () => {
  const text = perfScript([...SAMPLES, ...SAMPLES], ALL).replace(/^swapper .*/m, '%%% garbage in place of a header');
  const { census, diagnostics } = await checkBytes('perf-script', text);
  expect([census.total, census.losses]).toEqual([4, [{ code: 'event-line-missing', count: 1 }]]);
  expect(diagnostics.skippedLines).toBe(1);
});

test('a recording without call chains says how to get them', async () => {
  const lines = [1, 2, 3].map((i) => `alpha   412 [001]    50.00000${i}:     100003 cycles: \n`);
  const { census, format } = await readBytes(lines.join(''));
  expect([format, census.total, census.attributed]).toEqual(['perf-script', 3, 0]);
  expect(census.facts.notes.map(({ code }) => code)).toContain('no-sample-has-stack');
});

test("simpleperf's report_sample.py prints tabs", async () => {
  const frames = '        b3cea6c4\tLock::unlock() (/system/lib/libc.so)\n        b3cea535\tf (/system/lib/libc.so)\n';
  const text = `Render Thread\t25122 [007] 115539.936601:\t\t1000000 task-clock:u:\n${frames}\n`;
  const { census } = await checkBytes('perf-script', text);
  expect([stackOf(census), census.keys.at(census.rows.row(0).key)]).toEqual([
    ['user Lock::unlock()', 'user f'],
    expect.objectContaining({ comm: 'Render Thread', pid: 25122, cpu: 7 }),
  ]);
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

test.each([
  '#',
  '#1 thread',
  '# a: b',
  ':1234',
  '12',
  'a 7',
  'größe',
  'x[1]',
  '[001]',
])('a process called %s', async (comm) => {
  const { census, diagnostics } = await checkBytes('perf-script', perfScript([{ ...SAMPLES[0]!, comm }], ALL));
  expect(diagnostics.examples).toEqual([]);
  expect(census.keys.at(census.rows.row(0).key)).toMatchObject({ comm, pid: 196, cpu: 0 });
});

test('what is printed below the frames is none', async () => {
  const end = ' ABI:2    AX:0x0\n 0x401b97/0x401b94/P/-/-/0 \n';
  const text = perfScript(SAMPLES, ALL).replaceAll('\n\n', `\n${end}\n`);
  const { census, diagnostics } = await checkBytes('perf-script', text);
  expect(diagnostics.examples).toEqual([]);
  expect(groupCounts(census, 'stack')).toEqual(
    groupCounts((await readBytes(perfScript(SAMPLES, ALL))).census, 'stack'),
  );
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
    'perf   196 [000]    18.100000: PERF_RECORD_COMM: db_bench:196/196',
    'perf   196 [000]    18.150000: PERF_RECORD_MMAP2 196/196: [0x5581(0x1000) @ 0 fe:00 1 1]: r-xp /bin/x',
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
