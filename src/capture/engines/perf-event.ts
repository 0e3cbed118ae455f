import type { EngineRefusal } from '../refusals/reasons.ts';
import { linkPerfEvent, recursionMisses } from '../sys/bpf-programs.ts';
import { whyNotPermitted } from '../sys/diagnosis.ts';
import { has } from '../sys/features.ts';
import type { SystemCallError } from '../sys/native.ts';
import { openPerfEvent, type PerfEventAttr, setProgram } from '../sys/perf.ts';
import { type Armed, ask, type EngineContext, type KernelCount, type ProgramRequest } from './engine.ts';
import { MissedCalls } from './missed-calls.ts';

type EventKind = 'tracepoint' | 'uprobe';

/**
 * Has perf events run a BPF program in every process: trace events and uprobes. From 6.7 on the program is attached by a
 * link, which counts what the kernel kept from it.
 * @param kind what the events are called
 * @throws {CannotArm} the kernel refuses an event
 */
export function armPerfEvents(
  kind: EventKind,
  events: readonly PerfEventAttr[],
  request: ProgramRequest,
  context: EngineContext,
): Armed {
  const { cpus, held } = context;
  const opened = ask(
    () => events.map((event) => held.hold(openPerfEvent(event, cpus[0]))),
    (refusal) => whyNot(refusal, kind),
  );
  const program = context.loadProgram(request);
  if (has('miss counters')) {
    for (const event of opened) held.hold(linkPerfEvent(event, program));
    return new MissedCalls(() => recursionMisses(program));
  }
  for (const event of opened) setProgram(event, program);
  return new UncheckedProgram(kind);
}

/** A BPF program of which the kernel does not say whether it was skipped. */
class UncheckedProgram implements Armed {
  readonly #kind: EventKind;

  constructor(kind: EventKind) {
    this.#kind = kind;
  }

  beforeStart(): void {}

  afterStop(): void {}

  kernelCount(): KernelCount {
    // Since then nothing keeps a uprobe's BPF program from running; where it re-enters, it counts that itself.
    if (this.#kind === 'uprobe' && has('sleepable uprobes')) return { kind: 'missed', calls: 0 };
    return {
      kind: 'unknown',
      why: { code: 'misses-before', probe: this.#kind, release: this.#kind === 'uprobe' ? '6.0' : '6.7' },
    };
  }
}

function whyNot({ errno }: SystemCallError, kind: EventKind): EngineRefusal | undefined {
  if (errno !== 'EPERM' && errno !== 'EACCES') return undefined;
  return whyNotPermitted(`${kind}s`, ...(kind === 'uprobe' ? ['CAP_SYS_ADMIN'] : ['CAP_SYS_ADMIN', 'CAP_PERFMON']));
}
