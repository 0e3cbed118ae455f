import { decodeTaskName } from '../bpf/task-name.ts';

/** Frames the kernel keeps of a stack in a histogram (HIST_STACKTRACE_DEPTH). */
export const HIST_FRAMES = 16;

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
 * Reads the `hist` file of an event with a histogram by stack (Documentation/trace/histogram.rst). `text` has a
 * character for each byte: names of tasks may be any.
 */
export function parseHist(text: string): HistContent {
  const entries: HistEntry[] = [];
  let frames: HistFrame[] = [];
  for (const line of text.split('\n')) {
    const end = /hitcount:\s*(\d+)/.exec(line);
    if (line.startsWith('{')) frames = [];
    if (end) {
      // `}, common_pid: epoll-adds      [       312] } hitcount:     100000`
      const [, comm = '', pid = '-1'] = /common_pid: (.*?)\s*\[\s*(\d+)\]/.exec(line) ?? [];
      const name = decodeTaskName(Buffer.from(comm, 'latin1'));
      entries.push({ frames: withoutMachinery(frames), comm: name, pid: Number(pid), count: Number(end[1]) });
      continue;
    }
    const frame = parseFrame(line.trim());
    if (frame) frames.push(frame);
  }
  const number = (name: string) => Number(new RegExp(`^\\s+${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { entries, hits: number('Hits'), dropped: number('Dropped') };
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

function parseFrame(text: string): HistFrame | null {
  const [, name = '', offset = '', module = ''] =
    /^([^\s+]+)\+0x([0-9a-f]+)\/0x[0-9a-f]+(?: \[(.+?)\])?/.exec(text) ?? [];
  if (name !== '') return { name, offset: Number.parseInt(offset, 16), module };
  return /^0x[0-9a-f]+$/.test(text) ? { name: text, offset: -1, module: '' } : null;
}

function withoutMachinery(frames: readonly HistFrame[]): HistFrame[] {
  const first = frames.findIndex(({ name }) => !MACHINERY.test(name));
  return first < 0 ? [] : frames.slice(first);
}
