import { describe, expect, test } from 'vitest';
import { checkBytes, groupCounts } from '../../../test/support/check-reader.ts';
import { PRINTERS, printed } from '../../../test/support/kernel-log.ts';
import type { Census } from '../../census/census.ts';

const dmesg = PRINTERS.dmesg!;

async function read(text: string): Promise<Census> {
  const lines = text.split('\n').filter((line, i, all) => line !== '' || (i > 0 && i < all.length - 1));
  return (await checkBytes('dmesg', printed(lines, dmesg))).census;
}

/** Every call: what was reported, by whom, and the sure frames, innermost first. */
function calls(census: Census): string[] {
  return [...census.rows].map((row) => {
    const { report, comm, pid, cpu } = census.keys.at(row.key);
    const frames = census.stacks.frames(row.stack).filter((frame) => !frame.unreliable);
    const names = frames.map(({ symbol }) => census.symbols.name(symbol)).join(' ');
    return `${report} | ${comm}/${pid}@${cpu} | ${names}`;
  });
}

const TAIL = ' tap_write_iter+0x31/0x60\n vfs_write+0x2c5/0x3d0\n entry_SYSCALL_64_after_hwframe+0x6e/0xd8';
const FRAMES = 'tap_write_iter vfs_write entry_SYSCALL_64_after_hwframe';
const CPU = 'CPU: 1 UID: 0 PID: 812 Comm: tapper Not tainted 6.12.1-rc2-next #7 PREEMPT(full)';
const WHO = 'tapper/812@1';

