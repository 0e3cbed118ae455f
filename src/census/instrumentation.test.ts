import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { instrumentationDepth, type Peeling } from './instrumentation.ts';
import type { Frame } from './stack-table.ts';
import { SymbolTable } from './symbol-table.ts';

const knowledge = kernelKnowledge();

/** What is left of a stack, innermost first: `? f` is doubted, `</IRQ>` a marker. */
function left(stack: string, { target, withReports }: { target?: string; withReports?: boolean } = {}): string {
  const symbols = new SymbolTable();
  const names = stack.split(/,\s*/);
  const frames = names.map((text): Frame => {
    const name = text.replace(/^\? /, '');
    const symbol = symbols.intern(name, '', name.startsWith('<') ? 'marker' : 'kernel');
    return { symbol, offset: -1, unreliable: name !== text };
  });
  const peeling: Peeling = {
    withReports: withReports === true,
    ...(target !== undefined && { isTarget: (symbol) => symbols.name(symbol) === target }),
  };
  return names.slice(instrumentationDepth(frames, symbols, knowledge, peeling)).join(', ');
}

describe('frames of a recording tool', () => {
  test.each([
    ['dump_stack_lvl, pre, kprobe_int3_handler, exc_int3, asm_exc_int3, vfs_read, ksys_read', 'vfs_read, ksys_read'],
    ['pre, kprobe_ftrace_handler, 0xffffffffc03160c8, vfs_read', 'vfs_read'],
    [
      'bpf_prog_0123456789abcdef_count, bpf_trace_run2, __bpf_trace_sched_switch, __traceiter_sched_switch, __schedule',
      '__schedule',
    ],
    ['bpf_get_stackid, bpf_prog_0123456789abcdef, bpf_trampoline_6442510464_1, vfs_read', 'vfs_read'],
    ['? dump_stack, ? vfs_read, ksys_read', '? vfs_read, ksys_read'],
    ['vfs_read, ksys_read', 'vfs_read, ksys_read'],
    ['dump_stack, vfs_read, ? dump_stack, ksys_read', 'vfs_read, ? dump_stack, ksys_read'],
  ])('%s', (stack, rest) => expect(left(stack)).toBe(rest));

  test('are not what calls the target, or is it', () => {
    const stack = 'dump_stack, panic, check_panic_on_warn, evict';
    expect(left(stack, { withReports: true })).toBe('evict');
    expect(left(stack, { withReports: true, target: 'panic' })).toBe('panic, check_panic_on_warn, evict');
    expect(left(stack, { target: 'dump_stack' })).toBe(stack);
  });

  test.each([
    ['kfree, bpf_prog_free_deferred, process_one_work'],
    ['bpf_prog_load, __sys_bpf, sys_bpf'],
    ['bpf_trampoline_update, bpf_trampoline_link_prog'],
    ['perf_trace_init, perf_tp_event_init, perf_init_event'],
    ['asm_exc_int3, vfs_read'],
  ])('are none: %s', (stack) => expect(left(stack)).toBe(stack));
});

test('no function that somebody wrote has a name that is taken off, but those that are listed', () => {
  const file = new URL('../../test/atlas/tracing-functions.txt', import.meta.url);
  const written = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /^\w/.test(line));
  expect(written.length).toBeGreaterThan(100);
  const peeled = written.filter((name) => knowledge.role(name)?.instrumentation || knowledge.role(name)?.reports);
  expect(peeled.filter((name) => !/^bpf_trace_run\d+$/.test(name))).toEqual(['perf_trace_run_bpf_submit']);
});

describe('functions by which the kernel reports', () => {
  test.each([
    [
      'a warning that is a panic',
      'dump_stack_lvl, ? __pfx_x, ? vscnprintf, ? pad, ? pad, panic, ? __warn, check_panic_on_warn, ? evict, __warn, report_bug, handle_bug, exc_invalid_op, asm_exc_invalid_op, evict, sys_unlink',
      'evict, sys_unlink',
    ],
    [
      'a warning, on arm64',
      'dump_backtrace, show_stack, dump_stack, panic, bug_handler, call_break_hook, brk_handler, do_debug_exception, el1_dbg, el1_sync_handler, el1_sync, evict',
      'evict',
    ],
    [
      'KASAN',
      'dump_stack_lvl, print_address_description, print_report, kasan_report, kasan_check_range, evict, sys_unlink',
      'evict, sys_unlink',
    ],
    [
      'lockdep',
      'dump_stack_lvl, print_circular_bug, check_noncircular, __lock_acquire, lock_acquire, _raw_spin_lock, evict',
      '_raw_spin_lock, evict',
    ],
    ['a function that is nothing else', 'refcount_warn_saturate, sock_put', 'sock_put'],
    [
      'a stalled CPU, found by its own timer',
      'dump_stack, nmi_cpu_backtrace, rcu_dump_cpu_stacks, check_cpu_stall, update_process_times, asm_sysvec_apic_timer_interrupt, </IRQ>, evict',
      'evict',
    ],
    [
      'the same, the entry printed behind the marker',
      'dump_stack, rcu_dump_cpu_stacks, update_process_times, </IRQ>, asm_sysvec_apic_timer_interrupt, evict',
      'evict',
    ],
    [
      'a thread that looks',
      'dump_stack, nmi_cpu_backtrace, check_hung_uninterruptible_tasks, watchdog, kthread',
      'watchdog, kthread',
    ],
  ])('%s', (_what, stack, rest) => expect(left(stack, { withReports: true })).toBe(rest));

  test.each([
    ['print_report, evict', 'nothing below it says that it printed this stack'],
    ['evict, panic, die', 'what it called is no reporter: a notifier'],
    ['dump_stack, evict, kasan_report', 'it is the caller of what printed'],
  ])('%s: %s', (stack) => {
    expect(left(stack, { withReports: true })).toBe(stack.replace('dump_stack, ', ''));
  });

  test('stay where nothing else is there', () => {
    expect(left('dump_stack, panic, die', { withReports: true })).toBe('panic, die');
  });

  test('stay where targets are counted', () => {
    expect(left('dump_stack, panic, die, evict')).toBe('panic, die, evict');
  });
});
