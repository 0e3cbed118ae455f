import fc from 'fast-check';
import { Census } from '../../src/census/census.ts';
import type { LossCause, Note } from '../../src/census/message.ts';
import { NO_TARGET } from '../../src/census/row-table.ts';

/** Names as kernels, compilers and people make them, and some that nobody should. */
export const symbolName = fc.oneof(
  fc.constantFrom(
    'rb_insert_color',
    'timerqueue_add',
    'vfs_write',
    '__x64_sys_write',
    'do_syscall_64',
    'entry_SYSCALL_64_after_hwframe',
    'asm_sysvec_apic_timer_interrupt',
    'tcp_v4_rcv.isra.0',
    'f.constprop.0.isra.3',
    'g.cold',
    'kthread',
    'process_one_work',
    'dump_stack_lvl',
    'exc_int3',
    '0xffffffffc0318083',
  ),
  fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
);

const frame = fc.record({
  name: symbolName,
  module: fc.constantFrom('', '', '', 'ext4', '[unknown]', '/usr/lib/libc.so.6'),
  space: fc.constantFrom('kernel', 'kernel', 'kernel', 'user', 'marker'),
  file: fc.constantFrom('', '', '', 'kernel/trace/trace_kprobe.c'),
  offset: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 0x7fffffff })),
  line: fc.constantFrom(0, 0, 664),
  unreliable: fc.boolean(),
  inlined: fc.boolean(),
});

const number = fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 0x7fffffff }));

const row = fc.record({
  frames: fc.array(frame, { minLength: 1, maxLength: 6 }),
  target: fc.constantFrom('', 'rb_insert_color', 'vfs_write', 'ext4:f'),
  comm: fc.oneof(fc.constantFrom('', 'db_bench', 'kworker/0:1'), fc.string({ unit: 'grapheme', maxLength: 15 })),
  pid: number,
  cpu: number,
  argument: fc.constantFrom('', 'rotate'),
  count: fc.integer({ min: 1, max: 1_000_000_000 }),
  bytes: fc.constantFrom(0, 0, 4096),
});

const BYTES = { name: 'bytes', unit: 'bytes', of: 'arg3' };

const text = fc.string({ minLength: 1, maxLength: 10 });

const facts = fc.record({
  kernels: fc.uniqueArray(text, { maxLength: 2 }),
  commands: fc.uniqueArray(fc.array(text, { minLength: 1, maxLength: 2 }), {
    maxLength: 2,
    selector: (words) => words.join(' '),
  }),
  cpus: fc.option(fc.integer({ min: 1, max: 512 })),
  durationSeconds: fc.option(fc.integer({ min: 0, max: 1000 })),
  notes: fc.uniqueArray(
    text.map((value): Note => ({ code: 'stated', text: value })),
    { maxLength: 2, selector: ({ code, ...facts }) => JSON.stringify([code, facts]) },
  ),
});

const LOSSES: readonly LossCause[] = [
  { code: 'not-printed' },
  { code: 'map-full', map: 'stacks', limit: 100 },
  { code: 'map-full', map: 'keys' },
  { code: 'stated', text: 'stack storage full' },
];

/** Any census. Times are left out: their buckets have a width of the whole census. */
export const anyCensus: fc.Arbitrary<Census> = fc
  .record({
    rows: fc.array(row, { maxLength: 12 }),
    losses: fc.array(fc.tuple(fc.constantFrom(...LOSSES), fc.integer({ min: 1, max: 99 })), {
      maxLength: 3,
    }),
    facts,
  })
  .map(({ rows, losses, facts }) => {
    const census = new Census();
    for (const { frames, target, bytes, ...key } of rows) {
      const stack = census.stack(
        frames.map(({ name, module, space, file, line, offset, ...flags }) => {
          const isKernel = space === 'kernel';
          const place = [isKernel ? file : '', isKernel ? line : 0] as const;
          return {
            symbol: census.symbols.intern(name, space === 'marker' ? '' : module, space, ...place),
            offset,
            ...flags,
          };
        }),
      );
      const row = census.addCalls(
        stack,
        target === '' ? NO_TARGET : census.target(target),
        census.keys.intern(key),
        key.count,
      );
      if (row >= 0 && bytes > 0) census.rows.addSum(row, census.measure(BYTES), bytes);
    }
    for (const [cause, count] of losses) census.lose(cause, count);
    Object.assign(census.facts, facts);
    return census;
  });
