import { describe, expect, it } from 'vitest';
import { explainGroup } from '../../src/atlas/explain.ts';
import { kernelKnowledge } from '../../src/atlas/knowledge.ts';
import { atlasLabeller } from '../../src/atlas/labeller.ts';
import { type Group, groupCensus } from '../../src/census/group.ts';
import { stacks } from '../support/stacks.ts';

const V61 = '6.1.0-50-amd64';
const V612 = '6.12.117+deb12-amd64';

const SYSCALL = 'do_syscall_64 entry_SYSCALL_64_after_hwframe';
const WORK = 'process_one_work worker_thread kthread ret_from_fork';
const TICK =
  'task_tick_fair sched_tick update_process_times tick_nohz_handler __hrtimer_run_queues hrtimer_interrupt sysvec_apic_timer_interrupt asm_sysvec_apic_timer_interrupt';
const SOFTIRQ = 'handle_softirqs sysvec_apic_timer_interrupt asm_sysvec_apic_timer_interrupt';

interface Said {
  readonly text: string;
  readonly entry: string;
  readonly trees: string;
}

/** What is said of calls with one stack, innermost frame first. */
function said(kernel: string, frames: string, comm = 'bash', target = 'rb_insert_color'): Said {
  const census = stacks([`1 ${comm}`, ...frames.split(' ')].join('\n'), target);
  census.facts.kernels.push(kernel);
  const { groups } = groupCensus(census, { by: 'site', knowledge: kernelKnowledge(), labeller: atlasLabeller });
  const [group] = groups as [Group];
  const { text, candidates } = explainGroup({ ...group, path: group.paths[0]!.path }, 'full');
  return { text, entry: group.entries[0]?.name ?? '', trees: candidates.map(({ id }) => id).join(' ') };
}

