import type { Census } from '../census/census.ts';
import { EMPTY_STACK, NO_OFFSET, type StackId } from '../census/stack-table.ts';
import type { SymbolId } from '../census/symbol-table.ts';
import { MAX_FRAMES } from './bpf/count-program.ts';
import { formatAddress, Kallsyms, type KernelFunction, readAddress } from './kallsyms.ts';
import type { Target } from './targets.ts';

/** A probe's own address may lie some bytes into the function: behind its `endbr64` or call of `__fentry__`. */
const PROBE_REACH = 16;
/** What a tracepoint puts between the function it stands in and the program: `bpf_trace_run3`, `__traceiter_*`. */
const TRACEPOINT_MACHINERY =
  /^(?:bpf_trace_run\d*|__bpf_trace_|__traceiter_|bpf_prog_|perf_trace_|trace_event_|perf_syscall_|__bpf_prog|bpf_dispatcher_|trampoline_|ftrace_trampoline)/;

interface ResolvedFrame {
  readonly symbol: SymbolId;
  readonly offset: number;
  readonly name: string;
}

/** Makes stacks of a census out of return addresses. */
export class StackReader {
  readonly #census: Census;
  readonly #before: Kallsyms;
  readonly #after: Kallsyms;
  readonly #frames = new Map<number, ResolvedFrame>();

  /** `before`: the symbols as they were when the run began; they are read again, because modules come and go. */
  constructor(census: Census, before: Kallsyms, after: Kallsyms = Kallsyms.read()) {
    this.#census = census;
    this.#before = before;
    this.#after = after;
  }

  /** The stack of a record of the map of stacks, innermost frame first. */
  read(record: Buffer, target: Target, userStacks: boolean): StackId {
    let stack = EMPTY_STACK;
    let peeling = target.kind === 'tracepoint';
    for (let frame = 0; frame < MAX_FRAMES; frame++) {
      const address = readAddress(record, frame * 8);
      if (address === 0) break;
      const resolved = frame === 0 ? this.#first(address, target) : this.#caller(address);
      if (peeling && TRACEPOINT_MACHINERY.test(resolved.name)) continue;
      peeling = false;
      stack = this.#census.stacks.push(stack, resolved.symbol, resolved.offset);
    }
    if (userStacks) return stack;
    return stack;
  }

  /** The name of the function at an address, the address itself where there is none. */
  nameOf(address: number): string {
    return this.#find(address)?.name ?? formatAddress(address);
  }

  #first(address: number, target: Target): ResolvedFrame {
    const hit =
      target.kind === 'function'
        ? target.functions.find((f) => address >= f.address && address < f.address + PROBE_REACH)
        : undefined;
    if (hit) return { symbol: this.#census.symbols.intern(hit.name, hit.module), offset: 0, name: hit.name };
    return this.#resolve(address, address);
  }

  /** A return address belongs to the call before it: one byte back, or the last call of a function is its successor's. */
  #caller(address: number): ResolvedFrame {
    let frame = this.#frames.get(address);
    if (!frame) {
      frame = this.#resolve(address, address - 1);
      this.#frames.set(address, frame);
    }
    return frame;
  }

  #resolve(address: number, inside: number): ResolvedFrame {
    const found = this.#find(inside);
    if (!found) {
      const name = formatAddress(address);
      return { symbol: this.#census.symbols.intern(name), offset: NO_OFFSET, name };
    }
    const { name, module } = found;
    return { symbol: this.#census.symbols.intern(name, module), offset: address - found.address, name };
  }

  /** A module that was unloaded during the run is only in the symbols of before. */
  #find(address: number): KernelFunction | null {
    const after = this.#after.lookup(address);
    if (after?.module) return after;
    const before = this.#before.lookup(address);
    return before?.module ? before : after;
  }
}
