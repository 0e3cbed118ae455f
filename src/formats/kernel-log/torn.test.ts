import { describe, expect, test } from 'vitest';
import { checkBytes, groupCounts, readBytes } from '../../../test/support/check-reader.ts';
import { DUMPS, PRINTERS, printed } from '../../../test/support/kernel-log.ts';
import { kernelKnowledge } from '../../atlas/knowledge.ts';
import type { Census } from '../../census/census.ts';
import { groupCensus } from '../../census/group.ts';

const dmesg = PRINTERS.dmesg!;

async function read(text: string) {
  return checkBytes('dmesg', printed(text.trim().split('\n'), dmesg));
}

/** Names of all frames, doubted ones marked. */
function stacks(census: Census): string[] {
  return [...census.rows].map((row) =>
    census.stacks
      .frames(row.stack)
      .map(({ symbol, unreliable }) => `${unreliable ? '? ' : ''}${census.symbols.name(symbol)}`)
      .join(' '),
  );
}

function doubted(census: Census): { doubted: number; partial: number } {
  const { doubted, partial } = groupCensus(census, { by: 'site', knowledge: kernelKnowledge() });
  return { doubted, partial };
}

describe('one torn trace is one call', () => {
  test('however many messages of others come between its lines', async () => {
    const other = (i: number) => (i % 5 ? `usb 1-${i}: device descriptor read/64, error -71` : '');
    const { census } = await read(
      DUMPS.slice(1, 33)
        .flatMap((text, i) => [text, other(3 * i), other(3 * i + 1), other(3 * i + 2)])
        .join('\n'),
    );
    expect([census.total, census.lost]).toEqual([1, 0]);
    expect(groupCounts(census, 'site')).toEqual([['__hrtimer_run_queues', 1]]);
    expect(doubted(census).doubted).toBe(0);
  });

  test('even where its beginning is missing, and it goes on after other messages', async () => {
    const { census } = await read(
      ' vfs_read+0x1/0x2\nbinder: 1\n ksys_read+0x1/0x2\nbinder: 2\n\n do_syscall_64+0x1/0x2',
    );
    expect(census.losses).toEqual([{ code: 'trace-start-missing', count: 1 }]);
    expect(census.total).toBe(1);
  });

  test('a report announced between its lines is of the next', async () => {
    const { census } = await read(`
CPU: 1 PID: 11 Comm: alpha Not tainted 4.16.0 #1
Call Trace:
 dump_stack+0x194/0x24d
 tap_open+0x10/0x20
FAULT_INJECTION: forcing a failure.
 vfs_open+0x10/0x20
 entry_SYSCALL_64_after_hwframe+0x10/0x20
CPU: 0 PID: 12 Comm: beta Not tainted 4.16.0 #1
Call Trace:
 dump_stack+0x194/0x24d
 should_fail+0x194/0x24d
 tap_poll+0x10/0x20
 entry_SYSCALL_64_after_hwframe+0x10/0x20`);
    expect(stacks(census)).toEqual([
      'tap_open vfs_open entry_SYSCALL_64_after_hwframe',
      'tap_poll entry_SYSCALL_64_after_hwframe',
    ]);
    expect(groupCounts(census, 'report')).toEqual([
      ['(no report)', 1],
      ['fault injection', 1],
    ]);
    expect(census.lost).toBe(0);
  });

  test('two that are printed at once, without caller ids, are two; the second is doubted', async () => {
    const { census } = await read(`
CPU: 1 PID: 11 Comm: alpha Not tainted 4.16.0 #1
Call Trace:
 dump_stack+0x194/0x24d
 tap_open+0x10/0x20
CPU: 0 PID: 12 Comm: beta Not tainted 4.16.0 #1
 vfs_open+0x10/0x20
RIP: 0010:tap_poll+0x10/0x20
Call Trace:
 do_dentry_open+0x10/0x20
 __napi_poll+0x10/0x20
 entry_SYSCALL_64_after_hwframe+0x10/0x20
 ret_from_fork+0x10/0x20`);
    expect([census.total, census.attributed]).toEqual([2, 2]);
    expect(doubted(census)).toEqual({ doubted: 2, partial: 2 });
  });
});

test('printk messages dropped, on the line of what comes next', async () => {
  const { census } = await checkBytes(
    'dmesg',
    '[    1.000001] audit: 210 callbacks suppressed\n** 2158 printk messages dropped ** [    1.000002] Call Trace:\n[    1.000003]  tap_read+0x1/0x2\n** 31 printk messages dropped ** [    1.000004]  vfs_read+0x1/0x2\n',
  );
  expect(stacks(census)).toEqual(['tap_read ? [unread]']);
  expect([census.total, census.lost]).toEqual([1, 0]);
  expect(census.facts.notes).toContainEqual({ code: 'log-lines-dropped', lines: 2189 });
});

test('messages that lost their line break', async () => {
  const text =
    '[    1.000001] Workqueue: events tap[    1.000002] Call Trace:\n[    1.000003]  tap_read+0x1/0x2\n[    1.000004]  vfs_read+0x1/0x2\n';
  const { census } = await checkBytes('dmesg', text);
  expect(stacks(census)).toEqual(['tap_read vfs_read']);
  expect((await readBytes(text.replace('[    1.000002] Call', '00000Call'))).census.total).toBe(1);
});

