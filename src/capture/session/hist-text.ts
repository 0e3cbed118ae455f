import { HistText, type HistTotals, taskIn } from '../../formats/hist/text.ts';
import type { PrintedFrame } from '../../formats/kernel-log/frame.ts';
import { decodeTaskName } from '../bpf/task-name.ts';

/** A frame as a histogram prints it: `ext4_sync_file+0x5/0x3d0 [ext4]`. */
export interface HistFrame {
  readonly name: string;
  readonly offset: number;
  readonly module: string;
}

/** One line of a histogram: a stack, the task's name if that was a key, and how often it was hit. */
export interface HistEntry {
  readonly frames: readonly HistFrame[];
  readonly comm: string;
  /** The task's id, -1 where it was no key. */
  readonly pid: number;
  readonly count: number;
}

/** What a `hist` file of tracefs says. */
export interface HistContent {
  readonly entries: readonly HistEntry[];
  /** Hits the kernel counted in entries. */
  readonly hits: number;
  /** Hits for which the histogram had no room. */
  readonly dropped: number;
}

/** What lies between a kprobe and its function on the stack. */
const MACHINERY =
  /^(?:kprobe_|kprobes_|optimized_callback|opt_pre_handler|aggr_pre_handler|ftrace_|0x|event_hist|event_triggers|trace_event_|perf_trace_|__traceiter_|do_int3|exc_int3|asm_exc_int3)/;

/**
 * Reads the `hist` file of an event with a histogram by stack. `text` has a character for each byte: names of tasks may be
 * any.
 */
export function parseHist(text: string): HistContent {
  const entries: HistEntry[] = [];
  let totals: HistTotals = { hits: 0, dropped: 0 };
  const reader = new HistText({
    trigger: () => {},
    entry: ({ frames, keys, values }) => {
      const task = taskIn(keys.find(([name]) => name === 'common_pid')?.[1] ?? '');
      const comm = decodeTaskName(Buffer.from(task.comm, 'latin1'));
      const count = values.find(([name]) => name === 'hitcount')?.[1] ?? 0;
      const own = withoutMachinery(frames ?? []).map(({ raw, offset, module }) => ({ name: raw, offset, module }));
      entries.push({ frames: own, comm, pid: task.pid, count });
    },
    totals: (told) => {
      totals = told;
    },
    unread: () => {},
  });
  for (const line of text.split('\n')) reader.line(line.trimEnd());
  reader.end();
  return { entries, hits: Math.max(totals.hits, 0), dropped: totals.dropped };
}

/**
 * How often the kernel left each kprobe of tracefs out, by its name, from `kprobe_profile`: name, hits, misses.
 *
 * ```
 *   do_epoll_ctl_0                                        200000               3
 * ```
 */
export function parseMisses(profile: string): Map<string, number> {
  return new Map(
    Array.from(profile.matchAll(/^\s*(\S+)\s+\d+\s+(\d+)$/gm), ([, name = '', misses]) => [name, Number(misses)]),
  );
}

function withoutMachinery(frames: readonly PrintedFrame[]): readonly PrintedFrame[] {
  const first = frames.findIndex(({ raw }) => !MACHINERY.test(raw));
  return first < 0 ? [] : frames.slice(first);
}
