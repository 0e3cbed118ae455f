import { linkPerfEvent, recursionMisses } from '../sys/bpf.ts';
import { kernelAtLeast } from '../sys/kernel.ts';
import { SystemCallError } from '../sys/native.ts';
import { closeDescriptor, setProgram } from '../sys/perf.ts';
import { type Armed, CannotArm, type Truth } from './engine.ts';

/**
 * One perf event that runs a program in every process: trace events and uprobes. From 6.7 on the program is attached
 * by a link, which counts what the kernel kept from it.
 */
export class ArmedPerfEvent implements Armed {
  readonly #program: number;
  readonly #descriptors: number[];
  readonly #kind: string;

  /**
   * @param open opens the event
   * @param kind what the programs are called where their misses are unknown: `tracepoint`
   * @throws {CannotArm} the kernel refuses the event
   */
  constructor(open: () => number, program: number, kind: string) {
    this.#program = program;
    this.#kind = kind;
    try {
      this.#descriptors = [open()];
    } catch (error) {
      throw error instanceof SystemCallError ? new CannotArm(error.message, { cause: error }) : error;
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
    return { kind: 'unknown', why: `before Linux 6.7 it is not known whether ${this.#kind} programs were skipped.` };
  }

  close(): void {
    for (const descriptor of this.#descriptors.splice(0)) closeDescriptor(descriptor);
  }
}
