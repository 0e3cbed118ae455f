import { toUnsigned } from '../kallsyms.ts';
import { kprobeMisses, linkPerfEvent, PROG_KPROBE, recursionMisses } from '../sys/bpf.ts';
import { kernelAtLeast, onlineCpus, perfSourceType } from '../sys/kernel.ts';
import { SystemCallError } from '../sys/native.ts';
import {
  closeDescriptor,
  EventWatch,
  enablePerfEvent,
  openPerfEvent,
  type PerfEvent,
  readPerfEvent,
  setProgram,
} from '../sys/perf.ts';
import { whyNotPermitted } from '../sys/refusal.ts';
import type { FunctionTarget } from '../targets.ts';
import { type Armed, CannotArm, type Engine, type EngineContext, type Truth } from './engine.ts';

/** Beyond this many CPUs a witness per CPU would cost more than it tells. */
const MOST_WITNESSES = 16;

/**
 * Kprobes of perf's own kind, which vanish with their file descriptor. The cheapest engine, for every function the
 * kernel lets be traced.
 *
 * The event's own counter is no witness: it is incremented only when the program ran. Since 6.7 the kernel counts
 * what it kept from the program, exactly and for free. Before, each CPU gets a second probe that only counts.
 */
export const kprobeEngine: Engine = {
  name: 'kprobe',
  blindSpots: [],
  fits: (target) => target.kind === 'function',
  arm(target, index, context) {
    if (target.kind !== 'function') throw new CannotArm('kprobes are for kernel functions');
    const type = perfSourceType('kprobe');
    if (type === null) throw new CannotArm('the kernel has no kprobes for perf (CONFIG_KPROBE_EVENTS)');
    const program = context.loadProgram(index, { type: PROG_KPROBE, context: 'registers' });
    return kernelAtLeast(6, 7)
      ? new LinkedKprobes(target, type, program)
      : new WitnessedKprobes(target, type, program, context);
  },
};

/** Kprobes whose misses the kernel counts. */
class LinkedKprobes implements Armed {
  readonly #program: number;
  #events: number[];
  #links: number[] = [];
  #missed = 0;

  constructor(target: FunctionTarget, type: number, program: number) {
    this.#program = program;
    this.#events = openProbes(target, type, [0]);
  }

  start(): void {
    for (const event of this.#events) this.#links.push(linkPerfEvent(event, this.#program));
  }

  stop(): void {
    this.#missed = recursionMisses(this.#program);
    for (const link of this.#links) this.#missed += kprobeMisses(link);
    this.close();
  }

  truth(): Truth {
    return { kind: 'missed', calls: this.#missed };
  }

  close(): void {
    for (const descriptor of [...this.#links.splice(0), ...this.#events.splice(0)]) closeDescriptor(descriptor);
  }
}

/** Kprobes with a second probe per CPU that counts whether or not the program ran. */
class WitnessedKprobes implements Armed {
  readonly #program: number;
  readonly #events: number[];
  readonly #witnesses: number[];
  readonly #cpus: readonly number[];
  #watches: EventWatch[] = [];
  /** A CPU had no witness for some of the time. */
  #isBlind = false;
  /** What the witnesses had counted right before and after the program was attached, and before and after it was gone. */
  readonly #readings: number[] = [];

  constructor(target: FunctionTarget, type: number, program: number, { cpus }: EngineContext) {
    this.#program = program;
    this.#events = openProbes(target, type, [0]);
    this.#cpus = cpus;
    this.#witnesses = cpus.length > MOST_WITNESSES ? [] : openProbes(target, type, cpus);
  }

  start(): void {
    for (const witness of this.#witnesses) enablePerfEvent(witness);
    this.#watches = this.#witnesses.map((witness) => new EventWatch(witness));
    this.#read();
    for (const event of this.#events) setProgram(event, this.#program);
    this.#read();
  }

  stop(): void {
    this.#read();
    for (const event of this.#events.splice(0)) closeDescriptor(event);
    this.#read();
    for (const watch of this.#watches) watch.end();
    this.#isBlind =
      this.#watches.some(({ isDropped }) => isDropped) || onlineCpus().some((cpu) => !this.#cpus.includes(cpu));
    this.close();
  }

  truth(): Truth {
    if (this.#readings.length < 4 || this.#readings[3] === 0) {
      return { kind: 'unknown', why: 'This kernel does not say whether kprobes were skipped.' };
    }
    if (this.#isBlind) {
      return { kind: 'unknown', why: 'CPUs came or went, so that it is not known whether kprobes were skipped.' };
    }
    const [beforeStart = 0, afterStart = 0, beforeStop = 0, afterStop = 0] = this.#readings;
    return { kind: 'between', least: beforeStop - afterStart, most: afterStop - beforeStart };
  }

  close(): void {
    for (const descriptor of [...this.#events.splice(0), ...this.#witnesses.splice(0)]) closeDescriptor(descriptor);
  }

  #read(): void {
    this.#readings.push(this.#witnesses.reduce((sum, witness) => sum + readPerfEvent(witness), 0));
  }
}

function openProbes(target: FunctionTarget, type: number, cpus: readonly number[]): number[] {
  const events: number[] = [];
  try {
    for (const { address } of target.functions) {
      const event: PerfEvent = { type, config2: toUnsigned(address) };
      for (const cpu of cpus) events.push(openPerfEvent(event, cpu));
    }
    return events;
  } catch (error) {
    for (const event of events) closeDescriptor(event);
    throw error instanceof SystemCallError ? new CannotArm(whyNot(error), { cause: error }) : error;
  }
}

function whyNot({ code, message }: SystemCallError): string {
  if (code === 'EPERM' || code === 'EACCES') return whyNotPermitted('kprobes need CAP_SYS_ADMIN or CAP_PERFMON');
  if (code === 'EINVAL') return 'the kernel refuses kprobes on a function compiled without tracing';
  return message;
}
