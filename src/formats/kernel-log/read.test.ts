import { describe, expect, test } from 'vitest';
import { expectSame } from '../../../test/support/check-census.ts';
import { checkBytes, groupCounts, readBytes } from '../../../test/support/check-reader.ts';
import { DUMPS, PRINTERS, printed } from '../../../test/support/kernel-log.ts';
import type { Census } from '../../census/census.ts';

const dmesg = PRINTERS.dmesg!;

/** The one path of a log with one trace, innermost first, doubted frames marked. */
function onlyStack(census: Census): string[] {
  expect(census.rows.size).toBe(1);
  return census.stacks
    .frames(census.rows.row(0).stack)
    .map(({ symbol, unreliable }) => `${unreliable ? '? ' : ''}${census.symbols.raw(symbol)}`);
}

async function read(texts: readonly string[], printer = dmesg) {
  return (await checkBytes('dmesg', printed(texts, printer))).census;
}

describe('the same log says the same, printed by', () => {
  test.each(Object.entries(PRINTERS))('%s', async (_name, printer) => {
    const { census } = await checkBytes('dmesg', printed(DUMPS, printer));
    expectSame(census, (await readBytes(printed(DUMPS, dmesg))).census, 'as dmesg prints it');
  });
});

test('logs of several devices and programs in one file', async () => {
  const printers = Object.values(PRINTERS);
  const texts = DUMPS.slice(0, -1);
  const { census } = await readBytes(printers.map((printer) => printed(texts, printer)).join(''));
  expect([census.total, census.attributed]).toEqual([2 * printers.length, 2 * printers.length]);
  expect(groupCounts(census, 'site')).toEqual([
    ['__es_insert_extent', printers.length],
    ['__hrtimer_run_queues', printers.length],
  ]);
  expect(groupCounts(census, 'comm')).toEqual([
    ['db bench', printers.length],
    ['rcu_preempt', printers.length],
  ]);
});

test('a dump: target, process, kernel, path; what a stated total says is missing is a loss', async () => {
  const census = await read(DUMPS);
  expect(census.targets).toEqual(['rb_insert_color']);
  expect([census.total, census.attributed]).toEqual([5, 2]);
  expect(census.losses).toEqual([{ code: 'not-printed', count: 3 }]);
  expect(census.facts.kernels).toEqual(['6.1.0-56-amd64']);
  expect(groupCounts(census, 'site')).toEqual([
    ['__es_insert_extent', 1],
    ['__hrtimer_run_queues', 1],
  ]);
  expect(groupCounts(census, 'entry')).toEqual([
    ['timer interrupt', 1],
    ['write(2)', 1],
  ]);
  expect(groupCounts(census, 'comm')).toEqual([
    ['db bench', 1],
    ['rcu_preempt', 1],
  ]);
  expect(groupCounts(census, 'cpu').map(([cpu]) => cpu)).toEqual(['0', '1']);
});

test('traces of several callers, interleaved line by line, are put back together', async () => {
  const first = DUMPS.slice(1, 33);
  const second = DUMPS.slice(33, -1);
  const lines: string[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    if (first[i] !== undefined) lines.push(`[    9.849656] [    C0] ${first[i]}\n`);
    if (second[i] !== undefined) lines.push(`[    9.849657] [  T197] ${second[i]}\n`);
  }
  const { census } = await checkBytes('dmesg', lines.join(''));
  expectSame(census, (await readBytes(printed(DUMPS.slice(0, -1), dmesg))).census, 'one after the other');
});

test('old kernels: bracketed addresses, markers on the line of a frame, no <TASK>', async () => {
  const census = await read([
    'CPU: 1 PID: 7 Comm: ksoftirqd/1 Not tainted 4.9.0-19-amd64 #1 Debian 4.9.320-2',
    ' 0000000000000000 ffffffffb5d3657e ffff9e0b7fd03db0 ffffffffb5abd4c0',
    'Call Trace:',
    ' <IRQ>  [<ffffffffb5d3657e>] ? dump_stack+0x66/0x88',
    ' [<ffffffffb5abd4c0>] ? rb_insert_color+0x10/0x130',
    ' [<ffffffffb5abd4d0>] timerqueue_add+0x54/0x80',
    ' [<ffffffffb5ae1b0e>] hrtimer_start_range_ns+0x1be/0x3e0',
    ' [<ffffffffc03b1b0e>] nf_hook+0xe/0x30 [nf_tables]',
    ' [<ffffffffb6018a2c>] apic_timer_interrupt+0x9c/0xb0',
    ' <EOI>  [<ffffffffb5a6f0b2>] ? native_safe_halt+0x2/0x10',
    ' [<ffffffffb5a3780a>] ? default_idle+0x1a/0xd0',
  ]);
  expect(onlyStack(census)).toEqual([
    '? rb_insert_color',
    'timerqueue_add',
    'hrtimer_start_range_ns',
    'nf_hook',
    'apic_timer_interrupt',
    '<EOI>',
    '? native_safe_halt',
    '? default_idle',
  ]);
  expect(groupCounts(census, 'entry')).toEqual([['timer interrupt', 1]]);
  expect(groupCounts(census, 'site')).toEqual([['hrtimer_start_range_ns', 1]]);
});

