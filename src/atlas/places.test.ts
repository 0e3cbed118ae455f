import { expect, test } from 'vitest';
import { glossOf } from './gloss.ts';
import { placeInPath, placesOf, subsystemInPath } from './places.ts';
import { syscallSummary } from './syscalls.ts';

/** Frames from `name` or `name [module]`, innermost first. */
function path(...frames: string[]) {
  return frames.map((frame) => {
    const [, name = '', module = ''] = /^(\S+)(?: \[(\w+)\])?$/.exec(frame) ?? [];
    return { name, module };
  });
}

const fileOf = (frames: ReturnType<typeof path>, index = 0) => placeInPath(frames, index)?.file;

test('a function has a file and a subsystem', () => {
  expect(placeInPath(path('enqueue_task_fair'), 0)).toEqual({
    file: 'kernel/sched/fair.c',
    subsystem: 'CPU scheduler (fair class)',
  });
});

test.each([
  ['sys_write', 'fs/read_write.c'],
  ['exc_page_fault', 'arch/x86/mm/fault.c'],
  ['asm_sysvec_apic_timer_interrupt', 'arch/x86/include/asm/idtentry.h'],
  ['entry_SYSCALL_64_after_hwframe', 'arch/x86/entry/entry_64.S'],
  ['vma_interval_tree_insert', 'mm/interval_tree.c'],
  ['ext4_da_write_begin', 'fs/ext4/inode.c'],
  ['tcp_sendmsg_locked', 'net/ipv4/tcp.c'],
  ['virtqueue_add_sgs', 'drivers/virtio/virtio_ring.c'],
  ['perf_trace_sched_switch', 'include/trace/events/sched.h'],
  ['el1h_64_irq_handler', 'arch/arm64/kernel/entry-common.c'],
])('%s lives in %s', (name, file) => {
  expect(fileOf(path(name))).toBe(file);
});

test('a module settles a name that several files define', () => {
  expect(placesOf('init_once').length).toBeGreaterThan(3);
  expect(placeInPath(path('init_once'), 0)).toBeNull();
  expect(fileOf(path('init_once [ext4]'))).toBe('fs/ext4/super.c');
});

test('the frames around settle a name that several files define', () => {
  expect(fileOf(path('init_once', 'setup_object', 'fat_alloc_inode'))).toBe('fs/fat/inode.c');
});

test('entry frames tell the architecture', () => {
  expect(fileOf(path('show_regs', 'entry_SYSCALL_64_after_hwframe'))).toBe('arch/x86/kernel/dumpstack.c');
  expect(fileOf(path('show_regs', 'el1h_64_irq'))).toBe('arch/arm64/kernel/process.c');
});

test('files that only stand in for others in rare configurations do not make a name ambiguous', () => {
  expect(fileOf(path('kmem_cache_alloc'))).toBe('mm/slub.c');
  expect(fileOf(path('mutex_lock'))).toBe('kernel/locking/mutex.c');
  expect(fileOf(path('do_mmap'))).toBe('mm/mmap.c');
});

test('what moved between versions is placed where the version of the other frames has it', () => {
  // vma_expand moved from mm/mmap.c to mm/vma.c; vms_gather_munmap_vmas is new, do_mas_munmap is old
  expect(fileOf(path('vma_expand', 'vms_gather_munmap_vmas'))).toBe('mm/vma.c');
  expect(fileOf(path('vma_expand', 'do_mas_munmap'))).toBe('mm/mmap.c');
});

test('a function of no kernel has no place, gloss or summary', () => {
  expect(placeInPath(path('no_such_function'), 0)).toBeNull();
  expect(placeInPath(path('schedule'), 1)).toBeNull();
  expect(subsystemInPath(path('schedule'), 0)).toBe('CPU scheduler');
  expect(subsystemInPath(path('init_once'), 0)).toBeNull();
  expect(glossOf('no_such_function')).toBeNull();
  expect(syscallSummary('no_such_call')).toBeNull();
  expect(syscallSummary('write')).toMatch(/writes/);
  expect(glossOf('try_to_wake_up')).toMatch(/runnable/);
});
