import { toUnsigned } from '../kallsyms.ts';
import { arch } from '../sys/arch.ts';
import { PROG_PERF_EVENT } from '../sys/bpf.ts';
import { SystemCallError } from '../sys/native.ts';
import {
  breakpointEvent,
  closeDescriptor,
  disablePerfEvent,
  EventWatch,
  enablePerfEvent,
  openPerfEvent,
  readPerfEvent,
  setProgram,
} from '../sys/perf.ts';
import { whyNotPermitted } from '../sys/refusal.ts';
import type { Target } from '../targets.ts';
import { tryBreakpoint } from './breakpoint-trial.ts';
import { type Armed, CannotArm, type Engine, type EngineContext, type Truth } from './engine.ts';

/**
 * Hardware execution breakpoints: the processor itself stops at the address, so no part of the kernel can refuse them
 * for being compiled without tracing. A processor has few (4 on x86). The event's own counter is incremented before
 * the program runs, which makes it an exact witness of what the program saw.
 */
export const breakpointEngine: Engine = {
  name: 'breakpoint',
  blindSpots: ['Calls made inside a non-maskable interrupt or a debug exception are not seen.'],
  fits: (target) => target.kind === 'function',
  arm(target, index, context) {
    if (target.kind !== 'function') throw new CannotArm('breakpoints are for kernel functions');
    if (arch().breakpointRepeats) refuseToHang();
    return new ArmedBreakpoints(target, index, context);
  },
};

class ArmedBreakpoints implements Armed {
  readonly #events: { readonly descriptor: number; readonly cpu: number; watch?: EventWatch }[] = [];

  constructor(target: Target & { kind: 'function' }, index: number, context: EngineContext) {
    const program = context.loadProgram(index, { type: PROG_PERF_EVENT, context: 'registers' });
    try {
      for (const { address } of target.functions) {
        for (const cpu of context.cpus) {
          const descriptor = openPerfEvent(breakpointEvent(toUnsigned(address)), cpu);
          this.#events.push({ descriptor, cpu });
          setProgram(descriptor, program);
        }
      }
    } catch (error) {
      this.close();
      throw error instanceof SystemCallError ? new CannotArm(whyNot(error), { cause: error }) : error;
    }
  }

  start(): void {
    for (const { descriptor } of this.#events) enablePerfEvent(descriptor);
    for (const event of this.#events) event.watch = new EventWatch(event.descriptor);
  }

  stop(): void {
    for (const { watch } of this.#events) watch?.end();
    for (const { descriptor } of this.#events) disablePerfEvent(descriptor);
  }

  truth(): Truth {
    let calls = 0;
    for (const { descriptor } of this.#events) calls += readPerfEvent(descriptor);
    return { kind: 'exact', calls };
  }

  watched(): number[] {
    const dropped = this.#events.filter(({ watch }) => watch?.isDropped).map(({ cpu }) => cpu);
    return this.#events.map(({ cpu }) => cpu).filter((cpu) => !dropped.includes(cpu));
  }

  close(): void {
    for (const { descriptor } of this.#events.splice(0)) closeDescriptor(descriptor);
  }
}

/** @throws {CannotArm} where a CPU would stop at the first call for good */
function refuseToHang(): void {
  try {
    const hits = tryBreakpoint();
    if (hits === 'again') {
      throw new CannotArm('this kernel does not step over breakpoints that run programs (mended in Linux 6.6)');
    }
    if (hits === 'never') throw new CannotArm('a breakpoint that was tried out did not stop the processor');
  } catch (error) {
    throw error instanceof SystemCallError ? new CannotArm(whyNot(error), { cause: error }) : error;
  }
}

function whyNot({ code, message }: SystemCallError): string {
  if (code === 'ENOSPC')
    return 'the processor has no breakpoint left (others of this run or another debugger hold them)';
  if (code === 'EPERM' || code === 'EACCES') return whyNotPermitted('breakpoints on kernel code need CAP_SYS_ADMIN');
  if (code === 'EINVAL') return 'the kernel forbids breakpoints there (entry code, noinstr, or CONFIG_KPROBES is off)';
  if (code === 'EOPNOTSUPP' || code === 'ENOENT' || code === 'ENODEV')
    return 'this machine has no hardware breakpoints';
  return message;
}