describe('a trace that was read in part', () => {
  const log = (line: string) =>
    `Call Trace:\n dump_stack_lvl+0x1/0x2\n tap_read+0x1/0x2\n${line}\n vfs_read+0x1/0x2\n entry_SYSCALL_64_after_hwframe+0x1/0x2`;

  test.each([' ksys_re', ' ksys_read+0x1', '[<ffffff ksys_read'])('is doubted, and says so: %s', async (line) => {
    const { census, diagnostics } = await read(log(line));
    // An offset without the size is a frame.
    const isFrame = line.includes('+0x');
    expect(stacks(census)).toEqual([
      `tap_read ${isFrame ? 'ksys_read' : '? [unread]'} vfs_read entry_SYSCALL_64_after_hwframe`,
    ]);
    expect(doubted(census)).toEqual(isFrame ? { doubted: 0, partial: 0 } : { doubted: 1, partial: 1 });
    expect(diagnostics.skippedLines).toBe(isFrame ? 0 : 1);
  });

  test('is whole where the lines are of what was interrupted', async () => {
    const { census } = await read(`
Call Trace:
 <IRQ>
 dump_stack_lvl+0x1/0x2
 tap_poll+0x1/0x2
 asm_sysvec_apic_timer_interrupt+0x1/0x2
 </IRQ>
 ksys_re
 vfs_read+0x1/0x2
 entry_SYSCALL_64_after_hwframe+0x1/0x2`);
    expect(doubted(census).doubted).toBe(0);
  });

  test('of which nothing could be read is lost, with the line shown', async () => {
    const { census, diagnostics } = await readBytes(printed(['Call Trace:', ' in an unknown form', ' as well'], dmesg));
    expect(census.losses).toEqual([{ code: 'trace-without-frames', count: 1 }]);
    expect(diagnostics.examples[0]).toEqual({ line: 2, text: ' in an unknown form', why: 'not a frame' });
  });

  test('nothing follows the heading', async () => {
    const { census, diagnostics } = await readBytes(printed(['Call Trace:', 'Kernel Offset: disabled'], dmesg));
    expect(census.losses).toEqual([{ code: 'trace-without-frames', count: 1 }]);
    expect(diagnostics.examples).toEqual([{ line: 1, text: 'Call Trace:', why: 'no line that follows is a frame' }]);
  });
});

describe('nothing is invented', () => {
  const trace = (first: string, second: string) =>
    `Call Trace:\n dump_stack+0x1/0x2\n${first}\n ${second}+0x1/0x2\n vfs_read+0x1/0x2\n entry_SYSCALL_64_after_hwframe+0x1/0x2`;

  test('no target from a doubted frame', async () => {
    const { census } = await read(
      [trace(' ? leftover+0x1/0x2', 'tap_read'), trace(' ? leftover+0x1/0x2', 'tap_poll')].join('\n'),
    );
    expect(census.targets).toEqual([]);
  });

  test('a target that is inferred is said to be', async () => {
    const { census } = await read(
      [trace(' tap_lock+0x1/0x2', 'tap_read'), trace(' tap_lock+0x1/0x2', 'tap_poll')].join('\n'),
    );
    expect(census.targets).toEqual(['tap_lock']);
    expect(census.facts.notes).toEqual([{ code: 'target-inferred', target: 'tap_lock' }]);
  });

  test('what the kernel reports twice is no target', async () => {
    const hung = (pid: number) =>
      `INFO: task alpha:${pid} blocked for more than 143 seconds.\ntask:alpha state:D stack:0 pid:${pid} ppid:2\nCall Trace:\n __schedule+0x1/0x2\n tap_${pid}+0x1/0x2\n ret_from_fork+0x1/0x2`;
    const { census } = await read([hung(1), hung(2)].join('\n'));
    expect(census.targets).toEqual([]);
    expect(census.total).toBe(2);
  });

  test('the break instruction of a warning is no probe, and gives nobody a target', async () => {
    const { census } = await read(`
Call trace:
 dump_backtrace+0x0/0x1e0
 show_stack+0x18/0x24
 dump_stack+0xd0/0x128
 panic+0x16c/0x334
 bug_handler+0x1b4/0x1b8
 call_break_hook+0x60/0x80
 brk_handler+0x1c/0x60
 do_debug_exception+0xa4/0x188
 el1_dbg+0x34/0x50
 el1_sync_handler+0x9c/0xd0
 el1_sync+0x7c/0x100
 tap_read+0x1d/0x6a0
 el0_sync+0x180/0x1c0
Call trace:
 dump_backtrace+0x0/0x1e0
 dump_stack+0xd0/0x128
 tap_poll+0x10/0x900
 el0_sync+0x180/0x1c0`);
    expect(census.targets).toEqual([]);
    expect(groupCounts(census, 'site')).toEqual([
      ['tap_poll', 1],
      ['tap_read', 1],
    ]);
  });

  test('a probe gives its target to its own calls only', async () => {
    const { census } = await read([...DUMPS.slice(1, -1), trace(' tap_lock+0x1/0x2', 'tap_read')].join('\n'));
    expect(groupCounts(census, 'target')).toEqual([
      ['rb_insert_color', 2],
      ['(not recorded)', 1],
    ]);
  });
});