test('arm64: pc and lr are no frames, letters behind a frame are no module', async () => {
  const census = await read([
    'CPU: 3 UID: 0 PID: 812 Comm: kworker/3:1 Not tainted 6.12.117+deb12-arm64 #1  Debian 6.12.117-1',
    'Hardware name: QEMU KVM Virtual Machine, BIOS edk2-stable202302 02/01/2023',
    'Workqueue: events_unbound deferred_probe_work_func',
    'pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)',
    'pc : rb_insert_color+0x10/0x1d0',
    'lr : timerqueue_add+0x88/0xc0',
    'sp : ffff800080003e20',
    'x29: ffff800080003e20 x28: ffff000003a3c000 x27: 0000000000000000',
    'Call trace:',
    ' show_stack+0x20/0x38 (C)',
    ' dump_stack_lvl+0x78/0x90',
    ' dump_stack+0x18/0x28',
    ' rb_insert_color+0x10/0x1d0 (P)',
    ' timerqueue_add+0x88/0xc0',
    ' __hrtimer_start_range_ns+0x1f0/0x3a8',
    ' nvme_queue_rq+0x40/0x1f8 [nvme] (L)',
    ' process_one_work+0x174/0x418',
    ' worker_thread+0x2a8/0x3e8',
    ' kthread+0xe4/0xf0',
    ' ret_from_fork+0x10/0x20',
    'Code: f9400000 f100001f 54000180 aa0003e1 (f9400400)',
    '---[ end trace 0000000000000000 ]---',
  ]);
  expect(onlyStack(census)).toEqual([
    'rb_insert_color',
    'timerqueue_add',
    '__hrtimer_start_range_ns',
    'nvme_queue_rq',
    'process_one_work',
    'worker_thread',
    'kthread',
    'ret_from_fork',
  ]);
  expect(groupCounts(census, 'entry')).toEqual([['nvme_queue_rq', 1]]);
  expect(groupCounts(census, 'pid')).toEqual([['812', 1]]);
  expect(census.facts.kernels).toEqual(['6.12.117+deb12-arm64']);
});

test('a warning: the function at RIP, printed before the trace, is its innermost frame', async () => {
  const census = await read([
    '------------[ cut here ]------------',
    'WARNING: CPU: 1 PID: 391 at net/ipv4/tcp_input.c:3280 tcp_ack+0x1a/0x16d0',
    'Modules linked in: nft_chain_nat nf_nat ext4 crc16 mbcache jbd2',
    'CPU: 1 UID: 1000 PID: 391 Comm: curl Not tainted 6.12.117+deb12-amd64 #1  Debian 6.12.117-1',
    'RIP: 0010:tcp_ack+0x1a/0x16d0',
    'Code: 0f 1f 00 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 <0f> 0b 41 57',
    'RSP: 0018:ffffb5f1c0003b90 EFLAGS: 00010246',
    'PKRU: 55555554',
    'Call Trace:',
    ' <TASK>',
    ' ? __warn+0x89/0x130',
    ' ? tcp_ack+0x1a/0x16d0',
    ' ? asm_exc_invalid_op+0x1a/0x20',
    ' tcp_rcv_established+0x140/0x740',
    ' __sys_sendto+0x23a/0x250',
    ' __x64_sys_sendto+0x24/0x30',
    ' do_syscall_64+0x82/0x190',
    ' entry_SYSCALL_64_after_hwframe+0x76/0x7e',
    'RIP: 0033:0x7f1f3a1279ee',
    'RSP: 002b:00007ffcf20aac48 EFLAGS: 00000246 ORIG_RAX: 000000000000002c',
    ' </TASK>',
    '---[ end trace 0000000000000000 ]---',
  ]);
  expect(onlyStack(census)[0]).toBe('tcp_ack');
  expect(groupCounts(census, 'entry')).toEqual([['sendto(2)', 1]]);
});

