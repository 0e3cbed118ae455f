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
  ['__do_softirq', 'softirq', 'soft interrupt', 'softirq'],
  ['handle_softirqs', 'softirq', 'soft interrupt', 'softirq'],
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
