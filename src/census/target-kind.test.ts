import { expect, test } from 'vitest';
import { kindOfTarget, type TargetKind } from './target-kind.ts';

const NAMES: Record<TargetKind, string[]> = {
  function: ['vfs_write', 'add', 'read', 'r1', 'sys_write', 'foo.isra.0'],
  tracepoint: ['sched:sched_switch', '9p:9p_client_req', 'probe_libc:malloc__return', 'sched:sched_switch:u'],
  user: ['/usr/lib/x86_64-linux-gnu/libc.so.6:malloc', '/bin/x:u'],
  event: [
    'cycles',
    'cycles:ppp',
    'cpu-clock:u',
    'branches:uH',
    'page-faults',
    'L1-dcache-load-misses',
    'cpu/cache-misses/',
    'cpu_core/cycles/P',
    'armv8_pmuv3_0/event=0x11/u',
    'cpu_atom/cycles/:u',
    'raw 0x1a8',
    'r1a8',
    'mem:0xffffffff8e7ea5b0:x',
  ],
};

test.each(
  Object.entries(NAMES).flatMap(([kind, names]) => names.map((name) => [name, kind])),
)('%s is a %s', (name, kind) => {
  expect(kindOfTarget(name)).toBe(kind);
});
