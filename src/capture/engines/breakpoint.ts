import type { EngineRefusal } from '../refusals/reasons.ts';
import { toUnsigned } from '../symbols/address.ts';
import { arch } from '../sys/arch.ts';
import { PROG_PERF_EVENT } from '../sys/bpf-programs.ts';
import { whyNotPermitted } from '../sys/diagnosis.ts';
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
    if (target.kind !== 'function') throw new CannotArm({ code: 'wrong-kind' });
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
  if (hits === 'again') throw new CannotArm({ code: 'breakpoint-repeats' });
  if (hits === 'never') throw new CannotArm({ code: 'breakpoint-ignored' });
}

function whyNot({ errno }: SystemCallError): EngineRefusal | undefined {
  switch (errno) {
    case 'ENOSPC':
      return { code: 'no-slot' };
    case 'EPERM':
    case 'EACCES':
      return whyNotPermitted('breakpoints on kernel code', 'CAP_SYS_ADMIN');
    case 'EINVAL':
      return { code: 'no-breakpoint-there' };
    case 'EOPNOTSUPP':
    case 'ENOENT':
    case 'ENODEV':
      return { code: 'no-breakpoints' };
    default:
      return undefined;
  }
}
