import { describe, expect, test } from 'vitest';
import { checkBytes, groupCounts } from '../../../test/support/check-reader.ts';
import { callsIn, readLog } from '../../../test/support/log-calls.ts';

const TAIL = ' tap_write_iter+0x31/0x60\n vfs_write+0x2c5/0x3d0\n entry_SYSCALL_64_after_hwframe+0x6e/0xd8';
const FRAMES = 'tap_write_iter vfs_write entry_SYSCALL_64_after_hwframe';
const WHO = 'tapper/812@1';

describe('tasks that are looked at', () => {
  test.each([
    ['5.11 and later', 'task:tapper          state:D stack:29336 pid:812   ppid:743  flags:0x00000004'],
    ['before 5.11', 'tapper          D29336   812    743 0x00000004'],
    ['running, before 5.11', 'tapper          R  running task    26208   812    743 0x8000000e'],
  ])('hung, %s', async (_when, task) => {
    const census = await readLog(`
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
    expect(callsIn(census)).toEqual([`hung task | tapper/812@-1 | __schedule schedule ${FRAMES}`]);
    expect(census.facts.kernels).toEqual(['5.1.0-rc6+']);
    expect(groupCounts(census, 'tree')).toEqual([['(no tree known)', 1]]);
  });

  test.each([
    ['lockdep', 'WARNING: possible recursive locking detected\ntapper/812 is trying to acquire lock:'],
    [
      'KASAN',
      'BUG: KASAN: use-after-free in tap_write_iter\nRead of size 4 at addr ffff88801f47ab01 by task tapper/812',
    ],
  ])('named by the report alone: %s', async (_what, text) => {
    const census = await readLog(`${text}\nCall Trace:\n${TAIL}`);
    expect(groupCounts(census, 'comm')).toEqual([['tapper', 1]]);
    expect(groupCounts(census, 'pid')).toEqual([['812', 1]]);
  });

  test('before 3.9', async () => {
    const census = await readLog(
      `Pid: 812, comm: tapper Not tainted 2.6.32-431.el6.x86_64 #1\nCall Trace:\n [<ffffffff8151b7c0>] ? pad+0x1/0x2\n${TAIL}`,
    );
    expect(callsIn(census)).toEqual([` | tapper/812@-1 | ${FRAMES}`]);
    expect(census.facts.kernels).toEqual(['2.6.32-431.el6.x86_64']);
  });

  test('all of SysRq-T, the same stack said to be so', async () => {
    const census = await readLog(`
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
    expect(callsIn(census).map((call) => call.split(' | ').slice(0, 2).join(' '))).toEqual([
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
    expect(callsIn(census)).toEqual([
      'memory leak | tapper/811@-1 | kmalloc_trace tap_open',
      'memory leak | tapper/812@-1 | kmalloc_trace tap_open',
    ]);
    const pages = await checkBytes(
      'dmesg',
      'Page allocated via order 0, mask 0x112cca, pid 812, tgid 812 (tapper), ts 89 ns\nPFN 4096 type Unmovable Block 8 type Unmovable Flags 0x0\n prep_new_page+0x1/0x2\n tap_open+0x51/0x90\n\n',
    );
    expect(callsIn(pages.census)).toEqual(['page owner | tapper/812@-1 | prep_new_page tap_open']);
  });
});

describe('other architectures', () => {
  test('arm32, both forms, with and without a heading', async () => {
    const census = await readLog(`
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
    expect(callsIn(census)).toEqual([` | ${WHO} | tap_write_iter ret_fast_syscall`]);
    expect([census.total, census.lost]).toEqual([2, 0]);
    expect(groupCounts(census, 'syscall')).toHaveLength(1);
  });

  test('s390x, ppc64 and riscv', async () => {
    const census = await readLog(`
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
    expect(callsIn(census)).toEqual([
      ' | insmod/320@0 | tap_probe do_one_initcall system_call',
      ' | udevd/191@1 | tap_read pci_bus_read_config_word system_call_common',
      ' | kworker/u4:3/44@0 | tap_step kthread ret_from_fork',
    ]);
    expect(census.lost).toBe(0);
  });
});
