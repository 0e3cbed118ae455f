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
  CannotArm,
  type Engine,
  type EngineContext,
  type ProgramRequest,
  type Truth,
} from './engine.ts';
import { MissedCalls } from './missed-calls.ts';

/** Beyond this many CPUs a witness per CPU would cost more than it tells. */
const MOST_WITNESSES = 16;

const READ_ATTEMPTS = 4;

/**
 * Kprobes of perf's own kind, which vanish with their file descriptor. The cheapest engine, for every function the
 * kernel lets be traced.
 *
 * The event's own counter is no witness: it is incremented only when the program ran. Since 6.7 the kernel counts
 * what it kept from the program, exactly and for free. Before, each CPU gets a second probe that only counts.
 */
export const kprobeEngine: Engine = {
  name: 'kprobe',
  blindSpots: [{ code: 'blind-inlined' }],
  fits: (target) => target.kind === 'function',
  arm(target, context) {
    if (target.kind !== 'function') throw new CannotArm({ code: 'wrong-kind' });
    const type = perfSourceType('kprobe');
    if (type === null)
      throw new CannotArm({ code: 'no-event-source', source: 'kprobe', option: 'CONFIG_KPROBE_EVENTS' });
    // Opened before anything else is found out: what the kernel refuses goes to another engine.
    const events = openProbes(target, type, [context.cpus[0]], context);
    return has('miss counters') ? armLinked(events, context) : new WitnessedKprobes(target, type, events, context);
  },
};

const REQUEST: ProgramRequest = { type: PROG_KPROBE, context: 'registers' };

/** Kprobes whose misses the kernel counts. */
function armLinked(events: readonly number[], context: EngineContext): Armed {
  const program = context.loadProgram(REQUEST);
  const links = events.map((event) => context.held.hold(linkPerfEvent(event, program)));
  return new MissedCalls(() => links.reduce((sum, link) => sum + kprobeMisses(link), recursionMisses(program)));
}

/** Kprobes with a second probe per CPU that counts whether or not the program ran. */
class WitnessedKprobes implements Armed {
  readonly #witnesses: readonly number[];
  readonly #cpus: readonly number[];
  readonly #outside: () => number;
  /** A CPU had no witness for some of the time. */
  #isBlind = false;
  #opening: Reading = { witnessed: 0, before: 0, after: 0 };
  #closed: Reading = { witnessed: 0, before: 0, after: 0 };

  constructor(target: FunctionTarget, type: number, events: readonly number[], context: EngineContext) {
    const { cpus } = context;
    this.#cpus = cpus;
    this.#outside = context.outside;
    this.#witnesses = cpus.length > MOST_WITNESSES ? [] : openProbes(target, type, cpus, context);
    const program = context.loadProgram(REQUEST);
    for (const event of events) setProgram(event, program);
    for (const witness of this.#witnesses) enablePerfEvent(witness);
  }

  opening(): void {
    this.#opening = this.#read();
  }

  closed(): void {
    this.#closed = this.#read();
    this.#isBlind = droppedEvents(this.#witnesses).length > 0 || onlineCpus().some((cpu) => !this.#cpus.includes(cpu));
  }

  truth(): Truth {
    if (this.#witnesses.length === 0) {
      return { kind: 'unknown', why: { code: 'misses-unreported' } };
    }
    if (this.#isBlind) {
      return { kind: 'unknown', why: { code: 'misses-incomplete' } };
    }
    const witnessed = this.#closed.witnessed - this.#opening.witnessed;
    return {
      kind: 'between',
      least: witnessed - (this.#closed.after - this.#opening.before),
      most: witnessed - (this.#closed.before - this.#opening.after),
    };
  }

  /** Most functions are not called in the moment of reading, at the second attempt at least. */
  #read(): Reading {
    let reading: Reading;
    let attempts = 0;
    do {
      const before = this.#outside();
      const witnessed = this.#witnesses.reduce((sum, witness) => sum + readPerfEvent(witness), 0);
      reading = { witnessed, before, after: this.#outside() };
    } while (reading.before !== reading.after && ++attempts < READ_ATTEMPTS);
    return reading;
  }
}

/** What the witnesses have counted, and what the program had seen outside the gate before and after they were asked. */
interface Reading {
  readonly witnessed: number;
  readonly before: number;
  readonly after: number;
}

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