describe('the stack of the event is the call, told for information are the others', () => {
  test('KASAN with allocation, free, page owner and auxiliary stacks', async () => {
    const census = await read(`
BUG: KASAN: slab-use-after-free in tap_write_iter+0x31/0x60 [tap]
Read of size 4 at addr ffff88801f47ab01 by task tapper/812

${CPU}
Call Trace:
 <TASK>
 dump_stack_lvl+0x116/0x1f0
 print_report+0xc3/0x670
 kasan_report+0xe0/0x110
${TAIL}
 </TASK>

Allocated by task 811:
 kasan_save_stack+0x33/0x60
 tap_open+0x51/0x90

Freed by task 811 on cpu 0 at 12.5s:
 kasan_save_stack+0x33/0x60
 tap_close+0x11/0x90

Last potentially related work creation:
 kasan_save_stack+0x33/0x60
 insert_work+0x36/0x230

The buggy address belongs to the object at ffff88801f47ab00
page_owner tracks the page as allocated
page last allocated via order 3, migratetype Unmovable, gfp_mask 0xd20c0, pid 1, tgid 1 (swapper), ts 12, free_ts 0
 post_alloc_hook+0x1c0/0x230
 get_page_from_freelist+0x1350/0x3810
page last free pid 811 tgid 811 stack trace:
 free_frozen_pages+0x7d5/0x10f0
page_owner free stack trace missing
Memory state around the buggy address:
 ffff88801f47aa00: fa fb fb fb fb fb fb fb fb fb fb fb fb fb fb fb
>ffff88801f47ab00: fa fb fb fb fb fb fb fb fb fb fb fb fb fb fb fb
                   ^
==================================================================`);
    expect(calls(census)).toEqual([`KASAN slab-use-after-free | ${WHO} | ${FRAMES}`]);
    expect(census.lost).toBe(0);
    expect(census.facts.kernels).toEqual(['6.12.1-rc2-next']);
  });

  test('KMSAN, whose stack has no heading and whose process is printed last', async () => {
    const census = await read(`
=====================================================
BUG: KMSAN: uninit-value in tap_write_iter+0x31/0x60
${TAIL}

Uninit was stored to memory at:
 tap_fill+0x10/0x90

Local variable hdr created at:
 tap_build+0x10/0x90

${CPU}
=====================================================`);
    expect(calls(census)).toEqual([`KMSAN uninit-value | ${WHO} | ${FRAMES}`]);
    expect(census.lost).toBe(0);
  });

  test('KMSAN of old kernels, which print a heading', async () => {
    const census = await read(`
BUG: KMSAN: uninit-value in tap_write_iter+0x31/0x60
${CPU}
Call Trace:
 dump_stack+0x185/0x1d0
 kmsan_report+0x142/0x240
 __msan_warning_32+0x6c/0xb0
${TAIL}
origin:
 kmsan_internal_poison_shadow+0xb8/0x1b0`);
    expect(calls(census)).toEqual([`KMSAN uninit-value | ${WHO} | ${FRAMES}`]);
    expect(census.lost).toBe(0);
  });

  test('KCSAN: two stacks, two calls', async () => {
    const census = await read(`
==================================================================
BUG: KCSAN: data-race in tap_poll / tap_write_iter

write (marked) to 0xffff888136cdc0c4 of 4 bytes by task 812 on cpu 1:
${TAIL}

read to 0xffff888136cdc0c4 of 4 bytes by interrupt on cpu 0:
 tap_poll+0x21/0x40
 __napi_poll+0x61/0x330

value changed: 0x00000000 -> 0x00000001

Reported by Kernel Concurrency Sanitizer on:
CPU: 0 UID: 0 PID: 15 Comm: ksoftirqd/0 Not tainted 6.12.1 #7
==================================================================`);
    expect(calls(census)).toEqual([
      `KCSAN data-race | /812@1 | ${FRAMES}`,
      'KCSAN data-race | /-1@0 | tap_poll __napi_poll',
    ]);
    expect(census.lost).toBe(0);
  });

  test('KFENCE: one call, though the registers are printed with another trace', async () => {
    const census = await read(`
==================================================================
BUG: KFENCE: out-of-bounds write in tap_write_iter+0x31/0x60

Out-of-bounds write at 0xffff8c2aae231fff (1B left of kfence-#24):
${TAIL}

kfence-#24: 0xffff8c2aae232000-0xffff8c2aae23201f, size=32, cache=kmalloc-32

allocated by task 811 on cpu 0 at 3.3s (0.1s ago):
 tap_open+0x51/0x90

${CPU}
RIP: 0010:tap_write_iter+0x31/0x60
Call Trace:
 <TASK>
 vfs_write+0x2c5/0x3d0
 entry_SYSCALL_64_after_hwframe+0x6e/0xd8
 </TASK>
==================================================================`);
    expect(calls(census)).toEqual([`KFENCE out-of-bounds write | ${WHO} | ${FRAMES}`]);
    expect(census.lost).toBe(0);
  });

  test('lockdep: what each lock was taken by is no call', async () => {
    const census = await read(`
======================================================
WARNING: possible circular locking dependency detected
6.12.1 #7 Not tainted
------------------------------------------------------
tapper/812 is trying to acquire lock:
ffffffff8f2d3d48 (rtnl_mutex){+.+.}-{3:3}, at: tap_write_iter+0x31/0x60

but task is already holding lock:
ffff8880a2b6c0a8 (&tap->lock){+.+.}-{3:3}, at: tap_open+0x51/0x90

the existing dependency chain (in reverse order) is:

-> #1 (&tap->lock){+.+.}-{3:3}:
       __lock_acquire+0x1201/0x2100
       tap_ioctl+0x81/0x100

-> #0 (rtnl_mutex){+.+.}-{3:3}:
       check_prev_add+0x15b/0x1150
       tap_write_iter+0x31/0x60

 *** DEADLOCK ***

1 lock held by tapper/812:
 #0: ffff8880a2b6c0a8 (&tap->lock){+.+.}-{3:3}, at: tap_open+0x51/0x90

stack backtrace:
${CPU}
Call Trace:
 <TASK>
 dump_stack_lvl+0x116/0x1f0
 print_circular_bug+0x275/0x350
 check_noncircular+0x14c/0x170
 __lock_acquire+0x1201/0x2100
 lock_acquire+0x179/0x350
${TAIL}
 </TASK>`);
    expect(calls(census)).toEqual([`lockdep circular locking | ${WHO} | ${FRAMES}`]);
    expect(census.lost).toBe(0);
  });
});

