import { expect, test } from 'vitest';
import { stacks } from '../../test/support/stacks.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { Census } from './census.ts';
import { groupCensus } from './group.ts';
import { type Path, PathFinder } from './paths.ts';

function paths(census: Census): Path[] {
  const finder = new PathFinder(census, kernelKnowledge());
  return [...census.rows].map((row) => finder.pathOf(row.stack, row.target));
}

const names = (path: Path) => path.frames.map((frame) => frame.name);
const site = (path: Path) => path.frames[path.site]?.name;

test('a path ends with the entry of the innermost context, however the boundary is shown', () => {
  const [kernel510, kernel61, kernel4, perf] = paths(
    stacks(`
      1                                  2                                3                     4
      rb_insert_color                    rb_insert_color                  rb_insert_color       rb_insert_color
      timerqueue_add                     timerqueue_add                   hrtimer_interrupt     hrtimer_interrupt
      hrtimer_interrupt                  hrtimer_interrupt                apic_timer_interrupt  asm_sysvec_apic_timer_interrupt
      sysvec_apic_timer_interrupt        sysvec_apic_timer_interrupt      <EOI>                 vfs_write
      </IRQ>                             </IRQ>                           ? default_idle        do_syscall_64
      asm_sysvec_apic_timer_interrupt    asm_sysvec_apic_timer_interrupt  do_idle               main (a.out)
      do_idle                            vfs_write
    `),
  );
  for (const path of [kernel510, kernel61, kernel4, perf]) {
    expect(path?.entry).toEqual({ kind: 'interrupt', name: 'timer interrupt' });
    expect(site(path!)).toBe('hrtimer_interrupt');
    expect(names(path!)).not.toContain('do_idle');
    expect(names(path!)).not.toContain('vfs_write');
  }
  expect(kernel510).toBe(kernel61);
});

test('doubted frames are on no path, unless there is nothing else', () => {
  const [sure, doubted] = paths(
    stacks(`
      1                2
      rb_insert_color  ? rb_insert_color
      ? stale          ? ext4_htree_store_dirent
      vfs_write        ? dump_stack_lvl
      do_syscall_64    ? pre [rbdump]
      ? __x64_sys_read ? opt_pre_handler
      ext4_x           ? __x64_sys_getdents64
      ext4_y           ? do_syscall_64
      ext4_z           ? __x64_sys_read
    `),
  );
  expect(sure?.isDoubted).toBe(false);
  expect(names(sure!)).toEqual(['rb_insert_color', 'vfs_write', 'do_syscall_64', 'ext4_x', 'ext4_y', 'ext4_z']);
  expect(doubted?.isDoubted).toBe(true);
  expect(names(doubted!)).toEqual(['rb_insert_color', 'ext4_htree_store_dirent', 'sys_getdents64', 'do_syscall_64']);
  expect(doubted?.entry.name).toBe('getdents64(2)');
});

test('the site is neither target nor helper, and no group depends on what was inlined', () => {
  const census = stacks(
    `
    1                   2                  4
    rb_insert_color     rb_insert_color    put_prev_entity
    enqueue_entity      enqueue_task_fair  __schedule
    enqueue_task_fair   ttwu_do_activate
    ttwu_do_activate
    `,
    'rb_insert_color',
  );
  const { groups } = groupCensus(census, { by: 'site', knowledge: kernelKnowledge() });
  expect(groups.map(({ label, count }) => [label, count])).toEqual([
    ['put_prev_entity', 4],
    ['enqueue_task_fair', 3],
  ]);
});

test('a stack of nothing but the target has no caller; one of user frames only is a path in the program', () => {
  const [alone, user] = paths(
    stacks(
      `
      1           2
      vfs_write   main (a.out)
                  start (a.out)
      `,
      'vfs_write',
    ),
  );
  expect([alone?.site, names(alone!)]).toEqual([-1, ['vfs_write']]);
  expect([user?.site, names(user!), user?.entry.kind]).toEqual([0, ['main', 'start'], 'user']);
});

