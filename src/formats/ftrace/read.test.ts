import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { checkBytes, groupCounts, readBytes } from '../../../test/support/check-reader.ts';
import { recording } from '../../../test/support/recordings.ts';
import type { Census } from '../../census/census.ts';

const REAL = gunzipSync(readFileSync(recording('ftrace.txt.gz'))).toString('latin1');

/** A record of a task on a CPU, its context given in full, and the frames below it. */
function record(
  content: string,
  { comm = 'bash', pid = 140, cpu = 1, flags = 'd..2.', time = '52.443379' } = {},
): string {
  const head = `${comm.padStart(16)}-${String(pid).padEnd(7)} [${String(cpu).padStart(3, '0')}] ${flags}`;
  return `${head} ${time.padStart(12)}: ${content}\n`;
}

const frames = (...names: string[]) => names.map((name) => ` => ${name}\n`).join('');
const WRITE = frames('vfs_write', 'ksys_write', 'do_syscall_64', 'entry_SYSCALL_64_after_hwframe');
const READ = frames('vfs_read', 'ksys_read', 'do_syscall_64', 'entry_SYSCALL_64_after_hwframe');
const STACK = '<stack trace>';
const HEADER = '# tracer: function\n#\n';

/** Target, frames and count of every row. */
function rows(census: Census): [string | undefined, string, number][] {
  const { stacks, symbols, targets } = census;
  return [...census.rows].map(({ stack, target, count }) => {
    const names = stacks.frames(stack).map(({ symbol }) => symbols.raw(symbol));
    return [targets[target], names.join(' '), count];
  });
}