describe('the reporter is not the site', () => {
  test.each([
    [
      'a warning',
      'WARNING: CPU: 1 PID: 812 at drivers/net/tap.c:9 tap_write_iter+0x31/0x60',
      'warning',
      'RIP: 0010:tap_write_iter+0x31/0x60\nCall Trace:\n ? __warn+0x89/0x130\n ? tap_write_iter+0x31/0x60\n ? exc_invalid_op+0x1a/0x20',
      '',
    ],
    [
      'a warning that is a panic',
      'WARNING: CPU: 1 PID: 812 at drivers/net/tap.c:9 tap_write_iter+0x31/0x60\nKernel panic - not syncing: panic_on_warn set ...',
      'warning',
      'Call Trace:\n dump_stack+0x1/0x2\n ? vprintk+0x1/0x2\n panic+0x1/0x2\n ? add_taint+0x1/0x2\n __warn+0x1/0x2\n report_bug+0x1/0x2\n exc_invalid_op+0x1/0x2\n asm_exc_invalid_op+0x1/0x2\nRIP: 0010:tap_write_iter+0x31/0x60',
      '',
    ],
    [
      'UBSAN',
      'UBSAN: shift-out-of-bounds in drivers/net/tap.c:9:8',
      'UBSAN shift-out-of-bounds',
      'Call Trace:\n dump_stack_lvl+0x1/0x2\n ubsan_epilogue+0x1/0x2\n __ubsan_handle_shift_out_of_bounds+0x1/0x2',
      ' tap_write_iter+0x31/0x60',
    ],
    [
      'a sleep in atomic context',
      'BUG: sleeping function called from invalid context at mm/slab.h:420',
      'sleeping function in atomic context',
      'Call Trace:\n dump_stack_lvl+0x1/0x2\n __might_resched+0x1/0x2',
      ' tap_write_iter+0x31/0x60',
    ],
    [
      'an injected fault',
      'FAULT_INJECTION: forcing a failure.',
      'fault injection',
      'Call Trace:\n dump_stack_lvl+0x1/0x2\n should_fail_ex+0x1/0x2\n should_failslab+0x1/0x2',
      ' tap_write_iter+0x31/0x60',
    ],
    [
      'a fault whose registers come first',
      'Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP',
      'oops: general protection fault',
      'RIP: 0010:tap_write_iter+0x31/0x60\nCall Trace:',
      '',
    ],
  ])('%s', async (_what, headline, report, beginning, site) => {
    const tail = ` ${site === '' ? '' : `${site.trim()}\n `}vfs_write+0x2c5/0x3d0\n entry_SYSCALL_64_after_hwframe+0x6e/0xd8`;
    const census = await read(`${headline}\n${CPU}\n${beginning}\n${tail}\n---[ end trace 0 ]---`);
    expect(calls(census)).toEqual([`${report} | ${WHO} | ${FRAMES}`]);
    expect(groupCounts(census, 'site')).toEqual([['tap_write_iter', 1]]);
  });

  test('a stalled CPU: what its timer interrupted, not the timer', async () => {
    const census = await read(`
rcu: INFO: rcu_preempt self-detected stall on CPU
rcu: 	1-....: (10499 ticks this GP) idle=9f9/1/0x4000000000000002 softirq=2116/2117 fqs=0
Sending NMI from CPU 1 to CPUs 0:
NMI backtrace for cpu 0
CPU: 0 PID: 15 Comm: idler Not tainted 6.1.0 #1
RIP: 0010:tap_poll+0x21/0x40
Call Trace:
 <NMI>
 ? nmi_cpu_backtrace+0x1/0x2
 ? exc_nmi+0x1/0x2
 </NMI>
 <TASK>
 __napi_poll+0x61/0x330
 ret_from_fork+0x22/0x30
 </TASK>
NMI backtrace for cpu 1
${CPU}
Call Trace:
 <IRQ>
 dump_stack_lvl+0x1/0x2
 nmi_cpu_backtrace+0x1/0x2
 nmi_trigger_cpumask_backtrace+0x1/0x2
 rcu_dump_cpu_stacks+0x1/0x2
 rcu_sched_clock_irq+0x1/0x2
 update_process_times+0x1/0x2
 __sysvec_apic_timer_interrupt+0x1/0x2
 sysvec_apic_timer_interrupt+0x1/0x2
 </IRQ>
 <TASK>
 asm_sysvec_apic_timer_interrupt+0x1/0x2
RIP: 0010:tap_write_iter+0x31/0x60
 vfs_write+0x2c5/0x3d0
 entry_SYSCALL_64_after_hwframe+0x6e/0xd8
 </TASK>`);
    expect(calls(census)).toEqual([
      'RCU stall | idler/15@0 | tap_poll __napi_poll ret_from_fork',
      `RCU stall | ${WHO} | ${FRAMES}`,
    ]);
    expect(groupCounts(census, 'report')).toEqual([['RCU stall', 2]]);
  });

  test('stays where it is the target', async () => {
    const text = `${CPU}\nCall Trace:\n dump_stack+0x1/0x2\n should_fail+0x1/0x2\n${TAIL}\n`;
    const { census } = await checkBytes('dmesg', printed(text.split('\n'), dmesg), { targets: ['should_fail'] });
    expect(calls(census)).toEqual([` | ${WHO} | should_fail ${FRAMES}`]);
  });
});

