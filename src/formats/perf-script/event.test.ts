import { describe, expect, test } from 'vitest';
import { type Period, periodOf, targetName } from './event.ts';

const EVENTS: Record<Period, string[]> = {
  calls: [
    'mem:0xffffffff8e7ea5b0:x',
    'mem:0xffffffff8e7ea5b0/4:rw:u',
    'probe:vfs_write',
    'probe_libc:malloc__return',
    'kprobes:p_vfs_write_0',
    'sdt_libc:memory_sbrk_more',
    'sched:sched_switch',
    'sched:sched_process_fork:k',
    'syscalls:sys_enter_write',
    '9p:9p_client_req',
    'raw_syscalls:sys_enter',
  ],
  'varying calls': [
    'page-faults',
    'minor-faults:u',
    'faults',
    'context-switches',
    'cs',
    'migrations',
    'cpu-migrations:k',
  ],
  'time or work': [
    'sched:sched_stat_sleep',
    'sched:sched_stat_runtime',
    'sched:sched_stat_iowait:u',
    'cpu-clock',
    'cpu-clock:u',
    'task-clock:ppp',
    'cycles',
    'cycles:ppp',
    'instructions:u',
    'branches:uH',
    'cache-misses',
    'LLC-load-misses',
    'stalled-cycles-frontend',
    'cpu/event=0x3c,umask=0x0/',
    'cpu_core/cache-misses/',
    'armv8_pmuv3_0/cycles/',
    'uncore_imc_0/cas_count_read/',
    'raw 0x1a8',
    'r1a8:u',
    'an-event-nobody-has-thought-of',
    'unknown tracepoint',
    '',
  ],
};

describe('what the period is', () => {
  test.each(
    Object.entries(EVENTS).flatMap(([period, events]) => events.map((event) => [event, period])),
  )('of %s: %s', (event, period) => {
    expect(periodOf(event)).toBe(period);
  });
});

test.each([
  ['probe:rb_insert_color', 'rb_insert_color', 'rb_insert_color'],
  ['probe:rb_insert_color_1', 'rb_insert_color', 'rb_insert_color'],
  ['kprobes:p_rb_insert_color_0', 'rb_insert_color', 'rb_insert_color'],
  ['probe:other', 'rb_insert_color', 'probe:other'],
  ['mem:0xffffffff8e7ea5b0:x', 'rb_insert_color', 'rb_insert_color'],
  ['cycles:ppp', 'rb_insert_color', 'cycles:ppp'],
  ['sched:sched_switch', '__schedule', 'sched:sched_switch'],
  ['', 'main', 'samples'],
])('the target of %s below %s is %s', (event, innermost, target) => {
  expect(targetName(event, innermost)).toBe(target);
});
