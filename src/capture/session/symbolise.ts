import { fileByNeighbours } from '../../atlas/neighbours.ts';
import type { Census } from '../../census/census.ts';
import { EMPTY_STACK, NO_OFFSET, type StackId } from '../../census/stack-table.ts';
import { normaliseSymbol } from '../../census/symbol-name.ts';
import type { SymbolId } from '../../census/symbol-table.ts';
import { readAddress } from '../../image/kernel-elf.ts';
import { MAX_FRAMES, USER_PART } from '../bpf/scratch-space.ts';
import { formatAddress } from '../symbols/address.ts';
import type { FunctionFinder, KernelFunction } from '../symbols/function-map.ts';
import type { UserPlace, UserSymbols } from '../symbols/user-symbols.ts';
import { arch } from '../sys/arch.ts';
import type { Target, UserTarget } from '../targets/target.ts';

/** A probe's own address may lie some bytes into the function: after its `endbr64` or call of `__fentry__`. */
const PROBE_REACH = 16;
/** What a tracepoint puts between the function it stands in and the BPF program: `bpf_trace_run3`, `__traceiter_*`. */
const TRACEPOINT_MACHINERY =
  /^(?:bpf_trace_run\d*|__bpf_trace_|__traceiter_|bpf_prog_|perf_trace_|trace_event_|perf_syscall_|syscall_trace_|syscall_exit_|__bpf_prog|bpf_dispatcher_|trampoline_|ftrace_trampoline)/;

/** The function of the system call that a tracepoint is for. */
export function syscallOf(target: Target): string | undefined {
  const name = target.kind === 'tracepoint' ? /^sys_(?:enter|exit)_(.+)$/.exec(target.event)?.[1] : undefined;
  return name && `${arch().syscallPrefix}${name}`;
}

interface ResolvedFrame {
  readonly symbol: SymbolId;
  readonly offset: number;
  readonly name: string;
  readonly isInModule: boolean;
}

/** Makes stacks of a census out of return addresses. */
export class Symboliser {
  readonly #census: Census;
  readonly #symbols: FunctionFinder;
  readonly #user: UserSymbols;
  /** By return address. */
  readonly #frames = new Map<number, ResolvedFrame>();
  /** By address of the function; another module may have taken the place of an unloaded one. */
  readonly #functions = new Map<number, { readonly name: string; readonly symbol: SymbolId }>();

  constructor(census: Census, symbols: FunctionFinder, user: UserSymbols) {
    this.#census = census;
    this.#symbols = symbols;
    this.#user = user;
  }

  /**
   * The stack of a record of the map of stacks, innermost frame first.
   * `userOf`: the process whose part of the stack follows the kernel's; null where none was recorded.
   */
  read(record: Buffer, target: Target, userOf: number | null): StackId {
    if (target.kind === 'user') return userOf === null ? EMPTY_STACK : this.#readUserTarget(record, target, userOf);
    let stack = this.#startOf(target);
    let peeling = target.kind === 'tracepoint';
    for (let frame = 0; frame < MAX_FRAMES; frame++) {
      const address = readAddress(record, frame * 8);
      if (address === 0) break;
      let resolved = frame === 0 ? this.#first(address, target) : this.#caller(address);
      if (peeling && TRACEPOINT_MACHINERY.test(resolved.name)) continue;
      peeling = false;
      if (resolved.isInModule && this.#isInitCode(record, frame)) resolved = this.#unnamed(address);
      stack = this.#census.stacks.push(stack, resolved.symbol, resolved.offset);
    }
    return userOf === null ? stack : this.#readUser(record, stack, userOf);
  }

  /**
   * Whether a frame is the init function of a module: `do_one_initcall` called it. Its code is freed as soon as it has
   * run, and a module that is loaded later gets the addresses: the names found there are those of other functions.
   */
  #isInitCode(record: Buffer, frame: number): boolean {
    const caller = frame + 1 < MAX_FRAMES ? readAddress(record, (frame + 1) * 8) : 0;
    return caller !== 0 && this.#caller(caller).name === 'do_one_initcall';
  }