describe('tasks that are looked at', () => {
  test.each([
    ['5.11 and later', 'task:tapper          state:D stack:29336 pid:812   ppid:743  flags:0x00000004'],
    ['before 5.11', 'tapper          D29336   812    743 0x00000004'],
    ['running, before 5.11', 'tapper          R  running task    26208   812    743 0x8000000e'],
  ])('hung, %s', async (_when, task) => {
    const census = await read(`
INFO: task tapper:812 blocked for more than 143 seconds.
      Not tainted 5.1.0-rc6+ #90
"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.
${task}
Call Trace:
 __schedule+0x813/0x1cc0
 schedule+0x92/0x180
${TAIL}

Showing all locks held in the system:
1 lock held by khungtaskd/30:
 #0: ffffffff8f2d3d48 (rcu_read_lock){....}-{1:2}, at: debug_show_all_locks+0x61/0x29b`);
    expect(calls(census)).toEqual([`hung task | tapper/812@-1 | __schedule schedule ${FRAMES}`]);
    expect(census.facts.kernels).toEqual(['5.1.0-rc6+']);
    expect(groupCounts(census, 'tree')).toEqual([['(no tree known)', 1]]);
  });

  test('all of SysRq-T, the same stack said to be so', async () => {
    const census = await read(`
sysrq: Show State
init            D 0000000000000000     0     1      0 0x00000000
Call Trace:
 [<ffffffff82a35fbb>] schedule+0x9b/0x1c0
 [<ffffffff82a350bb>] kernel_init+0x9b/0x1c0
 [<ffffffff82a355bb>] ret_from_fork+0x9b/0x1c0
kthreadd        S 0000000000000000     0     2      0 0x00000000
Call Trace:
<Same stack as pid 1>
`);
    expect(calls(census).map((call) => call.split(' | ').slice(0, 2).join(' '))).toEqual([
      'SysRq init/1@-1',
      'SysRq kthreadd/2@-1',
    ]);
    expect(new Set([...census.rows].map((row) => row.stack)).size).toBe(1);
  });

  test('/proc/PID/stack, several one after the other', async () => {
    const stack =
      '[<0>] do_wait+0x1cb/0x230\n[<0>] __do_sys_wait4+0x94/0xb0\n[<0>] entry_SYSCALL_64_after_hwframe+0x44/0xa9\n';
    const { census } = await checkBytes(
      'dmesg',
      `${stack}${stack}[<0>] kthread+0x94/0xb0\n[<0>] ret_from_fork+0x44/0xa9\n`,
    );
    expect(census.total).toBe(3);
    expect(groupCounts(census, 'report')).toEqual([['process stack', 3]]);
    expect(census.targets).toEqual([]);
  });

  test('listings of kmemleak and page_owner', async () => {
    const leaks = [1, 2].map(
      (i) =>
        `unreferenced object 0xffff88801f47ab0${i} (size 64):\n  comm "tapper", pid 81${i}, jiffies 4294943219 (age 13.870s)\n  hex dump (first 32 bytes):\n    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................\n  backtrace (crc 54dc1e7):\n    [<00000000a5b4b0d3>] kmalloc_trace+0x21/0x40\n    [<00000000a5b4b0d4>] tap_open+0x51/0x90\n`,
    );
    const { census } = await checkBytes('dmesg', leaks.join('\n'));
    expect(calls(census)).toEqual([
      'memory leak | tapper/811@-1 | kmalloc_trace tap_open',
      'memory leak | tapper/812@-1 | kmalloc_trace tap_open',
    ]);
    const pages = await checkBytes(
      'dmesg',
      'Page allocated via order 0, mask 0x112cca, pid 812, tgid 812 (tapper), ts 89 ns\nPFN 4096 type Unmovable Block 8 type Unmovable Flags 0x0\n prep_new_page+0x1/0x2\n tap_open+0x51/0x90\n\n',
    );
    expect(calls(pages.census)).toEqual(['page owner | tapper/812@-1 | prep_new_page tap_open']);
  });
});

