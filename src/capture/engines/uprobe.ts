import { linkPerfEvent, PROG_KPROBE, recursionMisses } from '../sys/bpf.ts';
import { kernelAtLeast, perfSourceType } from '../sys/kernel.ts';
import { addressOf, allocate, SystemCallError } from '../sys/native.ts';
import { closeDescriptor, openPerfEvent, setProgram } from '../sys/perf.ts';
import { type Armed, CannotArm, type Engine, type Truth } from './engine.ts';

/** Functions of programs and libraries, in every process that runs them. */
export const uprobeEngine: Engine = {
  name: 'uprobe',
  blindSpots: ['Calls that a compiler inlined or that bypass the symbol are not seen.'],
  fits: (target) => target.kind === 'user',
  arm(target, index, context) {
    if (target.kind !== 'user') throw new CannotArm('uprobes are for functions of programs');
    const type = perfSourceType('uprobe');
    if (type === null) throw new CannotArm('the kernel has no uprobes for perf (CONFIG_UPROBE_EVENTS)');
    const program = context.loadProgram(index, { type: PROG_KPROBE, context: 'registers', userStack: true });
    const path = allocate(Buffer.byteLength(target.path) + 1);
    path.write(target.path);
    try {
      return new ArmedUprobe(openPerfEvent({ type, config1: addressOf(path), config2: target.offset }, 0), program);
    } catch (error) {
      throw error instanceof SystemCallError ? new CannotArm(error.message, { cause: error }) : error;
    }
  },
};

class ArmedUprobe implements Armed {
  readonly #program: number;
  readonly #descriptors: number[];

  constructor(event: number, program: number) {
    this.#program = program;
    this.#descriptors = [event];
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
    return { kind: 'unknown', why: 'before Linux 6.7 it is not known whether uprobe programs were skipped.' };
  }

  close(): void {
    for (const descriptor of this.#descriptors.splice(0)) closeDescriptor(descriptor);
  }
}