test('a system call is one frame, however many wrappers the compiler kept', () => {
  const [inlined, kept, recursive] = paths(
    stacks(`
      1                2                       3
      dup_task         dup_task                sys_a
      kernel_clone     kernel_clone            sys_a
      __x64_sys_clone  __do_sys_clone          __x64_sys_b
      do_syscall_64    __se_sys_clone          do_syscall_64
      x                __x64_sys_clone         x
      x                do_syscall_64           x
    `),
  );
  expect(names(kept!)).toEqual(['dup_task', 'kernel_clone', 'sys_clone', 'do_syscall_64']);
  expect(names(kept!)).toEqual(names(inlined!).slice(0, 4));
  expect(names(recursive!).filter((name) => name.startsWith('sys_'))).toEqual(['sys_a', 'sys_a', 'sys_b']);
});

test('a target of a module is met with and without the module', () => {
  for (const target of ['ext4:f', 'f', 'f.isra.0']) {
    const [path] = paths(
      stacks(
        `
        1
        f.isra.0 [ext4]
        g
        `,
        target,
      ),
    );
    expect(site(path!)).toBe('g');
  }
  const [image, other] = paths(stacks('1         2\nf         f [ext4]\ng         g', 'vmlinux:f'));
  expect([site(image!), site(other!)]).toEqual(['g', 'f']);
});

test('work items and kernel threads are named by their function, well-known threads by their name', () => {
  const found = paths(
    stacks(`
      1                 2              3              4              5
      rb_insert_color   x              x              x              rb_insert_color
      flush_work_fn     kjournald2     some_thread_fn schedule       queue_delayed_work_on
      process_one_work  kthread        kthread        kthread        process_one_work
      worker_thread     ret_from_fork  ret_from_fork  ret_from_fork  worker_thread
      kthread                                                        kthread
      ret_from_fork                                                  ret_from_fork
    `),
  );
  expect(found.map((path) => `${path.entry.kind} ${path.entry.name}`)).toEqual([
    'work flush_work_fn',
    'kthread jbd2 (ext4 journal)',
    'kthread some_thread_fn',
    'kthread kernel thread', // it sleeps: its function left no frame
    'work work item', // the work function left by a tail call
  ]);
});

test('a stack cut short is told by the name of its task, if that is one of the kernel', () => {
  const census = stacks(`
    5 ksoftirqd/0          3 curl                 2 swapper/1            1 kswapd0           1 ksoftirqd/1
    kmem_cache_alloc       kmem_cache_alloc       kmem_cache_alloc       kmem_cache_alloc    kmem_cache_alloc
    __build_skb            __build_skb            __build_skb            ext4_es_insert      __build_skb
    __netdev_alloc_skb     __netdev_alloc_skb     __netdev_alloc_skb     </IRQ>              __netdev_alloc_skb
    e1000_clean_rx_irq     e1000_clean_rx_irq     e1000_clean_rx_irq     kswapd              e1000_clean_rx_irq
                                                                                             net_rx_action
  `);
  const { groups } = groupCensus(census, { by: 'entry', knowledge: kernelKnowledge() });
  expect(groups.map(({ label, count }) => [label, count])).toEqual([
    ['ksoftirqd', 5],
    // a program, and an interrupt of which nothing is known
    ['unknown entry', 4],
    ['idle CPU', 2],
    ['network receive softirq', 1],
  ]);
  const [site] = groupCensus(census, { by: 'site', knowledge: kernelKnowledge() }).groups;
  expect(site?.entries.map(({ kind, name, count }) => [kind, name, count])).toContainEqual(['kthread', 'ksoftirqd', 5]);
});

test('the path of a user function is the user part of the stack: names of the kernel mean nothing there', () => {
  const census = new Census();
  const file = '/usr/lib/libc.so.6';
  const frames = ['malloc', 'ksys_write', 'main'].map((name, i) => ({
    symbol: census.symbols.intern(name, i === 0 ? file : '/bin/a', 'user'),
    offset: i,
    unreliable: false,
  }));
  const stack = census.stack(frames);
  const target = census.target(`${file}:malloc`);
  const path = new PathFinder(census, kernelKnowledge()).pathOf(stack, target);
  expect([names(path), path.site, path.frames[1]?.module]).toEqual([['malloc', 'ksys_write', 'main'], 1, '/bin/a']);
  expect([path.entry.kind, path.isDoubted]).toEqual(['user', false]);
});
