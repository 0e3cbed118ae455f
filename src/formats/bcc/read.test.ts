import { describe, expect, test } from 'vitest';
import { checkBytes, groupCounts, readBytes } from '../../../test/support/check-reader.ts';
import type { Census } from '../../census/census.ts';
import { parseFrame, parseHead } from './grammar.ts';

const WRITE = ['vfs_write', 'ksys_write', 'do_syscall_64', 'entry_SYSCALL_64_after_hwframe'];
const READ = ['vfs_read', 'ksys_read', 'do_syscall_64', 'entry_SYSCALL_64_after_hwframe'];
const WAIT = ['finish_task_switch', 'schedule', 'worker_thread', 'kthread', 'ret_from_fork'];

/** Lines of frames, `blanks` in. */
const lines = (names: readonly string[], blanks: number) =>
  names.map((name) => `${' '.repeat(blanks)}${name}\n`).join('');

/** What stackcount prints of one stack. */
const counted = (names: readonly string[], count: number, task = '') =>
  `${lines(names, 2)}${task === '' ? '' : `    ${task}\n`}    ${count}\n\n`;
/** What profile and offcputime print of one. */
const timed = (names: readonly string[], value: number, task = '-                db_bench (407)') =>
  `${lines(names, 4)}    ${task}\n        ${value}\n\n`;

const STACKCOUNT = 'Tracing 1 functions for "vfs_*"... Hit Ctrl-C to end.\n^C\n';
const OFFCPU = 'Tracing off-CPU time (us) of all threads by user + kernel stack... Hit Ctrl-C to end.\n^C\n';
const PROFILE = 'Sampling at 49 Hertz of all threads by user + kernel stack... Hit Ctrl-C to end.\n^C\n';

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
      .join(' '),
  );
}

describe('stackcount', () => {
  test('of processes (-P), with user stacks, delimited (-d) or not', async () => {
    const user = ['__write', 'std::string::append(char const*)', 'main'];
    for (const between of [[], ['  --']]) {
      const text =
        STACKCOUNT + counted([...WRITE, ...between, ...user], 3, 'db_bench [407]') + counted(READ, 2, 'a b [1]');
      const { census, diagnostics } = await checkBytes('bcc', text);
      expect(census.total).toBe(5);
      expect(groupCounts(census, 'comm')).toEqual([
        ['db_bench', 3],
        ['a b', 2],
      ]);
      expect(groupCounts(census, 'pid').map(([pid]) => pid)).toEqual(['407', '1']);
      expect(stacks(census)[0]).toBe(`${WRITE.join(' ')} user ${user.join(' user ')}`);
      expect(diagnostics.examples).toEqual([]);
    }
  });

  test.each([
    ['addresses (-v)', (name: string) => `ffffffff8e1617b5 ${name}`],
    ['offsets (-s)', (name: string) => `${name}+0x1f`],
  ])('with %s', async (_what, change) => {
    const { census } = await readBytes(STACKCOUNT + counted(WRITE.map(change), 3) + counted(WRITE.map(change), 4));
    expect([census.total, census.targets]).toEqual([7, ['vfs_write']]);
    expect(groupCounts(census, 'entry')).toEqual([['write(2)', 7]]);
  });

  test('intervals (-i, -T) add up', async () => {
    const text = `${STACKCOUNT}12:01:02\n${counted(WRITE, 3)}\n12:01:03\n${counted(WRITE, 2)}${counted(READ, 1)}Detaching...\n`;
    const { census, diagnostics } = await checkBytes('bcc', text);
    expect(census.total).toBe(6);
    expect(diagnostics.examples).toEqual([]);
  });

  test('without its head', async () => {
    const { census } = await checkBytes('bcc', counted(WRITE, 3) + counted(WRITE.slice(0, 2), 1));
    expect([census.total, census.targets]).toEqual([4, ['vfs_write']]);
  });

  test.each([
    ['vfs_write', 'vfs_write'],
    ['t:syscalls:sys_enter_write', 'syscalls:sys_enter_write'],
    ["b'vfs_write'", 'vfs_write'],
  ])('its head names the target: %s', async (probe, target) => {
    const head = `Tracing 1 functions for "${probe}"... Hit Ctrl-C to end.\n\n`;
    const { census } = await readBytes(head + counted(WRITE, 3));
    expect([census.targets, census.facts.notes]).toEqual([[target], []]);
  });
});