// What audits found wrong once (docs/atlas-audit.md), each with the words that are right.
describe('findings of the audits', () => {
  it.each([
    [V612, `hrtimer_start_range_ns start_dl_timer update_curr_dl_se update_curr ${TICK}`, /^Fair tasks have used up/],
    [V612, `bfq_weights_tree_add __bfq_entity_update_weight_prio bfq_dispatch_request ${WORK}`, /^The weight of a BFQ/],
    [V612, `__bfq_bfqq_expire bfq_bfqq_expire bfq_insert_requests sys_fsync ${SYSCALL}`, /^The turn of a BFQ queue/],
    [V612, `xfs_extent_busy_insert_list xfs_ioc_trim sys_ioctl ${SYSCALL}`, /^A free extent is marked busy while/],
    [V612, `xfs_extent_busy_insert_list xfs_free_ag_extent sys_unlink ${SYSCALL}`, /^An extent is freed/],
    [V61, `tg_update_disptime blk_throtl_cancel_bios del_gendisk sys_ioctl ${SYSCALL}`, /^A disk goes away/],
    [V612, `put_prev_entity put_prev_task_fair sched_move_task do_exit sys_exit ${SYSCALL}`, /^A task is moved to/],
    [
      V612,
      `put_prev_entity pick_next_task_fair __schedule __cond_resched __fput sys_close ${SYSCALL}`,
      /^A task is preempted/,
    ],
    [
      V61,
      `put_prev_entity pick_next_task_fair __schedule schedule pipe_read sys_read ${SYSCALL}`,
      /^A task gives up the CPU to sleep/,
    ],
    [V612, `hrtimer_start_range_ns timerfd_read_iter vfs_read sys_read ${SYSCALL}`, /^A periodic timerfd/],
    [V612, `tmigr_update_events tmigr_inactive_up tmigr_cpu_deactivate do_idle`, /^A CPU goes idle/],
    [V612, `perf_event_groups_insert list_add_event sys_perf_event_open ${SYSCALL}`, /whether they count now or wait/],
  ])('on %s, %s', (kernel, frames, right) => {
    expect(said(kernel, `rb_insert_color ${frames}`).text).toMatch(right);
  });

  it.each([V61, V612])('knows that drivers set addresses by jumps that leave no frame (%s)', (kernel) => {
    const { text, trees } = said(kernel, `rb_insert_color veth_newlink rtnl_newlink sys_sendmsg ${SYSCALL}`);
    expect(text).toMatch(/a driver gives its network device an address/i);
    expect(trees).toBe('device-addresses');
    expect(said(kernel, `rb_insert_color frobnicate rtnl_newlink sys_sendmsg ${SYSCALL}`).trees).toBe('');
  });

  it('names code of a module that is freed once it has run', () => {
    const frames = `0xffffffffc04500c4 do_one_initcall do_init_module sys_finit_module ${SYSCALL}`;
    expect(said(V612, frames, 'modprobe', 'misc_register').text).toMatch(/^init code of a module calls misc_register/);
    const elsewhere = `0xffffffffc04500c4 ksys_write sys_write ${SYSCALL}`;
    expect(said(V612, elsewhere, 'bash', 'vfs_write').text).toMatch(/^ksys_write /);
  });

  it.each([
    [`schedule exit_to_user_mode_loop sys_read ${SYSCALL}`, 'schedule', /^A running task is preempted on its way back/],
    [
      `schedule __cond_resched ext4_readdir sys_getdents64 ${SYSCALL}`,
      'schedule',
      /^A task is preempted at a preemption/,
    ],
    [`try_to_wake_up sched_ttwu_pending do_idle`, 'try_to_wake_up', /waker is not on this stack/],
    [`kfree_skb_reason udp_queue_rcv_one_skb ${SOFTIRQ}`, 'kfree_skb_reason', /datagram that was received is dropped/],
  ])('says what %s is for', (frames, target, right) => {
    expect(said(V612, frames, 'bash', target).text).toMatch(right);
  });

  it('never speaks of what only other kernels do', () => {
    const frames = `rb_insert_color put_prev_entity pick_next_task_fair __schedule schedule pipe_read sys_read ${SYSCALL}`;
    expect(said(V61, frames).text).not.toMatch(/delayed|virtual deadline, augmented/);
    const quota = 'rb_insert_color add_delayed_ref_head btrfs_add_delayed_tree_ref btrfs_alloc_tree_block';
    expect(said(V612, `${quota} sys_link ${SYSCALL}`).trees).toBe('btrfs-delayed-ref-heads');
  });

  it.each([
    ['copy_mnt_ns create_new_namespaces sys_unshare', 'mounts-of-namespace'],
    ['add_delayed_ref btrfs_alloc_tree_block sys_link', 'btrfs-delayed-refs'],
    ['htb_dequeue __qdisc_run sys_sendto', 'htb-waiting-classes'],
    ['hfsc_enqueue __dev_queue_xmit sys_sendto', 'hfsc-eligible-classes'],
  ])('strikes out inserters that %s would show as frames of their own', (frames, tree) => {
    expect(said(V612, `rb_insert_color ${frames} ${SYSCALL}`).trees).toBe(tree);
    // A build nobody has looked at may differ.
    expect(said('6.12.7-custom', `rb_insert_color ${frames} ${SYSCALL}`).trees).not.toBe(tree);
  });

  it.each([
    [`swake_up_one rcu_core ${SOFTIRQ}`, '', 'RCU softirq'],
    [`activate_task sched_balance_rq sched_balance_domains ${SOFTIRQ}`, '', 'scheduler softirq'],
    [`try_to_wake_up ${SOFTIRQ}`, '', 'wake-up of ksoftirqd'],
    ['schedule irqentry_exit_to_user_mode asm_sysvec_apic_timer_interrupt', '', 'return to user mode'],
    ['rescuer_thread kthread ret_from_fork', 'kworker/R-kbloc', 'workqueue rescuer'],
    ['do_exit kthread_exit kthread ret_from_fork', 'ext4lazyinit', 'ext4lazyinit (ext4 background initialisation)'],
    [`try_to_wake_up ${WORK}`, 'kworker/1:2', 'kworker between work items'],
    [`try_to_wake_up kick_pool ${WORK}`, 'kworker/1:2', 'kworker between work items'],
    [`try_to_wake_up blk_mq_run_work_fn ${WORK}`, 'kworker/1:2', 'blk_mq_run_work_fn'],
    [`do_faccessat ${SYSCALL}`, '', 'access(2), faccessat(2)'],
    [`vm_mmap_pgoff ${SYSCALL}`, '', 'mmap(2)'],
    ['kernel_execve call_usermodehelper_exec_async ret_from_fork', '', 'user-mode helper started by the kernel'],
    ['x asm_xenpv_exc_nmi', '', 'NMI'],
  ])('calls the entry of %s (%s) by its name', (frames, comm, entry) => {
    expect(said(V612, `rb_insert_color enqueue_task_fair ${frames}`, comm).entry).toBe(entry);
  });

  it('has one entry for workers between work items', () => {
    const drawing = [
      '1 2',
      'rb_insert_color rb_insert_color',
      'put_prev_entity put_prev_entity',
      '__cond_resched schedule',
      'process_one_work worker_thread',
      'worker_thread kthread',
      'kthread',
    ];
    const census = stacks(
      drawing
        .map((line) =>
          line
            .split(' ')
            .map((cell) => cell.padEnd(20))
            .join(''),
        )
        .join('\n'),
    );
    const { groups } = groupCensus(census, { by: 'entry', knowledge: kernelKnowledge() });
    expect(groups.map(({ entries }) => entries.map(({ name, kind }) => [name, kind]))).toEqual([
      [['kworker between work items', 'kthread']],
    ]);
  });

  it('names no work item after the target', () => {
    expect(said(V612, `call_rcu ${WORK}`, 'kworker/1:2', 'call_rcu').entry).not.toBe('call_rcu');
  });
});
