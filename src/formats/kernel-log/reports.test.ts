import { describe, expect, test } from 'vitest';
import { checkBytes, groupCounts } from '../../../test/support/check-reader.ts';
import { PRINTERS, printed } from '../../../test/support/kernel-log.ts';
import { callsIn, readLog } from '../../../test/support/log-calls.ts';

const dmesg = PRINTERS.dmesg!;

const TAIL = ' tap_write_iter+0x31/0x60\n vfs_write+0x2c5/0x3d0\n entry_SYSCALL_64_after_hwframe+0x6e/0xd8';
const FRAMES = 'tap_write_iter vfs_write entry_SYSCALL_64_after_hwframe';
const CPU = 'CPU: 1 UID: 0 PID: 812 Comm: tapper Not tainted 6.12.1-rc2-next #7 PREEMPT(full)';
const WHO = 'tapper/812@1';

describe('the stack of the event is the call, told for information are the others', () => {
  test('KASAN with allocation, free, page owner and auxiliary stacks', async () => {
    const census = await readLog(`
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
    expect(callsIn(census)).toEqual([`KASAN slab-use-after-free | ${WHO} | ${FRAMES}`]);
    expect(census.lost).toBe(0);
    expect(census.facts.kernels).toEqual(['6.12.1-rc2-next']);
  });

  test('KMSAN, whose stack has no heading and whose process is printed last', async () => {
    const census = await readLog(`
=====================================================
BUG: KMSAN: uninit-value in tap_write_iter+0x31/0x60
${TAIL}

Uninit was stored to memory at:
 tap_fill+0x10/0x90

Local variable hdr created at:
 tap_build+0x10/0x90

${CPU}
=====================================================`);
    expect(callsIn(census)).toEqual([`KMSAN uninit-value | ${WHO} | ${FRAMES}`]);
    expect(census.lost).toBe(0);
  });

  test('KMSAN of old kernels, which print a heading', async () => {
    const census = await readLog(`
BUG: KMSAN: uninit-value in tap_write_iter+0x31/0x60
${CPU}
Call Trace:
 dump_stack+0x185/0x1d0
 kmsan_report+0x142/0x240
 __msan_warning_32+0x6c/0xb0
${TAIL}
origin:
 kmsan_internal_poison_shadow+0xb8/0x1b0`);
    expect(callsIn(census)).toEqual([`KMSAN uninit-value | ${WHO} | ${FRAMES}`]);
    expect(census.lost).toBe(0);
  });

  test('KCSAN: two stacks, two calls', async () => {
    const census = await readLog(`
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
    expect(callsIn(census)).toEqual([
      `KCSAN data-race | /812@1 | ${FRAMES}`,
      'KCSAN data-race | /-1@0 | tap_poll __napi_poll',
    ]);
    expect(census.lost).toBe(0);
  });

  test('KFENCE: one call, though the registers are printed with another trace', async () => {
    const census = await readLog(`
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
    expect(callsIn(census)).toEqual([`KFENCE out-of-bounds write | ${WHO} | ${FRAMES}`]);
    expect(census.lost).toBe(0);
  });

  test('lockdep: what each lock was taken by is no call', async () => {
    const census = await readLog(`
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
    expect(callsIn(census)).toEqual([`lockdep circular locking | ${WHO} | ${FRAMES}`]);
    expect(census.lost).toBe(0);
  });
});

test('lockdep: since when a lock is what it is, in sections of their own', async () => {
  const census = await readLog(`
WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected
... which became HARDIRQ-irq-unsafe at:
...
  lock_acquire+0x29d/0x740
  tap_other+0x15b/0x460

stack backtrace:
${CPU}
Call Trace:
 dump_stack+0x154/0x1a8
 print_bad_irq_dependency+0x10/0x20
 __lock_acquire+0x840/0x30e0
 lock_acquire+0x29d/0x740
${TAIL}`);
  expect(callsIn(census)).toEqual([`lockdep lock inversion | ${WHO} | ${FRAMES}`]);
  expect(census.lost).toBe(0);
});

test('symbolised traces: places, inlined functions, no indentation', async () => {
  const census = await readLog(`
${CPU}
Call Trace:
 <TASK>
dump_stack_lvl (lib/dump_stack.c:107 (discriminator 1))
tap_fill drivers/net/tap.c:93 [inline]
tap_write_iter (drivers/net/tap.c:180) tap
vfs_write (fs/read_write.c:593 fs/read_write.c:684)
entry_SYSCALL_64_after_hwframe+0x63/0xcd arch/x86/entry/entry_64.S:120
 </TASK>`);
  expect(callsIn(census)).toEqual([` | ${WHO} | tap_fill ${FRAMES}`]);
  expect(groupCounts(census, 'site')).toEqual([['tap_fill', 1]]);
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
    const census = await readLog(`${headline}\n${CPU}\n${beginning}\n${tail}\n---[ end trace 0 ]---`);
    expect(callsIn(census)).toEqual([`${report} | ${WHO} | ${FRAMES}`]);
    expect(groupCounts(census, 'site')).toEqual([['tap_write_iter', 1]]);
  });

  test('a stalled CPU: what its timer interrupted, not the timer', async () => {
    const census = await readLog(`
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
    expect(callsIn(census)).toEqual([
      'RCU stall | idler/15@0 | tap_poll __napi_poll ret_from_fork',
      `RCU stall | ${WHO} | ${FRAMES}`,
    ]);
    expect(groupCounts(census, 'report')).toEqual([['RCU stall', 2]]);
  });

  test('stays where it is the target', async () => {
    const text = `${CPU}\nCall Trace:\n dump_stack+0x1/0x2\n should_fail+0x1/0x2\n${TAIL}\n`;
    const { census } = await checkBytes('dmesg', printed(text.split('\n'), dmesg), { targets: ['should_fail'] });
    expect(callsIn(census)).toEqual([` | ${WHO} | should_fail ${FRAMES}`]);
  });
});