describe('microseconds are a measure, never calls', () => {
  test('of offcputime', async () => {
    const text =
      OFFCPU + timed(WAIT, 1234) + timed([...WAIT.slice(0, 2), 'do_nanosleep', ...WRITE.slice(2), '--', 'sleep'], 20);
    const { census } = await checkBytes('bcc', text);
    expect(census.total).toBe(2);
    expect(sums(census)).toEqual([['off-cpu', 'microseconds', 1254]]);
    expect(census.targets).toEqual(['finish_task_switch']);
    expect(groupCounts(census, 'comm')).toEqual([['db_bench', 2]]);
    expect(stacks(census)[1]?.endsWith('entry_SYSCALL_64_after_hwframe user sleep')).toBe(true);
    expect(census.facts.notes).toContainEqual({
      code: 'no-sample-counts',
      value: 'off-cpu',
      unit: 'microseconds',
      every: 0,
    });
  });

  test('of older versions, with nothing but a name below', async () => {
    const { census } = await readBytes(OFFCPU + timed(WAIT, 12, 'kworker/0:1'));
    expect(groupCounts(census, 'comm')).toEqual([['kworker/0:1', 1]]);
    expect(stacks(census)).toEqual([WAIT.join(' ')]);
  });

  test("of wakeuptime: the stack is the waker's", async () => {
    const text = `Tracing blocked time (us) by kernel stack... Hit Ctrl-C to end.\n^C\n    target:          vmstat\n${lines(
      WRITE.map((name) => `ffffffff810df082 ${name}`),
      4,
    )}    waker:           swapper/1\n        4000415\n\n`;
    const { census } = await checkBytes('bcc', text);
    expect([census.targets, groupCounts(census, 'comm')]).toEqual([['try_to_wake_up'], [['swapper/1', 1]]]);
    expect(groupCounts(census, 'argument')).toEqual([['target vmstat', 1]]);
    expect(sums(census)).toEqual([['blocked', 'microseconds', 4000415]]);
  });

  test('of offwaketime: the stack is that of the task that waited', async () => {
    const text = `Tracing blocked time (us) by kernel off-CPU and waker stack for 5 secs.\n\n    waker:           swapper/0 0\n${lines(
      WRITE,
      4,
    )}    --               --\n${lines(WAIT, 4)}    target:          cksum 12\n        56529\n\n`;
    const { census } = await readBytes(text);
    expect(stacks(census)).toEqual([WAIT.join(' ')]);
    expect(groupCounts(census, 'comm')).toEqual([['cksum', 1]]);
    expect(groupCounts(census, 'argument')).toEqual([['waker swapper/0', 1]]);
  });
});

test('profile counts samples of the clock', async () => {
  const text = `${PROFILE}${timed(WRITE, 5)}${timed(['[Missed Kernel Stack]'], 2)}${timed(['[Missed Kernel Stack]', '--', 'main'], 1)}WARNING: 3 stack traces could not be displayed. Consider increasing --stack-storage-size.\n`;
  const { census, diagnostics } = await readBytes(text);
  expect([census.total, census.attributed, census.targets]).toEqual([8, 6, ['cpu-clock']]);
  expect(census.losses).toEqual([{ code: 'no-stack', count: 2 }]);
  expect(census.facts.notes).toEqual([{ code: 'samples-counted', events: ['cpu-clock'] }]);
  expect(diagnostics.examples).toEqual([]);
});

test('memleak lists again what is still allocated: the last listing counts', async () => {
  const listing = (time: string, count: number) =>
    `[${time}] Top 2 stacks with outstanding allocations:\n\t${16 * count} bytes in ${count} allocations from stack\n\t\t0xffffffff8e1617b5\t__kmalloc+0x6d [kernel]\n\t\t0xffffffffc0321234\tx_probe+0x1 [mymodule]\n\t4096 bytes in 1 allocations from stack\n\t\tmain+0x6d [allocs]\n\t\t__libc_start_main+0xf0 [libc-2.21.so]\n`;
  const { census } = await checkBytes(
    'bcc',
    `Attaching to kernel allocators, Ctrl+C to quit.\n${listing('11:16:33', 5)}${listing('11:16:38', 7)}`,
  );
  expect(census.total).toBe(8);
  expect(sums(census)).toEqual([['bytes', 'bytes', 4208]]);
  expect(stacks(census)).toEqual(['__kmalloc x_probe', 'user main user __libc_start_main']);
  expect(census.facts.notes).toContainEqual({ code: 'listed-again', listings: 2 });
});

