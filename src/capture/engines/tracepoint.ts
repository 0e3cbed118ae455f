import { RAW_TRACEPOINT, SYSCALL_EVENT } from '../bpf/program-context.ts';
import type { EngineRefusal } from '../refusals/reasons.ts';
import { openRawTracepoint, PROG_RAW_TRACEPOINT, PROG_TRACEPOINT, recursionMisses } from '../sys/bpf-programs.ts';
import type { SystemCallError } from '../sys/native.ts';
import { PERF_TYPE_TRACEPOINT } from '../sys/perf.ts';
import { traceEventId } from '../sys/tracefs.ts';
import { type Armed, ask, type BpfEngine, CannotArm } from './engine.ts';
import { MissedCalls } from './missed-calls.ts';
import { armPerfEvents } from './perf-event.ts';

/**
 * Static tracepoints. As raw tracepoints where possible: they cost least, and the kernel counts for each BPF program
 * what it kept from it. Those of single system calls exist only as trace events.
 */
export const tracepointEngine = {
  name: 'tracepoint',
  backend: 'bpf',
  summary: {
    targets: '`category:event`',
    how: 'a raw tracepoint; those of single system calls (`syscalls:sys_enter_write`) as trace events',
    limits: '',
  },
  trial: { on: 'tracepoint', brings: 'static tracepoints' },
  hasSlots: false,
  blindSpots: [],
  order: 0,
  mayRepeat: () => false,
  fits: (target) => target.kind === 'tracepoint',
  arm(target, context): Armed {
    if (target.kind !== 'tracepoint') throw new CannotArm({ code: 'wrong-kind' });
    const { category, event } = target;
    if (category !== 'syscalls') {
      const program = context.loadProgram({ type: PROG_RAW_TRACEPOINT, context: RAW_TRACEPOINT, isNested: true });
      context.held.hold(ask(() => openRawTracepoint(event, program), whyNot));
      return new MissedCalls(() => recursionMisses(program));
    }
    const id = traceEventId(category, event);
    if (id === null) throw new CannotArm({ code: 'tracepoint-not-listed' });
    return armPerfEvents(
      'tracepoint',
      [{ type: PERF_TYPE_TRACEPOINT, config: BigInt(id) }],
      { type: PROG_TRACEPOINT, context: SYSCALL_EVENT },
      context,
    );
  },
} as const satisfies BpfEngine;

function whyNot({ errno }: SystemCallError): EngineRefusal | undefined {
  if (errno === 'ENOENT') return { code: 'no-such-tracepoint' };
  return errno === 'EINVAL' ? { code: 'too-few-arguments' } : undefined;
}