describe('other architectures', () => {
  test('arm32, both forms, with and without a heading', async () => {
    const census = await read(`
CPU: 1 PID: 812 Comm: tapper Not tainted 5.10.2 #14
[<80de0078>] (unwind_backtrace) from [<80de0574>] (show_stack+0x28/0x2c)
[<80de0574>] (show_stack) from [<80de7c10>] (dump_stack+0x154/0x1a8)
 r9:400f0193 r8:ffffffff r7:00000001 r6:00000080
[<80de7c10>] (dump_stack) from [<bf1018e8>] (tap_write_iter+0x84/0x90 [tap])
[<bf1018e8>] (tap_write_iter [tap]) from [<80101000>] (ret_fast_syscall+0x0/0x54)
Exception stack(0xdfa2dfa8 to 0xdfa2dff0)
dfa0:                   00000000 00000000 00000004 00005412 20000000 00000000
CPU: 1 PID: 812 Comm: tapper Not tainted 6.1.2 #14
Call trace:
 dump_backtrace from show_stack+0x18/0x1c
 show_stack from dump_stack_lvl+0x40/0x4c
 dump_stack_lvl from tap_write_iter+0x84/0x90 [tap]
 tap_write_iter [tap] from ret_fast_syscall+0x0/0x54`);
    expect(calls(census)).toEqual([` | ${WHO} | tap_write_iter ret_fast_syscall`]);
    expect([census.total, census.lost]).toEqual([2, 0]);
    expect(groupCounts(census, 'syscall')).toHaveLength(1);
  });

  test('s390x, ppc64 and riscv', async () => {
    const census = await read(`
CPU: 0 PID: 320 Comm: insmod Not tainted 6.1.0 #1
Call Trace:
([<000003ff8086d036>] tap_probe+0x36/0x1000 [tap])
 [<000000000010014e>] do_one_initcall+0xce/0x160
 [<00000000005db6f4>] system_call+0x14/0x1a
Last Breaking-Event-Address:
 [<000003ff8086d000>] tap_other+0x0/0x1000 [tap]
CPU: 1 PID: 191 Comm: udevd Not tainted 6.1.0 #1
NIP [c000000000128668] tap_read+0x128/0x170
LR [c000000000128600] tap_read+0xc0/0x170
Call Trace:
[c000000010f930b0] [c000000000128668] tap_walk+0x128/0x170 (unreliable)
[c000000010f931f0] [c0000000004089d8] pci_bus_read_config_word+0xa8/0xf0
[c000000010f93e30] [c00000000000b9e4] system_call_common+0xf4/0x258
CPU: 0 PID: 44 Comm: kworker/u4:3 Not tainted 6.1.0 #1
epc : tap_step+0x44c/0xbc0
 ra : tap_step+0x44c/0xbc0
epc : ffffffff80014264 ra : ffffffff80014264 sp : ffff8f8000fd7b70
status: 0000000200000120 badaddr: ffffffff80014264 cause: 0000000000000003
[<ffffffff80014264>] tap_step+0x44c/0xbc0
[<ffffffff801e3054>] kthread+0x37c/0x778
[<ffffffff80069946>] ret_from_fork+0x2a/0xbbc
---[ end trace 0000000000000000 ]---`);
    expect(calls(census)).toEqual([
      ' | insmod/320@0 | tap_probe do_one_initcall system_call',
      ' | udevd/191@1 | tap_read pci_bus_read_config_word system_call_common',
      ' | kworker/u4:3/44@0 | tap_step kthread ret_from_fork',
    ]);
    expect(census.lost).toBe(0);
  });
});