  #readUser(record: Buffer, kernelPart: StackId, pid: number): StackId {
    let stack = kernelPart;
    for (let frame = 0; frame < MAX_FRAMES; frame++) {
      const address = readAddress(record, USER_PART + frame * 8);
      if (address === 0) break;
      // The innermost is where the process was when it entered the kernel, the others are return addresses.
      stack = this.#pushUser(stack, this.#user.locate(pid, address, frame > 0));
    }
    return stack;
  }

  /** A function of an executable: itself, the address it was called from, and what frame pointers tell beyond. */
  #readUserTarget(record: Buffer, target: UserTarget, pid: number): StackId {
    const own = this.#census.symbols.intern(target.symbol, target.path, 'user');
    let stack = this.#census.stacks.push(EMPTY_STACK, own, 0);
    const caller = readAddress(record, 0);
    for (let frame = 0; frame < MAX_FRAMES; frame++) {
      // The first unwound frame is the function; the next is its caller's again where the kernel knew the trick itself.
      const address = frame === 0 ? caller : readAddress(record, USER_PART + frame * 8);
      if (address === 0 && frame > 0) break;
      if (address === 0 || (frame === 1 && address === caller)) continue;
      const place = this.#user.locate(pid, address, true);
      const isSelf = place.name === target.symbol && place.file === target.file;
      stack = isSelf ? this.#census.stacks.push(stack, own, place.offset) : this.#pushUser(stack, place);
    }
    return stack;
  }

  #pushUser(stack: StackId, { name, file, offset }: UserPlace): StackId {
    return this.#census.stacks.push(stack, this.#census.symbols.intern(name, file, 'user'), offset);
  }

  /** The tracepoint of a syscall stands in the code that all of them share; which one it is only its name says. */
  #startOf(target: Target): StackId {
    const syscall = syscallOf(target);
    return syscall === undefined
      ? EMPTY_STACK
      : this.#census.stacks.push(EMPTY_STACK, this.#census.symbols.intern(syscall));
  }

  /** The name of the function at an address, the address itself where there is none. */
  nameOf(address: number): string {
    return this.#symbols.lookup(address)?.name ?? formatAddress(address);
  }

  #first(address: number, target: Target): ResolvedFrame {
    const hit =
      target.kind === 'function'
        ? target.functions.find((f) => address >= f.address && address < f.address + PROBE_REACH)
        : undefined;
    if (hit) return { symbol: this.#symbolOf(hit), offset: 0, name: hit.name, isInModule: hit.module !== '' };
    return this.#resolve(address, address);
  }

  /**
   * A return address belongs to the call before it: one byte back, or the last call of a function is its successor's.
   */
  #caller(address: number): ResolvedFrame {
    let frame = this.#frames.get(address);
    if (!frame) {
      frame = this.#resolve(address, address - 1);
      this.#frames.set(address, frame);
    }
    return frame;
  }

  #resolve(address: number, inside: number): ResolvedFrame {
    const found = this.#symbols.lookup(inside);
    if (!found) return this.#unnamed(address);
    const { name, module } = found;
    return { symbol: this.#symbolOf(found), offset: address - found.address, name, isInModule: module !== '' };
  }

  #unnamed(address: number): ResolvedFrame {
    const name = formatAddress(address);
    return { symbol: this.#census.symbols.intern(name), offset: NO_OFFSET, name, isInModule: false };
  }

  /** Static functions of one name are told apart by what lies beside them. */
  #symbolOf({ name, module, address }: KernelFunction): SymbolId {
    const known = this.#functions.get(address);
    if (known?.name === name) return known.symbol;
    const file = fileByNeighbours(normaliseSymbol(name), module, (distance) => {
      const neighbour = this.#symbols.neighbour(address, distance);
      return neighbour && { name: normaliseSymbol(neighbour.name), module: neighbour.module };
    });
    const symbol = this.#census.symbols.intern(name, module, 'kernel', file ?? '');
    this.#functions.set(address, { name, symbol });
    return symbol;
  }
}
