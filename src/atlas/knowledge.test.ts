import { expect, test } from 'vitest';
import { kernelKnowledge } from './knowledge.ts';

const role = (name: string) => kernelKnowledge().role(name);

test.each([
  // x86-64 since 5.8
  ['asm_sysvec_apic_timer_interrupt', 'interrupt', 'timer interrupt', 'hardirq'],
  ['asm_sysvec_reschedule_ipi', 'interrupt', 'reschedule interrupt', 'hardirq'],
  ['asm_sysvec_call_function_single', 'interrupt', 'function-call interrupt', 'hardirq'],
  ['asm_common_interrupt', 'interrupt', 'device interrupt', 'hardirq'],
  ['asm_sysvec_thermal', 'interrupt', 'thermal interrupt', 'hardirq'],
  ['asm_exc_page_fault', 'exception', 'page fault', 'exception'],
  ['asm_exc_nmi', 'nmi', 'NMI', 'nmi'],
  ['entry_SYSCALL_64_after_hwframe', 'syscall', 'system call', 'task'],
  // x86-64 up to 5.7
  ['apic_timer_interrupt', 'interrupt', 'timer interrupt', 'hardirq'],
  ['do_IRQ', 'interrupt', 'device interrupt', 'hardirq'],
  ['async_page_fault', 'exception', 'page fault', 'exception'],
  // arm64, before and since 5.14
  ['el1_irq', 'interrupt', 'device interrupt', 'hardirq'],
  ['el1h_64_irq', 'interrupt', 'device interrupt', 'hardirq'],
  ['el1_abort', 'exception', 'page fault', undefined],
  ['arch_timer_handler_virt', 'interrupt', 'timer interrupt', undefined],
  // softirqs: renamed in 6.9 and 6.10
  ['__do_softirq', 'softirq', 'softirq', 'softirq'],
  ['handle_softirqs', 'softirq', 'softirq', 'softirq'],
  ['run_rebalance_domains', 'softirq', 'scheduler softirq', undefined],
  ['sched_balance_softirq', 'softirq', 'scheduler softirq', undefined],
  ['rcu_gp_kthread', 'kthread', 'RCU grace-period thread', undefined],
])('%s starts %s: %s', (name, kind, entry, boundary) => {
  expect(role(name)?.entry).toMatchObject({ kind, name: entry });
  expect(role(name)?.boundary).toBe(boundary);
});

test('system calls have the names of the manual', () => {
  const named = ['sys_write', 'sys_newstat', 'sys_sendfile64', 'compat_sys_ioctl', 'sys_clock_nanosleep_time32'];
  expect(named.map((name) => role(name)?.entry?.name)).toEqual([
    'write(2)',
    'stat(2)',
    'sendfile(2)',
    'ioctl(2)',
    'clock_nanosleep(2)',
  ]);
  expect(role('sys_copyarea')).toBeUndefined();
});

test('a system call whose own function left by a tail call is known by the one it called', () => {
  const names = ['ksys_lseek', 'ksys_fadvise64_64', '__sys_setsockopt', 'do_sys_ftruncate', 'ksys_msgsnd', 'ksys_dup3'];
  expect(names.map((name) => role(name)?.entry?.name)).toEqual([
    'lseek(2)',
    'fadvise64(2)',
    'setsockopt(2)',
    'ftruncate(2)',
    'msgsnd(2)',
    undefined, // dup2 or dup3
  ]);
  expect(role('ksys_lseek')?.entry?.rank).toBeLessThan(role('sys_llseek')?.entry?.rank ?? 0);
});

test('what tells more than the entry code around it has the higher rank', () => {
  const rank = (name: string) => role(name)?.entry?.rank ?? Number.NaN;
  // arm64 has one interrupt vector, and one for system calls and faults of programs
  expect(rank('arch_timer_handler_virt')).toBeGreaterThan(rank('el1h_64_irq'));
  expect(rank('el0_svc')).toBeGreaterThan(rank('el0t_64_sync'));
  expect(rank('el0_da')).toBeGreaterThan(rank('el0t_64_sync'));
  expect(rank('sys_write')).toBeGreaterThan(rank('do_syscall_64'));
  expect(rank('exit_to_user_mode_loop')).toBeGreaterThan(rank('do_syscall_64'));
  expect(rank('net_rx_action')).toBeGreaterThan(rank('handle_softirqs'));
  expect(rank('do_idle')).toBeGreaterThan(rank('start_kernel'));
});

test('wrappers are helpers, what waits for something particular is a site', () => {
  expect(['timerqueue_add', 'schedule_timeout', '__wake_up', 'kmalloc_trace', '__sock_sendmsg'].map(role)).toEqual(
    Array.from({ length: 5 }, () => expect.objectContaining({ helper: true })),
  );
  expect(role('ep_poll_callback')?.helper).toBeUndefined();
  expect(role('futex_wait_queue')?.helper).toBeUndefined();
});

test.each([
  ['ksoftirqd/0', 'ksoftirqd'],
  ['kworker/u8:3', 'kworker'],
  ['kworker/R-ext4-', 'workqueue rescuer'],
  ['rcu_preempt', 'RCU grace-period thread'],
  ['kcompactd0', 'kcompactd (memory compaction)'],
  ['jbd2/nvme0n1p2-', 'jbd2 (ext4 journal)'],
  ['md127_raid10', 'software RAID thread'],
  ['irq/24-pciehp', 'interrupt thread'],
  ['swapper/11', 'idle CPU'],
])('the task %s is %s', (comm, name) => {
  expect(kernelKnowledge().entryOfComm(comm)?.name).toBe(name);
});

test('names of programs tell nothing, however close to those of kernel threads', () => {
  const programs = ['bash', 'watchdog', 'writeback', 'loop', 'looping', 'md5sum', 'mdadm', 'rpc.nfsd', 'nfsdcld'];
  const more = ['btrfs-convert', 'btrfs', 'irqbalance', 'napi', 'jbd2', 'kswapd', 'xfs_repair', 'ksmbd.mountd', ''];
  for (const comm of [...programs, ...more]) expect(kernelKnowledge().entryOfComm(comm), comm).toBeUndefined();
});

test('a thread is called the same by its function and by its name', () => {
  const pairs = [
    ['kswapd', 'kswapd0'],
    ['run_ksoftirqd', 'ksoftirqd/1'],
    ['rcu_gp_kthread', 'rcu_sched'],
    ['kjournald2', 'jbd2/sda1-8'],
    ['scsi_error_handler', 'scsi_eh_0'],
    ['xfsaild', 'xfsaild/dm-0'],
    ['io_wq_worker', 'iou-wrk-77'],
    ['ext4_lazyinit_thread', 'ext4lazyinit'],
    ['devtmpfsd', 'kdevtmpfs'],
    ['issue_discard_thread', 'f2fs_discard-25'],
  ] as const;
  for (const [name, comm] of pairs) expect(kernelKnowledge().entryOfComm(comm)?.name).toBe(role(name)?.entry?.name);
});
