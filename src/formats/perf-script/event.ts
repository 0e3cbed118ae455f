import { normaliseSymbol } from '../../census/symbol-name.ts';
import { isTracepoint, withoutModifier } from '../../census/target-kind.ts';

/** What the period of an event's samples is. */
export type Period =
  /** How often the event happened: a call each time. */
  | 'calls'
  /** The same, and perf chooses it anew for each sample unless told otherwise (`-c`). */
  | 'varying calls'
  /** Time or work: a sample is one call, whatever its period. */
  | 'time or work';

/**
 * What happens, and is counted by the kernel's software events. All others, those of every PMU among them, measure work
 * or time, and so do events that nobody has thought of here.
 */
const HAPPENINGS =
  /^(?:page-faults|faults|minor-faults|major-faults|context-switches|cs|cgroup-switches|cpu-migrations|migrations|alignment-faults|emulation-faults|bpf-output)$/;

/** The only tracepoints with a period of their own, in nanoseconds (include/trace/events/sched.h). */
const TIMED_TRACEPOINT = /^sched:sched_stat_/;

/** What the period of an event means, by its name: `cycles:ppp`, `sched:sched_switch`, `mem:0xffffffff8e7ea5b0:x`. */
export function periodOf(event: string): Period {
  if (event.startsWith('mem:')) return 'calls';
  const name = withoutModifier(event);
  if (HAPPENINGS.test(name)) return 'varying calls';
  return isTracepoint(name) && !TIMED_TRACEPOINT.test(name) ? 'calls' : 'time or work';
}

/**
 * The target of an event's samples, given the innermost frame, '' where there is none. A breakpoint or probe on a
 * function is named by the function; any other event is its own target.
 */
export function targetName(event: string, innermost: string): string {
  if (event.startsWith('mem:') && innermost !== '') return innermost;
  // `probe:vfs_write`, a second one on it `probe:vfs_write_1`, and what tracefs names by itself `kprobes:p_vfs_write_0`.
  const probe = /^(?:probe\w*:|kprobes:[pr]_)(\w+)$/.exec(withoutModifier(event))?.[1];
  if (probe !== undefined && innermost !== '') {
    if ([probe, probe.replace(/(?:__return)?(?:_\d+)?$/, '')].some((name) => normaliseSymbol(name) === innermost)) {
      return innermost;
    }
  }
  return event === '' ? 'samples' : event;
}
