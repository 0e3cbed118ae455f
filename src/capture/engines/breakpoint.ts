import { FUNCTION_ENTRY } from '../bpf/program-context.ts';
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
import { type Hits, tryBreakpoint } from './breakpoint-trial.ts';
import { type Armed, ask, type BpfEngine, CannotArm, type EngineContext, type KernelCount } from './engine.ts';

/**
 * Hardware execution breakpoints: the processor itself stops at the address, so no part of the kernel can refuse them
 * for being compiled without tracing. A processor has few (4 on x86). The event's own counter is incremented before
 * the program runs, which makes it an exact count to hold the program's against.
 */
export const breakpointEngine = {
  name: 'breakpoint',
  backend: 'bpf',
  summary: {
    targets: 'kernel functions',
    how: 'a hardware execution breakpoint on every CPU, BPF program attached',
    limits:
      'a processor has few: 4 on x86, up to 16 on arm64. Code of kernel entry and `noinstr` functions are refused. On arm64 one is tried out first, on a function of whocalls itself: kernels before 6.6 that were not mended never get past one',
  },
  trial: { on: 'untraceable function', brings: 'any kernel function but entry code; a few at once' },
  hasSlots: true,
  blindSpots: [{ code: 'blind-inlined' }, { code: 'blind-nmi' }],
  // Nothing keeps a breakpoint's BPF program from running but bpf(2).
  order: 1,
  mayRepeat: () => arch().breakpointRepeats,
  fits: (target) => target.kind === 'function',
  check: () => trialRefusal(tryBreakpoint()),
  arm(target, context): Armed {
    if (target.kind !== 'function') throw new CannotArm({ code: 'wrong-kind' });
    if (arch().breakpointRepeats) refuseToHang();
    return ask(() => new ArmedBreakpoints(target, context), whyNot);
  },
} as const satisfies BpfEngine;

class ArmedBreakpoints implements Armed {
  readonly #events: { readonly descriptor: number; readonly cpu: number }[] = [];
  #watched: readonly number[] = [];

  readonly #uncounted: () => number;

  constructor(target: FunctionTarget, { cpus, held, loadProgram, uncounted }: EngineContext) {
    this.#uncounted = uncounted;
    for (const { address } of target.functions) {
      for (const cpu of cpus) {
        const descriptor = held.hold(openPerfEvent(breakpointEvent(toUnsigned(address)), cpu));
        this.#events.push({ descriptor, cpu });
      }
    }
    const program = loadProgram({ type: PROG_PERF_EVENT, context: FUNCTION_ENTRY });
    for (const { descriptor } of this.#events) setProgram(descriptor, program);
  }

  beforeStart(): void {
    for (const { descriptor } of this.#events) enablePerfEvent(descriptor);
  }

  afterStop(): void {
    const dropped = droppedEvents(this.#events.map(({ descriptor }) => descriptor));
    for (const { descriptor } of this.#events) disablePerfEvent(descriptor);
    const offline = this.#events.filter(({ descriptor }) => dropped.includes(descriptor)).map(({ cpu }) => cpu);
    this.#watched = this.#events.map(({ cpu }) => cpu).filter((cpu) => !offline.includes(cpu));
  }

  soFar(): number {
    const hits = this.#events.reduce((sum, { descriptor }) => sum + readPerfEvent(descriptor), 0);
    return hits - this.#uncounted();
  }

  kernelCount(): KernelCount {
    const calls = this.soFar();
    return { kind: 'between', least: calls, most: calls };
  }

  watched(): readonly number[] {
    return this.#watched;
  }
}

/** @throws {CannotArm} where a CPU would stop at the first call for good */
function refuseToHang(): void {
  const refusal = trialRefusal(ask(tryBreakpoint, whyNot));
  if (refusal) throw new CannotArm(refusal);
}

function trialRefusal(hits: Hits): EngineRefusal | null {
  if (hits === 'once') return null;
  return { code: hits === 'again' ? 'breakpoint-repeats' : 'breakpoint-ignored' };
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