describe('forms of one trace say the same', () => {
  const variants: [string, (text: string) => string][] = [
    ['four flags', (text) => text.replace(/ ([dD.][.N][.hHs]\d)\. /g, ' $1 ')],
    ['no flags (irq-info off)', (text) => text.replace(/ [dD.][.N][.hHs]\d\. /g, ' ')],
    ['thread groups (record-tgid)', (text) => text.replace(/ (\[00[01]\])/g, ' (    140) $1')],
    ['nanoseconds', (text) => text.replace(/(\.\d{6}): /g, '$1000: ')],
    ['addresses (sym-addr)', (text) => text.replace(/^ => (\S+)$/gm, ' => $1 <ffffffff8e1617b5>')],
    ['trace_pipe, no header', (text) => text.replace(/^#.*\n/gm, '')],
    ['lines of DOS', (text) => text.replaceAll('\n', '\r\n')],
    ['a paste, indented', (text) => text.replace(/^/gm, '    ')],
    [
      'trace-cmd',
      (text) =>
        text
          .replaceAll(': <stack', ': kernel_stack:         <stack')
          .replace(/^ => (.*)$/gm, '=> $1 (ffffffff8e1617b5)'),
    ],
    [
      'latency-format',
      (text) => text.replace(/^(.*?-\d+) +\[00([01])\] (\S+) +(\d+)\.(\d{6}): /gm, '$1   $2$3 $4$5us+: '),
    ],
  ];
  test.each(variants)('%s', async (_name, change) => {
    const changed = change(REAL);
    expect(changed).not.toBe(REAL);
    const { census, diagnostics } = await readBytes(changed);
    const whole = (await readBytes(REAL)).census;
    expect(diagnostics.examples).toEqual([]);
    expect([census.total, census.attributed]).toEqual([459, 459]);
    for (const by of ['site', 'comm', 'cpu', 'pid', 'target']) {
      expect(groupCounts(census, by), by).toEqual(groupCounts(whole, by));
    }
  });

  test('offsets (sym-offset), and the module they bring', async () => {
    const text = REAL.replace(/^ => ([a-z_]\w+)$/gm, ' => $1+0x1f/0x2a0 [ext4]').replace(
      /(\S+) <-(\S+)$/gm,
      '$1+0x0/0x3d0 <-$2+0x85/0x190',
    );
    const { census } = await readBytes(text);
    expect([census.total, census.targets]).toEqual([459, ['enqueue_task_fair']]);
    expect(groupCounts(census)).toEqual(groupCounts((await readBytes(REAL)).census));
  });

  test('without any context', async () => {
    const text = REAL.replace(/^.*?\d\.\d{6}: /gm, '');
    const { census } = await readBytes(text);
    expect([census.total, census.attributed]).toEqual([459, 459]);
    expect(groupCounts(census, 'comm')).toEqual([['(not recorded)', 459]]);
  });
});

describe('a stack belongs to the record before it on its CPU', () => {
  test('records of two CPUs are mixed', async () => {
    const text =
      HEADER +
      record('vfs_write <-ksys_write', { cpu: 0, comm: 'a' }) +
      record('vfs_read <-ksys_read', { cpu: 1, comm: 'b' }) +
      record(STACK, { cpu: 0, comm: 'a' }) +
      WRITE +
      record(STACK, { cpu: 1, comm: 'b' }) +
      READ;
    const { census } = await checkBytes('ftrace', text);
    expect(groupCounts(census, 'comm')).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    expect(rows(census).map(([target, stack]) => [target, stack.split(' ')[0]])).toEqual([
      ['vfs_write', 'vfs_write'],
      ['vfs_read', 'vfs_read'],
    ]);
  });

  test('an interrupt comes in between, with a record and a stack of its own', async () => {
    const text =
      HEADER +
      record('sched_wakeup: comm=x') +
      record('sched_wakeup: comm=y', { flags: 'd.h3.' }) +
      record(STACK, { flags: 'd.h3.' }) +
      frames('ttwu_do_wakeup', 'hrtimer_wakeup') +
      record(STACK) +
      frames('ttwu_do_wakeup', 'wake_up_q');
    const { census } = await checkBytes('ftrace', text);
    expect([census.total, census.targets]).toEqual([2, ['sched:sched_wakeup']]);
    expect(rows(census).map(([, stack]) => stack)).toEqual([
      'ttwu_do_wakeup hrtimer_wakeup',
      'ttwu_do_wakeup wake_up_q',
    ]);
  });

  test('frames that name another tracepoint are not those of the record', async () => {
    const text =
      HEADER +
      record('sched_waking: comm=x') +
      record('sched_wakeup: comm=x') +
      record(STACK) +
      frames('__traceiter_sched_waking', 'try_to_wake_up', 'wake_up_q');
    const { census } = await readBytes(text);
    expect(rows(census)).toEqual([['sched:sched_waking', 'try_to_wake_up wake_up_q', 1]]);
    expect(census.facts.notes).toEqual([{ code: 'events-left-out', events: ['sched_wakeup'], records: 1 }]);
  });

  test('a stack without a record is a call of its innermost function', async () => {
    const { census } = await checkBytes('ftrace', HEADER + record(STACK) + WRITE + record(STACK) + READ);
    expect(census.targets).toEqual(['vfs_write', 'vfs_read']);
  });

  test('frames without a record are a loss', async () => {
    const { census, diagnostics } = await readBytes(READ + record('vfs_write <-ksys_write') + record(STACK) + WRITE);
    expect([census.total, census.attributed]).toEqual([2, 1]);
    expect(census.losses).toEqual([{ code: 'trace-start-missing', count: 1 }]);
    expect(diagnostics.skippedLines).toBe(1);
  });

  test('a frame that cannot be read keeps its place', async () => {
    const torn = frames('vfs_write', '<garbage in the middle', 'ksys_write');
    const { census, diagnostics } = await readBytes(HEADER + record('vfs_write <-ksys_write') + record(STACK) + torn);
    expect(rows(census)).toEqual([['vfs_write', 'vfs_write [unknown] ksys_write', 1]]);
    expect(diagnostics.examples).toMatchObject([{ line: 6, why: 'not a frame of ftrace' }]);
  });
});

describe('user stacks', () => {
  const USER = ' =>  <00007f1b2c3d4e5f>\n => /usr/lib/libc.so.6[+0x10a3f]\n';

  test('follow those of the kernel', async () => {
    const call = record('vfs_write <-ksys_write') + record(STACK) + WRITE + record('<user stack trace>') + USER;
    const { census } = await checkBytes('ftrace', HEADER + call + call);
    expect(rows(census)).toEqual([
      ['vfs_write', 'vfs_write ksys_write do_syscall_64 entry_SYSCALL_64_after_hwframe 0x00007f1b2c3d4e5f 0x10a3f', 2],
    ]);
  });

  test('stand alone', async () => {
    const { census } = await checkBytes(
      'ftrace',
      HEADER + record('sys_enter: NR 1') + record('<user stack trace>') + USER,
    );
    expect(rows(census)).toEqual([['raw_syscalls:sys_enter', '0x00007f1b2c3d4e5f 0x10a3f', 1]]);
  });
});

describe('targets', () => {
  const target = async (content: string, stack: string) => {
    const { census } = await readBytes(HEADER + record(content) + record(STACK) + stack);
    return rows(census)[0];
  };

  test('a tracepoint has the system that the recorder names', async () => {
    const stack = frames(
      'trace_event_raw_event_softirq',
      '__traceiter_softirq_raise',
      'raise_softirq',
      'run_local_timers',
    );
    expect(await target('softirq_raise: vec=1', stack)).toEqual([
      'irq:softirq_raise',
      'raise_softirq run_local_timers',
      1,
    ]);
    expect((await target('sys_enter_write: fd: 1', WRITE))?.[0]).toBe('syscalls:sys_enter_write');
    expect((await target('an_event_of_mine: x=1', WRITE))?.[0]).toBe('events:an_event_of_mine');
  });

  test('a kprobe is the function it lies on', async () => {
    const stack =
      frames('kprobe_trace_func', 'kprobe_dispatcher', 'kprobe_ftrace_handler', '0xffffffffc0318083') + WRITE;
    expect(await target('p_x: (vfs_write+0x4/0x1a0) n=1', stack)).toEqual([
      'vfs_write',
      'vfs_write ksys_write do_syscall_64 entry_SYSCALL_64_after_hwframe',
      1,
    ]);
  });

  test('a function that left no frame is put in front of its caller', async () => {
    expect(await target('rw_verify_area <-vfs_write', frames('[FTRACE TRAMPOLINE]') + WRITE)).toEqual([
      'rw_verify_area',
      'rw_verify_area vfs_write ksys_write do_syscall_64 entry_SYSCALL_64_after_hwframe',
      1,
    ]);
  });
});

describe('records without stacks', () => {
  test('of the function tracer have a path of one frame, and that is said', async () => {
    const text =
      HEADER + record('vfs_write <-ksys_write').repeat(20) + record('vfs_read <-ksys_read (repeats: 7, last_ts: 1.5)');
    const { census } = await checkBytes('ftrace', text);
    expect([census.total, census.attributed]).toEqual([27, 27]);
    expect(census.facts.notes).toEqual([{ code: 'caller-only', calls: 27 }]);
    expect(groupCounts(census)).toEqual([
      ['ksys_write', 20],
      ['ksys_read', 7],
    ]);
  });

  test('of an event that has some are lost', async () => {
    const text = HEADER + record('sched_wakeup: x').repeat(3) + record(STACK) + WRITE;
    const { census } = await checkBytes('ftrace', text);
    expect(census.losses).toEqual([{ code: 'event-without-stack', count: 2 }]);
  });

  test('of other events are no targets', async () => {
    const text = HEADER + record('sched_switch: x') + record('sched_wakeup: x') + record(STACK) + WRITE;
    const { census } = await checkBytes('ftrace', text);
    expect(census.targets).toEqual(['sched:sched_wakeup']);
    expect(census.facts.notes).toEqual([{ code: 'events-left-out', events: ['sched_switch'], records: 1 }]);
  });

  test('of events alone are refused, with what to do', async () => {
    const text = record('sched_wakeup: x').repeat(10);
    await expect(readBytes(text)).rejects.toThrow(/no record has a stack; echo 1 > .*stacktrace/);
  });

  test('function_graph is refused, with the reason', async () => {
    const text =
      '# tracer: function_graph\n#\n# CPU  DURATION                  FUNCTION CALLS\n 0)               |  vfs_write() {\n 0)   0.123 us    |    rw_verify_area();\n';
    await expect(readBytes(text)).rejects.toThrow(/function_graph, which tells what functions call and not who calls/);
    await expect(readBytes(text.replace(/^#.*\n/gm, ''))).rejects.toThrow(/function_graph/);
  });
});

describe('what the buffer lost', () => {
  const CALL = record('vfs_write <-ksys_write') + record(STACK) + WRITE;

  test('was overwritten: a call has two entries', async () => {
    const header = '# tracer: function\n#\n# entries-in-buffer/entries-written: 4/24   #P:2\n#\n';
    const { census } = await checkBytes('ftrace', header + CALL.repeat(2));
    expect(census.losses).toEqual([{ code: 'trace-overrun', count: 10 }]);
    expect(census.facts.notes).toEqual([{ code: 'trace-entries-estimated', entries: 20, calls: 10 }]);
  });

  test('of functions without stacks has one entry a call', async () => {
    const { census } = await readBytes(`CPU:1 [LOST 7 EVENTS]\n${record('vfs_write <-ksys_write')}`);
    expect(census.losses).toEqual([{ code: 'trace-overrun', count: 7 }]);
  });

  test('was told by trace_pipe and trace-cmd', async () => {
    const text = `CPU:1 [LOST 6 EVENTS]\n${CALL}CPU:0 [4 EVENTS DROPPED]\n${CALL}CPU:0 [LOST EVENTS]\n`;
    const { census, diagnostics } = await checkBytes('ftrace', text);
    expect(census.losses).toEqual([{ code: 'trace-overrun', count: 5 }]);
    expect(census.facts.warnings).toEqual([{ code: 'trace-entries-lost' }]);
    expect(diagnostics.skippedLines).toBe(0);
  });

  test('is in the buffer, and not in a file that was cut off', async () => {
    const { census } = await readBytes(REAL.slice(0, REAL.indexOf('52.460147')));
    const { total, attributed } = census;
    expect([total, attributed]).toEqual([459, 5]);
    expect(census.losses).toEqual([{ code: 'not-listed', count: 454 }]);
  });
});

test('what the wakeup tracer prints of tasks is no record of another CPU', async () => {
  const text = `# tracer: wakeup\n#\n  <idle>-0       3d.h4    0us :      0:120:R   + [003]  2446: 94:R sleep\n  <idle>-0       3d.h4    1us+: vfs_write <-ksys_write\n`;
  const { census } = await readBytes(text);
  expect(groupCounts(census, 'cpu')).toEqual([['3', 1]]);
  expect(census.facts.notes).toContainEqual({ code: 'events-left-out', events: ['wakeup'], records: 1 });
});

test('a process may be called like anything', async () => {
  const comms = ['#', 'a b-1', 'x [001] y', '=>', '<...>', 'ä'];
  const text =
    HEADER + comms.map((comm) => record('vfs_write <-ksys_write', { comm }) + record(STACK, { comm }) + WRITE).join('');
  const { census } = await readBytes(text);
  expect(census.total).toBe(6);
  const known = groupCounts(census, 'comm').map(([comm]) => comm);
  expect(known.sort()).toEqual(['#', '(not recorded)', '=>', 'a b-1', 'x [001] y', 'ä']);
});