describe('trace', () => {
  const HEAD = 'TIME     CPU PID     TID     COMM            FUNC             -\n';
  const record = (called: string, more = '') =>
    `12:01:02 1   1585    1586    a b             ${called.padEnd(16)} ${more}\n`;
  const stack = (names: readonly string[]) => `${names.map((name) => `        ${name}+0x1 [kernel]\n`).join('')}\n`;

  test('a record with a stack (-K) is a call', async () => {
    const text =
      HEAD + record('vfs_write', 'x y') + stack(WRITE) + record('block_rq_issue') + stack(READ) + record('vfs_write');
    const { census } = await checkBytes('bcc', text);
    expect([census.total, census.attributed]).toEqual([3, 2]);
    expect(census.losses).toEqual([{ code: 'event-without-stack', count: 1 }]);
    expect(groupCounts(census, 'target').map(([name]) => name)).toEqual(['block:block_rq_issue', 'vfs_write']);
    expect(groupCounts(census, 'comm')).toEqual([['a b', 2]]);
    expect(groupCounts(census, 'pid')).toEqual([['1586', 2]]);
    expect(groupCounts(census, 'cpu')).toEqual([['1', 2]]);
  });

  test('aggregated (-A)', async () => {
    const text = `PID     TID     COMM            FUNC             -\n1585    1585    ssh             vfs_write        \n${stack(WRITE).trimEnd()}\n-->COUNT 12\n\n`;
    const { census } = await readBytes(text);
    expect(census.total).toBe(12);
  });

  test('tcpdrop prints stacks in the same way', async () => {
    const head = 'TIME     PID    IP SADDR:SPORT          > DADDR:DPORT          STATE (FLAGS)\n';
    const drop =
      '20:49:06 12     4  10.32.119.56:443     > 10.66.65.252:22912   CLOSE (ACK)\n\ttcp_drop+0x1\n\ttcp_v4_do_rcv+0x8d\n\n';
    const { census } = await checkBytes('bcc', head + drop + drop);
    expect([census.total, census.targets]).toEqual([2, ['tcp_drop']]);
    expect(groupCounts(census, 'pid')).toEqual([['12', 2]]);
  });

  test('without stacks is refused, with what to do', async () => {
    await expect(readBytes(HEAD + record('vfs_write').repeat(3))).rejects.toThrow(
      /no record has a stack; trace -K takes them/,
    );
  });
});

describe('what stands around', () => {
  test('a session with prompts and prose', async () => {
    const text = `# ./stackcount -P x\n${counted(WRITE, 3)}The output above\nshows calls.\n\n  indented prose\n    12\n\n# ./profile -d\n^C\n${timed(READ, 2)}`;
    const { census } = await readBytes(STACKCOUNT + text);
    expect(census.total).toBe(5);
  });

  test('an output that was cut off', async () => {
    const { census, diagnostics } = await readBytes(STACKCOUNT + counted(WRITE, 3) + lines(READ, 2));
    expect([census.total, census.attributed]).toEqual([4, 3]);
    expect(census.losses).toEqual([{ code: 'trace-without-frames', count: 1 }]);
    expect(diagnostics.examples).toMatchObject([{ why: 'a stack without a number' }]);
  });

  test('histograms have the same head, and no stacks', async () => {
    const text = `${STACKCOUNT}\n     nsecs               : count     distribution\n         0 -> 1          : 0        |                    |\n`;
    await expect(readBytes(text)).rejects.toThrow(/no stacks .*looks like a histogram/);
  });

  test('a full table is a warning', async () => {
    const { census } = await readBytes(
      `${PROFILE}${timed(WRITE, 5)}WARNING: hash table full. Consider increasing --hash-storage-size.\n`,
    );
    expect(census.facts.warnings).toEqual([{ code: 'maps-were-full' }]);
  });
});

test.each([
  ['  vfs_write', 'vfs_write', -1, '', null],
  ["    b'schedule'", 'schedule', -1, '', null],
  ['    ffffffff810df082 hrtimer_wakeup', 'hrtimer_wakeup', -1, '', 'kernel'],
  ['    0xffffffff810df082 hrtimer_wakeup+0x1c', 'hrtimer_wakeup', 28, '', 'kernel'],
  ['        do_sys_open+0x1 [kernel]', 'do_sys_open', 1, '', 'kernel'],
  ['        __open_nocancel+0x7 [libc-2.17.so]', '__open_nocancel', 7, 'libc-2.17.so', 'user'],
  [
    '              627fef folly::FunctionScheduler::run()+0x46f [router]',
    '627fef folly::FunctionScheduler::run()',
    1135,
    'router',
    null,
  ],
  ['  JavaCalls::call(Handle, Symbol*)', 'JavaCalls::call(Handle, Symbol*)', -1, '', null],
  ['  [unknown]', '[unknown]', -1, '', null],
])('the frame %j', (line, raw, offset, module, space) => {
  expect(parseFrame(line)).toEqual({ raw, offset, module, space });
});

test.each(['Once upon a time', 'Tracing block I/O... Hit Ctrl-C to end.', 'PID COMM', ''])('%j is no head', (line) => {
  expect(parseHead(line)).toBeNull();
});
