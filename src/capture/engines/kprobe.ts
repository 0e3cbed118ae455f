import { FUNCTION_ENTRY } from '../bpf/program-context.ts';
import type { EngineRefusal } from '../refusals/reasons.ts';
import { toUnsigned } from '../symbols/address.ts';
import { kprobeMisses, linkPerfEvent, PROG_KPROBE, recursionMisses } from '../sys/bpf-programs.ts';
import { whyNotPermitted } from '../sys/diagnosis.ts';
import { has } from '../sys/features.ts';
import { onlineCpus, perfSourceType } from '../sys/kernel.ts';
import type { SystemCallError } from '../sys/native.ts';
import { droppedEvents, enablePerfEvent, openPerfEvent, readPerfEvent, setProgram } from '../sys/perf.ts';
import type { FunctionTarget } from '../targets/target.ts';
import {
  type Armed,
  ask,
  type BpfEngine,
  CannotArm,
  type EngineContext,
  type KernelCount,
  type ProgramRequest,
} from './engine.ts';
import { MissedCalls } from './missed-calls.ts';

/** Beyond this many CPUs a second probe per CPU would cost more than it tells. */
const MOST_COUNTERS = 16;

const READ_ATTEMPTS = 4;

/**
 * Kprobes of perf's own kind, which vanish with their file descriptor. The cheapest engine, for every function the
 * kernel lets be traced.
 *
 * The event's own counter says nothing: it is incremented only when the BPF program ran. Since 6.7 the kernel counts
 * what it kept from the program, exactly and for free. Before, each CPU gets a second probe that only counts.
 */
export const kprobeEngine = {
  name: 'kprobe',
  backend: 'bpf',
  summary: {
    targets: 'kernel functions',
    how: 'a probe of `perf_event_open`, BPF program attached',
    limits:
      'the kernel refuses functions that were compiled without tracing, all of `lib/` among them (`rb_insert_color`, `timerqueue_add`)',
  },
  trial: { on: 'traceable function', brings: 'kernel functions that may be traced; the cheapest' },
  hasSlots: false,
  blindSpots: [{ code: 'blind-inlined' }],
  order: 0,
  mayRepeat: () => false,
  fits: (target) => target.kind === 'function',
  arm(target, context): Armed {
    if (target.kind !== 'function') throw new CannotArm({ code: 'wrong-kind' });
    const type = perfSourceType('kprobe');
    if (type === null)
      throw new CannotArm({ code: 'no-event-source', source: 'kprobe', option: 'CONFIG_KPROBE_EVENTS' });
    // Opened before anything else is found out: what the kernel refuses goes to another engine.
    const events = openProbes(target, type, [context.cpus[0]], context);
    return has('miss counters') ? armLinked(events, context) : new CheckedKprobes(target, type, events, context);
  },
} as const satisfies BpfEngine;

const REQUEST: ProgramRequest = { type: PROG_KPROBE, context: FUNCTION_ENTRY };

/** Kprobes whose misses the kernel counts. */
function armLinked(events: readonly number[], context: EngineContext): Armed {
  const program = context.loadProgram(REQUEST);
  const links = events.map((event) => context.held.hold(linkPerfEvent(event, program)));
  return new MissedCalls(() => links.reduce((sum, link) => sum + kprobeMisses(link), recursionMisses(program)));
}

/** Kprobes with a second probe per CPU that counts whether or not the BPF program ran. */
class CheckedKprobes implements Armed {
  /** The probes that only count; none where there are too many CPUs. */
  readonly #counters: readonly number[];
  readonly #cpus: readonly number[];
  readonly #uncounted: () => number;
  /** A CPU had no counting probe for some of the time. */
  #isIncomplete = false;
  #before: Reading = NOTHING;
  #after: Reading = NOTHING;

  constructor(target: FunctionTarget, type: number, events: readonly number[], context: EngineContext) {
    const { cpus } = context;
    this.#cpus = cpus;
    this.#uncounted = context.uncounted;
    this.#counters = cpus.length > MOST_COUNTERS ? [] : openProbes(target, type, cpus, context);
    const program = context.loadProgram(REQUEST);
    for (const event of events) setProgram(event, program);
    for (const counter of this.#counters) enablePerfEvent(counter);
  }

  beforeStart(): void {
    this.#before = this.#read();
  }

  afterStop(): void {
    this.#after = this.#read();
    this.#isIncomplete =
      droppedEvents(this.#counters).length > 0 || onlineCpus().some((cpu) => !this.#cpus.includes(cpu));
  }

  soFar(): number {
    return this.#counters.length === 0 ? Number.NaN : this.#read().hits - this.#before.hits;
  }

  kernelCount(): KernelCount {
    if (this.#counters.length === 0) return { kind: 'unknown', why: { code: 'misses-unreported' } };
    if (this.#isIncomplete) return { kind: 'unknown', why: { code: 'misses-incomplete' } };
    const [before, after] = [this.#before, this.#after];
    const hits = after.hits - before.hits;
    return {
      kind: 'between',
      least: hits - (after.uncountedAfter - before.uncountedBefore),
      most: hits - (after.uncountedBefore - before.uncountedAfter),
    };
  }

  /** Most functions are not called in the moment of reading, at the second attempt at least. */
  #read(): Reading {
    let reading: Reading;
    let attempts = 0;
    do {
      const uncountedBefore = this.#uncounted();
      const hits = this.#counters.reduce((sum, counter) => sum + readPerfEvent(counter), 0);
      reading = { hits, uncountedBefore, uncountedAfter: this.#uncounted() };
    } while (reading.uncountedBefore !== reading.uncountedAfter && ++attempts < READ_ATTEMPTS);
    return reading;
  }
}

/** What the counting probes say, and what the program had seen with the flag off before and after they were asked. */
interface Reading {
  readonly hits: number;
  readonly uncountedBefore: number;
  readonly uncountedAfter: number;
}

const NOTHING: Reading = { hits: 0, uncountedBefore: 0, uncountedAfter: 0 };

function openProbes(target: FunctionTarget, type: number, cpus: readonly number[], { held }: EngineContext): number[] {
  return ask(
    () =>
      target.functions.flatMap(({ address }) =>
        cpus.map((cpu) => held.hold(openPerfEvent({ type, config2: toUnsigned(address) }, cpu))),
      ),
    whyNot,
  );
}

function whyNot({ errno }: SystemCallError): EngineRefusal | undefined {
  if (errno === 'EPERM' || errno === 'EACCES') return whyNotPermitted('kprobes', 'CAP_SYS_ADMIN', 'CAP_PERFMON');
  return errno === 'EINVAL' ? { code: 'not-traceable' } : undefined;
}
