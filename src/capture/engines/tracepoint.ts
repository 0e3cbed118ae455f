import { openRawTracepoint, PROG_RAW_TRACEPOINT, PROG_TRACEPOINT, recursionMisses } from '../sys/bpf.ts';
import { readLine } from '../sys/kernel.ts';
import { SystemCallError } from '../sys/native.ts';
import { closeDescriptor, openPerfEvent, PERF_TYPE_TRACEPOINT } from '../sys/perf.ts';
import { traceEventDirectory } from '../tracefs.ts';
import { type Armed, CannotArm, type Engine, type Truth } from './engine.ts';
import { ArmedPerfEvent } from './perf-event.ts';

/**
 * Static tracepoints. As raw tracepoints where possible: they cost least, and the kernel counts for each program what
 * it kept from it. Those of single system calls exist only as trace events.
 */
export const tracepointEngine: Engine = {
  name: 'tracepoint',
  blindSpots: [],
  fits: (target) => target.kind === 'tracepoint',
  arm(target, index, context) {
    if (target.kind !== 'tracepoint') throw new CannotArm('only tracepoints can be counted as tracepoints');
    if (target.category !== 'syscalls') {
      const program = context.loadProgram(index, { type: PROG_RAW_TRACEPOINT, context: 'raw-tracepoint' });
      return new RawTracepoint(target.event, program);
    }
    const directory = traceEventDirectory(target.category, target.event);
    const id = directory && readLine(`${directory}/id`);
    if (!id) throw new CannotArm('tracefs does not list it (is it mounted at /sys/kernel/tracing?)');
    const program = context.loadProgram(index, { type: PROG_TRACEPOINT, context: 'syscall-event' });
    const open = () => openPerfEvent({ type: PERF_TYPE_TRACEPOINT, config: BigInt(id) }, 0);
    return new ArmedPerfEvent([open], program, 'tracepoint');
  },
};

class RawTracepoint implements Armed {
  readonly #event: string;
  readonly #program: number;
  #link: number | null = null;

  constructor(event: string, program: number) {
    this.#event = event;
    this.#program = program;
  }

  start(): void {
    try {
      this.#link = openRawTracepoint(this.#event, this.#program);
    } catch (error) {
      throw error instanceof SystemCallError
        ? new CannotArm(error.code === 'ENOENT' ? 'the kernel has no such tracepoint' : error.message, { cause: error })
        : error;
    }
  }

  stop(): void {
    this.close();
  }

  truth(): Truth {
    return { kind: 'missed', calls: recursionMisses(this.#program) };
  }

  close(): void {
    if (this.#link !== null) closeDescriptor(this.#link);
    this.#link = null;
  }
}
