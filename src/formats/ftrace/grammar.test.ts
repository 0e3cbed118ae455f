import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseContent, parseFrame, parseRecordHead, parseRemark } from './grammar.ts';

/** The rows of the table in grammar.ts whose first column has this head. */
function table(head: string): string[][] {
  const lines = readFileSync(fileURLToPath(new URL('grammar.ts', import.meta.url)), 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith(`// | ${head} `)) + 2;
  const length = lines.slice(start).findIndex((line) => !line.startsWith('// |'));
  const rows = lines.slice(start, start + length);
  return rows.map((line) => {
    const cells = line.slice(5, -1).split(' |');
    return cells.map((cell) => cell.trim());
  });
}

/** The line that a cell shows: `·=>·vfs_write`. */
function shown(cell: string | undefined): string {
  return (cell ?? '').replaceAll('`', '').replaceAll('·', ' ').replaceAll('→', '\t');
}

const RECORDS = table('record');
const FRAMES = table('frame');

test('the tables are found', () => {
  expect([RECORDS.length, FRAMES.length]).toEqual([14, 14]);
});

describe('a record', () => {
  test.each(RECORDS)('%s', (cell, comm, pid, cpu, content) => {
    const line = shown(cell);
    const head = parseRecordHead(line);
    const printed = comm === '<...>' ? '' : comm;
    expect([head?.comm, head?.pid, head?.cpu]).toEqual([printed, Number(pid), Number(cpu)]);
    expect(line.slice(head?.content)).toBe(content);
  });

  test('times are told in every unit', () => {
    const seconds = (time: string) => parseRecordHead(`  bash-140   [001] d..2. ${time}: f <-g`)?.seconds;
    expect([seconds('52.443379'), seconds('7'), seconds('52.443379123')]).toEqual([52.443379, null, 52.443379123]);
    expect(parseRecordHead('  <idle>-0   0d.h2.  123us+: f <-g')?.seconds).toBeCloseTo(123e-6);
    const verbose = '   bash   140   1 1 00000002 00000001 [0000a1b2] 1.002ms (+0.001ms): f <-g';
    expect(parseRecordHead(verbose)?.seconds).toBeCloseTo(0.001002);
  });

  test.each([
    'perf   196 [000]    18.873442:          1 cycles: ',
    ' => vfs_write',
    '[   12.345678] CPU: 0 PID: 140 Comm: bash Not tainted 6.1.0 #1',
    'Nov 23 03:26:07 host kernel: x-12 [001] y',
    '',
  ])('%j is none', (line) => {
    expect(parseRecordHead(line)).toBeNull();
  });
});

describe('a frame', () => {
  test.each(FRAMES)('%s', (cell, symbol, offset, place) => {
    const frame = parseFrame(shown(cell));
    expect([frame?.raw, frame?.offset]).toEqual([symbol, Number(offset || -1)]);
    expect(`${frame?.space} ${frame?.module}`.trim()).toBe(place);
  });

  test.each(['vfs_write', ' => ', ' => some words of prose', '=>', '# => caller'])('%j is none', (line) => {
    expect(parseFrame(line)).toBeNull();
  });
});

describe('a content', () => {
  test.each([
    ['vfs_read <-ksys_read', 'vfs_read', 'ksys_read'],
    ['vfs_read+0x0/0x2a0 <-ksys_read+0x5f/0xe0', 'vfs_read', 'ksys_read'],
    ['ext4_map+0x4/0x70 [ext4] <-ext4_get+0x1/0x2 [ext4]', 'ext4_map', 'ext4_get'],
    ['vfs_read <ffffffff8e1617b5> <-ksys_read <ffffffff8e1617c5>', 'vfs_read', 'ksys_read'],
    ['do_sys_open(dfd=0xffffff9c, filename=0x7ff) <-__x64_sys_openat', 'do_sys_open', '__x64_sys_openat'],
    ['function:             vfs_read <-- ksys_read', 'vfs_read', 'ksys_read'],
    ['vfs_read (ksys_read)', 'vfs_read', 'ksys_read'],
    ['foo.isra.0 <-bar', 'foo.isra.0', 'bar'],
    ['vfs_read', 'vfs_read', ''],
  ])('%s is a call', (content, name, caller) => {
    expect(parseContent(content, 'function')).toEqual({ kind: 'function', name, caller, repeats: 0 });
  });

  test('a call that came again and again', () => {
    const content = 'vfs_read <-ksys_read (repeats: 12, last_ts: 52.443379)';
    expect(parseContent(content, 'function')).toMatchObject({ name: 'vfs_read', caller: 'ksys_read', repeats: 12 });
  });

  test.each([
    ['sched_wakeup: comm=x pid=1 prio=120', 'sched_wakeup', ''],
    ['sched_wakeup:         x:1 [120] CPU:000', 'sched_wakeup', ''],
    ['p: (vfs_write+0x0/0x1a0)', 'p', 'vfs_write'],
    ['p: (vfs_write+0x4/0x1a0 [ext4]) count=3', 'p', 'vfs_write'],
    ['p: (vfs_write+0x44/0x1a0) count=3', 'p', ''],
    ['r: (ksys_write+0x6f/0xf0 <- vfs_write) ret=3', 'r', 'vfs_write'],
    ['u: (0x4245c0) x=1', 'u', ''],
    ['#1     context    irq timer_latency    300 ns', 'timerlat', ''],
  ])('%s is an event', (content, name, probed) => {
    expect(parseContent(content, 'timerlat')).toEqual({ kind: 'event', name, probed });
  });

  test.each([
    ['<stack trace>', 'stack'],
    ['kernel_stack:         <stack trace >', 'stack'],
    ['<user stack trace>', 'user-stack'],
    ['user_stack:           <user stack trace>', 'user-stack'],
  ])('%s is the head of a stack', (content, kind) => {
    expect(parseContent(content, '').kind).toBe(kind);
  });
});

test.each([
  ['CPU:1 [LOST 123 EVENTS]', { kind: 'lost', entries: 123 }],
  ['CPU:1 [LOST EVENTS]', { kind: 'lost', entries: -1 }],
  ['CPU:0 [7 EVENTS DROPPED]', { kind: 'lost', entries: 7 }],
  ['CPU:0 [EVENTS DROPPED]', { kind: 'lost', entries: -1 }],
  ['# entries-in-buffer/entries-written: 918/1200   #P:2', { kind: 'entries', inBuffer: 918, written: 1200, cpus: 2 }],
  ['# tracer: function_graph', { kind: 'tracer', name: 'function_graph' }],
  ['# irqsoff latency trace v1.1.5 on 6.1.0-56-amd64', { kind: 'kernel', release: '6.1.0-56-amd64' }],
  ['cpus=2', { kind: 'cpus', cpus: 2 }],
  ['##### CPU 1 buffer started ####', { kind: 'nothing' }],
  ['CPU 3 is empty', { kind: 'nothing' }],
  ['Once upon a time', null],
])('%s', (line, remark) => {
  expect(parseRemark(line)).toEqual(remark);
});
