import { Assembler, R0 } from '../bpf/asm.ts';
import { loadCode } from '../bpf/load-program.ts';
import { PROG_PERF_EVENT } from '../sys/bpf-programs.ts';
import { Descriptors } from '../sys/descriptors.ts';
import { cFunction } from '../sys/native.ts';
import { breakpointEvent, openPerfEventOf, readPerfEvent, refreshPerfEvent, setProgram } from '../sys/perf.ts';

/** How often one call of a function hits its breakpoint: once, never, or again and again without going on. */
export type Hits = 'once' | 'never' | 'again';

let tried: Hits | undefined;

/**
 * Tries a breakpoint with a BPF program on a harmless function of this process.
 *
 * Some processors stop before the instruction again until the kernel steps over it. On arm64 the kernel did not where a
 * BPF program was attached (mainline before 6.6, mended in later stable releases too): the first call of a kernel function
 * would have hung a CPU for good. Here the event switches itself off after its second hit.
 * @throws {SystemCallError} where the kernel refuses the breakpoint or the BPF program
 */
export function tryBreakpoint(): Hits {
  tried ??= hits();
  return tried;
}

function hits(): Hits {
  const address = BigInt(cFunction('uint64 dlsym(uint64 handle, const char *name)')(0, 'getppid'));
  const call = cFunction('int getppid()');
  if (address === 0n) return 'never';
  const held = new Descriptors();
  try {
    const program = held.hold(
      loadCode('whocalls_trial', PROG_PERF_EVENT, new Assembler().mov(R0, 0).exit().assemble()),
    );
    const event = held.hold(openPerfEventOf(breakpointEvent(address), 0));
    setProgram(event, program);
    refreshPerfEvent(event, 2);
    call();
    const count = readPerfEvent(event);
    return count === 0 ? 'never' : count === 1 ? 'once' : 'again';
  } finally {
    held.close();
  }
}
