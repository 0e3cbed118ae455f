import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { checkReader, groupCounts, readBytes } from '../../test/support/check-reader.ts';
import { type Lack, needs, program } from '../../test/support/needs.ts';
import { recording } from '../../test/support/recordings.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import type { Census } from '../census/census.ts';
import { PathFinder } from '../census/paths.ts';

/** Names of all frames on paths, the rest of the stacks left out. */
function framesOnPaths(census: Census): Set<string> {
  const finder = new PathFinder(census, kernelKnowledge());
  return new Set(
    [...census.rows].flatMap((row) => finder.pathOf(row.stack, row.target).frames.map((frame) => frame.name)),
  );
}

const INSTRUMENTATION = /^(?:dump_stack|pre$|kprobe|exc_int3|asm_exc_int3|opt_pre_handler|optimized_callback|0xffff)/;

test('the founding case', async () => {
  const { census } = await checkReader('counted-traces', 'rbtree-inserts-under-db_bench.txt');
  expect([census.total, census.attributed]).toEqual([1203418, 1191478]);
  expect(census.losses).toEqual([{ code: 'not-listed', count: 11940 }]);
  expect(groupCounts(census)).toEqual([
    ['enqueue_task_fair', 614697],
    ['put_prev_entity', 329874],
    ['__hrtimer_run_queues', 208215],
    ['cfq_add_rq_rb', 16668],
    ['__vma_adjust', 16083],
    ['__es_insert_extent', 5193],
    ['tcp_event_new_data_sent', 748],
  ]);
});

test('dump_stack in a kernel log', async () => {
  const { census, diagnostics } = await checkReader('dmesg', 'dmesg.txt.gz');
  expect([census.total, census.attributed]).toEqual([3066, 3000]);
  expect(census.losses).toEqual([{ code: 'not-printed', count: 66 }]);
  expect(census.targets).toEqual(['rb_insert_color', '__rb_insert_augmented']);
  expect(census.facts.kernels).toEqual(['6.1.0-56-amd64']);
  expect([...framesOnPaths(census)].filter((name) => INSTRUMENTATION.test(name))).toEqual([]);
  expect(diagnostics.peeled.get('dump_stack_lvl')).toBe(3000);
  expect(diagnostics.skippedLines).toBe(0);
  // The timer interrupt's inserts are one group, whatever they interrupted.
  expect(groupCounts(census)[0]).toEqual(['__hrtimer_run_queues', 1241]);
});

test('perf script of two breakpoints', async () => {
  const { census, diagnostics } = await checkReader('perf-script', 'perf-script.txt.gz');
  expect([census.total, census.attributed]).toEqual([2007, 2007]);
  expect(census.targets).toEqual(['rb_insert_color', '__rb_insert_augmented']);
  expect(diagnostics.skippedLines).toBe(0);
  expect(groupCounts(census)[0]).toEqual(['__hrtimer_run_queues', 653]);
});

test('stackcount', async () => {
  const { census } = await checkReader('folded', 'stackcount-folded.txt.gz');
  expect(census.targets).toEqual(['enqueue_task_fair']);
  expect(census.attributed).toBe(census.total);
  expect(groupCounts(census, 'comm').map(([comm]) => comm)).toContain('swapper/0');
});

test('the function tracer with stacks', async () => {
  const { census, diagnostics } = await checkReader('ftrace', 'ftrace.txt.gz');
  expect([census.total, census.attributed, census.losses]).toEqual([459, 459, []]);
  expect(census.targets).toEqual(['enqueue_task_fair']);
  expect([census.facts.cpus, census.facts.durationSeconds]).toEqual([2, 2.056579]);
  expect([...framesOnPaths(census)].filter((name) => INSTRUMENTATION.test(name))).toEqual([]);
  expect([...diagnostics.peeled]).toEqual([['0xffffffffc0318083', 459]]);
  expect(groupCounts(census)).toEqual([
    ['ttwu_do_activate', 365],
    ['sched_move_task', 38],
    ['wake_up_new_task', 38],
    ['activate_task', 18],
  ]);
  expect(groupCounts(census, 'comm')[0]).toEqual(['db_bench', 165]);
});

