import { toUnsigned } from '../symbols/address.ts';
import { arch } from '../sys/arch.ts';
import { PROG_PERF_EVENT } from '../sys/bpf-programs.ts';
import type { SystemCallError } from '../sys/native.ts';
import {
  breakpointEvent,
  disablePerfEvent,
  droppedEvents,
  enablePerfEvent,
  openPerfEvent,
  readPerfEvent,
  setProgram,
} from '../sys/perf.ts';
import { whyNotPermitted } from '../sys/refusal.ts';
import type { FunctionTarget } from '../targets/target.ts';
import { tryBreakpoint } from './breakpoint-trial.ts';
import { type Armed, ask, CannotArm, type Engine, type EngineContext, type Truth } from './engine.ts';

/**
 * Hardware execution breakpoints: the processor itself stops at the address, so no part of the kernel can refuse them
 * for being compiled without tracing. A processor has few (4 on x86). The event's own counter is incremented before
 * the program runs, which makes it an exact witness of what the program saw.
 */
export const breakpointEngine: Engine = {
  name: 'breakpoint',
  blindSpots: [{ code: 'blind-inlined' }, { code: 'blind-nmi' }],
  fits: (target) => target.kind === 'function',
  arm(target, context) {
    if (target.kind !== 'function') throw new CannotArm('breakpoints are for kernel functions');
    if (arch().breakpointRepeats) refuseToHang();
    return ask(() => new ArmedBreakpoints(target, context), whyNot);
  },
};

class ArmedBreakpoints implements Armed {
  readonly #events: { readonly descriptor: number; readonly cpu: number }[] = [];
  #watched: readonly number[] = [];

  readonly #outside: () => number;

  constructor(target: FunctionTarget, { cpus, held, loadProgram, outside }: EngineContext) {
    this.#outside = outside;
    for (const { address } of target.functions) {
      for (const cpu of cpus) {
        const descriptor = held.hold(openPerfEvent(breakpointEvent(toUnsigned(address)), cpu));
        this.#events.push({ descriptor, cpu });
      }
    }
    const program = loadProgram({ type: PROG_PERF_EVENT, context: 'registers' });
    for (const { descriptor } of this.#events) setProgram(descriptor, program);
  }

  opening(): void {
    for (const { descriptor } of this.#events) enablePerfEvent(descriptor);
  }

  closed(): void {
    const dropped = droppedEvents(this.#events.map(({ descriptor }) => descriptor));
    for (const { descriptor } of this.#events) disablePerfEvent(descriptor);
    const offline = this.#events.filter(({ descriptor }) => dropped.includes(descriptor)).map(({ cpu }) => cpu);
    this.#watched = this.#events.map(({ cpu }) => cpu).filter((cpu) => !offline.includes(cpu));
  }

  truth(): Truth {
    const hits = this.#events.reduce((sum, { descriptor }) => sum + readPerfEvent(descriptor), 0);
    const calls = hits - this.#outside();
    return { kind: 'between', least: calls, most: calls };
  }

  watched(): readonly number[] {
    return this.#watched;
  }
}

/** @throws {CannotArm} where a CPU would stop at the first call for good */
function refuseToHang(): void {
  const hits = ask(tryBreakpoint, whyNot);
  if (hits === 'again') {
    throw new CannotArm('this kernel does not step over breakpoints that run programs (mended in Linux 6.6)');
  }
  if (hits === 'never') throw new CannotArm('a breakpoint that was tried out did not stop the processor');
}

function whyNot({ errno, message }: SystemCallError): string {
  if (errno === 'ENOSPC')
    return 'the processor has no breakpoint left (others of this run or another debugger hold them)';
  if (errno === 'EPERM' || errno === 'EACCES') return whyNotPermitted('breakpoints on kernel code need CAP_SYS_ADMIN');
  if (errno === 'EINVAL') return 'the kernel forbids breakpoints there (entry code, noinstr, or CONFIG_KPROBES is off)';
  if (errno === 'EOPNOTSUPP' || errno === 'ENOENT' || errno === 'ENODEV')
    return 'this machine has no hardware breakpoints';
  return message;
}