test('further stacks of a KASAN report are no calls', async () => {
  const kasan = [
    'BUG: KASAN: slab-use-after-free in rb_erase+0x2e/0x600',
    'Read of size 8 at addr ffff888004a7b010 by task repro/412',
    'CPU: 0 PID: 412 Comm: repro Not tainted 6.1.0-56-amd64 #1  Debian 6.1.192-2',
    'Call Trace:',
    ' <TASK>',
    ' dump_stack_lvl+0x44/0x5c',
    ' rb_erase+0x2e/0x600',
    ' timerqueue_del+0x4a/0x90',
    ' </TASK>',
    '',
    'Allocated by task 411:',
    ' kasan_save_stack+0x33/0x60',
    ' kmalloc_trace+0x2a/0xa0',
    '',
    'Freed by task 411:',
    ' kasan_save_stack+0x33/0x60',
    ' kfree+0x8a/0x130',
    'The buggy address belongs to the object at ffff888004a7b000',
  ];
  const census = await read(kasan);
  expect(onlyStack(census)).toEqual(['rb_erase', 'timerqueue_del']);
  expect(census.lost).toBe(0);
  expect((await read(kasan.filter((text) => text !== ' </TASK>' && text !== ''))).total).toBe(1);
});

test('a log that begins in the middle of a trace lost one call', async () => {
  const census = await read(DUMPS.slice(13));
  expect(census.losses).toEqual([
    { code: 'not-printed', count: 3 },
    { code: 'trace-start-missing', count: 1 },
  ]);
  expect(census.total).toBe(5);
});

test('lines that the kernel dropped end a trace and are mentioned', async () => {
  const at = DUMPS.indexOf(' hrtimer_interrupt+0xf4/0x210');
  const texts = [...DUMPS.slice(0, at), '** 12 printk messages dropped **', ...DUMPS.slice(at + 9, -1)];
  const census = await read(texts);
  expect([census.attributed, census.lost]).toEqual([2, 0]);
  expect(census.facts.notes).toEqual([{ code: 'log-lines-dropped', lines: 12 }]);
});

test('a torn frame is skipped and shown', async () => {
  const texts = DUMPS.map((text) => (text === ' hrtimer_interrupt+0xf4/0x210' ? ' hrtimer_interr' : text));
  const { census, diagnostics } = await checkBytes('dmesg', printed(texts, dmesg));
  expect(census.attributed).toBe(2);
  expect(diagnostics.examples).toEqual([{ line: 19, text: ' hrtimer_interr', why: 'not a frame' }]);
});

test('messages of others between two frames do not end a trace', async () => {
  const at = DUMPS.indexOf(' hrtimer_interrupt+0xf4/0x210');
  const census = await read([...DUMPS.slice(0, at), 'ata1: SATA link up', ...DUMPS.slice(at)]);
  expectSame(census, (await readBytes(printed(DUMPS, dmesg))).census, 'without the message');
});

test('process names may be any UTF-8', async () => {
  const census = await read(DUMPS.map((text) => text.replace('db bench', 'größe 名')));
  expect(groupCounts(census, 'comm').map(([comm]) => comm)).toContain('größe 名');
});

test('two kernels and two totals in one log', async () => {
  const census = await read([...DUMPS, ...DUMPS.map((text) => text.replace('6.1.0-56', '6.1.0-57'))]);
  expect([census.total, census.attributed]).toEqual([10, 4]);
  expect(census.facts.kernels).toEqual(['6.1.0-56-amd64', '6.1.0-57-amd64']);
});

test('a total smaller than what is printed is ignored and said', async () => {
  const census = await read(DUMPS.map((text) => text.replace('Total rbinsert: 5', 'Total rbinsert: 1')));
  expect([census.total, census.lost]).toEqual([2, 0]);
  expect(census.facts.notes).toMatchObject([{ code: 'total-ignored' }]);
});

test('a kernel log without any trace has no stacks', async () => {
  const log = printed(['Linux version 6.1.0', 'ata1: SATA link up'], dmesg);
  await expect(readBytes(log)).rejects.toThrow('input has no stacks (read as dmesg)');
});