test('trace-cmd report of two events with stacks', async () => {
  const { census, diagnostics } = await checkReader('ftrace', 'trace-cmd-report.txt.gz');
  expect([census.total, census.attributed, census.losses]).toEqual([457, 457, []]);
  expect(groupCounts(census, 'target')).toEqual([
    ['sched:sched_wakeup', 363],
    ['block:block_rq_issue', 94],
  ]);
  expect([...framesOnPaths(census)].filter((name) => /^(?:trace_event_raw|__traceiter)/.test(name))).toEqual([]);
  expect(diagnostics.skippedLines).toBe(0);
});

test('a histogram of the kernel by stack', async () => {
  const { census, diagnostics } = await checkReader('hist', 'hist.txt.gz');
  expect([census.total, census.attributed, census.rows.size]).toEqual([763, 763, 135]);
  expect(census.targets).toEqual(['enqueue_task_fair']);
  expect(diagnostics.skippedLines).toBe(0);
  expect(diagnostics.peeled.get('kprobe_ftrace_handler')).toBe(763);
  expect(groupCounts(census)[0]).toEqual(['ttwu_do_activate', 659]);
});

test('a map of bpftrace, as text and as JSON', async () => {
  const text = await checkReader('bpftrace', 'bpftrace.txt.gz');
  expect([text.census.total, text.census.attributed, text.census.rows.size]).toEqual([684, 684, 160]);
  // Another run of the same script.
  const json = await checkReader('bpftrace', 'bpftrace-json.txt.gz');
  expect([json.census.total, json.census.attributed, json.census.rows.size]).toEqual([736, 736, 182]);
  for (const { census, diagnostics } of [text, json]) {
    expect(census.targets).toEqual(['rb_insert_color']);
    expect(diagnostics.skippedLines).toBe(0);
    expect(groupCounts(census)[0]?.[0]).toBe('__hrtimer_run_queues');
    expect(groupCounts(census)[1]).toEqual(['ext4_htree_store_dirent', 142]);
    expect(groupCounts(census, 'comm').map(([comm]) => comm)).toEqual(['db_bench', 'bpftrace']);
  }
});

test('stackcount, as text and folded', async () => {
  const text = await checkReader('bcc', 'stackcount.txt.gz');
  expect([text.census.total, text.census.attributed, text.census.rows.size]).toEqual([40, 40, 10]);
  expect(text.census.targets).toEqual(['enqueue_task_fair']);
  expect(text.diagnostics.skippedLines).toBe(0);
  // Another run of the same length.
  const folded = await checkReader('folded', 'stackcount-folded.txt.gz');
  expect(folded.census.total).toBe(40);
  expect(groupCounts(text.census)).toEqual(groupCounts(folded.census));
});

const packer = (tool: string) => (bytes: Buffer) => execFileSync(tool, ['-c'], { input: bytes });
const PACKERS: readonly (readonly [name: string, pack: (bytes: Buffer) => Buffer, lack: Lack])[] = [
  ['plain', (bytes) => bytes, null],
  ['zstd', packer('zstd'), program('zstd', 'zstd')],
  ['xz', packer('xz'), program('xz', 'xz-utils')],
];

describe.each(PACKERS)('%s', (_name, pack, lack) => {
  test.each([
    ['ftrace.txt.gz', 'ftrace', 459],
    ['trace-cmd-report.txt.gz', 'ftrace', 457],
    ['hist.txt.gz', 'hist', 763],
    ['bpftrace.txt.gz', 'bpftrace', 684],
    ['bpftrace-json.txt.gz', 'bpftrace', 736],
    ['stackcount.txt.gz', 'bcc', 40],
    ['stackcount-folded.txt.gz', 'folded', 40],
    ['perf-script.txt.gz', 'perf-script', 2007],
    ['dmesg.txt.gz', 'dmesg', 3066],
  ])('%s is the same', needs(lack), async (file, format, total) => {
    const result = await readBytes(pack(gunzipSync(readFileSync(recording(file)))));
    expect([result.format, result.census.total]).toEqual([format, total]);
  });
});
