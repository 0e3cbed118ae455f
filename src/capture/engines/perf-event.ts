import { linkPerfEvent, recursionMisses } from '../sys/bpf.ts';
import { kernelAtLeast } from '../sys/kernel.ts';
import { SystemCallError } from '../sys/native.ts';
import { closeDescriptor, setProgram } from '../sys/perf.ts';
import { whyNotPermitted } from '../sys/refusal.ts';
import { type Armed, CannotArm, type Truth } from './engine.ts';

type EventKind = 'tracepoint' | 'uprobe';

/**
 * Perf events that run a program in every process: trace events and uprobes. From 6.7 on the program is attached
 * by a link, which counts what the kernel kept from it.
 */
export class ArmedPerfEvent implements Armed {
  readonly #program: number;
  readonly #descriptors: number[] = [];
  readonly #kind: EventKind;

  /**
   * @param open opens an event each
   * @param kind what the programs are called where their misses are unknown: `tracepoint`
   * @throws {CannotArm} the kernel refuses the event
   */
  constructor(open: readonly (() => number)[], program: number, kind: EventKind) {
    this.#program = program;
    this.#kind = kind;
    try {
      for (const one of open) this.#descriptors.push(one());
    } catch (error) {
      this.close();
      throw error instanceof SystemCallError ? new CannotArm(whyNot(error, kind), { cause: error }) : error;
    }
  }

  start(): void {
    for (const event of [...this.#descriptors]) {
      if (kernelAtLeast(6, 7)) this.#descriptors.unshift(linkPerfEvent(event, this.#program));
      else setProgram(event, this.#program);
    }
  }

  stop(): void {
    this.close();
  }

  truth(): Truth {
    if (kernelAtLeast(6, 7)) return { kind: 'missed', calls: recursionMisses(this.#program) };
    // Since then nothing keeps a uprobe's program from running; where it interrupts itself, it says so.
    if (this.#kind === 'uprobe' && kernelAtLeast(6, 0)) return { kind: 'missed', calls: 0 };
    return {
      kind: 'unknown',
      why: `Before Linux ${this.#kind === 'uprobe' ? '6.0' : '6.7'} it is not known whether programs of ${this.#kind}s were skipped.`,
    };
  }

  close(): void {
    for (const descriptor of this.#descriptors.splice(0)) closeDescriptor(descriptor);
  }
}

function whyNot({ code, message }: SystemCallError, kind: EventKind): string {
  if (code === 'EPERM' || code === 'EACCES')
    return whyNotPermitted(`${kind}s need CAP_SYS_ADMIN${kind === 'uprobe' ? '' : ' or CAP_PERFMON'}`);
  return message;
}
