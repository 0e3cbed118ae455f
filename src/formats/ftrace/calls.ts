import { systemOfTracepoint } from '../../atlas/tracepoints.ts';
import type { KeyId } from '../../census/call-key.ts';
import { NO_TARGET, type TargetId } from '../../census/row-table.ts';
import { type Frame, NO_OFFSET } from '../../census/stack-table.ts';
import type { SymbolId } from '../../census/symbol-table.ts';
import type { CensusBuilder, PeeledStack } from '../builder.ts';
import type { Content, FtraceFrame } from './grammar.ts';

/** What a record's content means, learnt once. */
export type Meaning = { readonly kind: 'stack' } | { readonly kind: 'user-stack' } | KnownEvent;

/** A function that is called, or an event that happens, as records name it. */
export interface KnownEvent {
  readonly kind: 'function' | 'event';
  /** The event's name; the function's, normalised. */
  readonly name: string;
  /** What its calls are counted under. */
  readonly targetName: string;
  /** The function that is called, where it is known. */
  readonly called: SymbolId | null;
  /** Of a function without a stack: itself and its caller. */
  readonly short: PeeledStack | null;
  /** Further calls that the record stands for. */
  readonly repeats: number;
  stacks: number;
  withoutStack: number;
  /** Known from its first call on: what is never counted is no target. */
  target: TargetId;
}

/** The lines below `<stack trace>`, learnt once. */
export interface Block {
  /** Innermost first, with those of the tracer. */
  readonly frames: readonly Frame[];
  readonly lines: number;
  /** Names of the innermost ones: a function's stack has the function or its caller among them. */
  readonly innermost: ReadonlySet<string>;
  /** The tracepoint that its frames name, `sched_wakeup` by `__traceiter_sched_wakeup`; '' where they name none. */
  readonly tracepoint: string;
  /** What the block was booked as last, and for which event. */
  last: {
    readonly event: KnownEvent | null;
    readonly user: Block | null;
    readonly stack: PeeledStack;
    readonly target: TargetId;
  } | null;
}

/** A record without its stack. */
interface OpenCall {
  readonly event: KnownEvent;
  readonly context: Context;
  kernel: Block | null;
}

/** What follows each other on one CPU. Records of several are mixed in a file. */
interface Cpu {
  /** Records whose stack has not come, latest last. */
  readonly open: OpenCall[];
  /** Its stack has come; that of its program may follow. */
  told: OpenCall | null;
}

/** Whose record it is, and where: task, CPU, flags. One object for the same bytes. */
export interface Context {
  readonly task: KeyId;
  readonly cpu: Cpu;
}

/** So many records of one CPU may come between one and its stack: interrupts, and their own. */
const MOST_OPEN = 16;
/** Frames of the tracer between a stack's innermost frame and the function that was traced. */
const MOST_INSIDE = 12;
/** More kinds of events are not named. */
const MOST_NAMED = 20;

/** Books records and stacks as calls: a stack belongs to the record before it on the same CPU. */
export class FtraceCalls {
  /** Records, stacks among them: entries of the trace buffer. */
  entries = 0;
  readonly #builder: CensusBuilder;
  readonly #events: KnownEvent[] = [];
  readonly #byName = new Map<string, KnownEvent>();
  readonly #cpus = new Map<number, Cpu>();
  #callerOnly = 0;
  #calls = 0;

  constructor(builder: CensusBuilder) {
    builder.keepTargetsApart();
    builder.loseEmptyStacksAs({ code: 'event-without-stack' });
    this.#builder = builder;
  }

  context(task: KeyId, cpu: number): Context {
    let state = this.#cpus.get(cpu);
    if (!state) {
      state = { open: [], told: null };
      this.#cpus.set(cpu, state);
    }
    return { task, cpu: state };
  }

  /** What a content means that was not seen before. */
  meaning(content: Content): Meaning {
    if (content.kind === 'stack') return { kind: content.kind };
    if (content.kind === 'user-stack') return { kind: content.kind };
    const { symbols } = this.#builder.census;
    if (content.kind === 'function') {
      const { name, caller, repeats } = content;
      const called = symbols.intern(name);
      const frames = [called, ...(caller === '' ? [] : [symbols.intern(caller)])];
      const short = this.#builder.stackOf(called, frames.map(withoutOffset));
      return this.#known('function', symbols.name(called), called, short, repeats);
    }
    const { name, probed } = content;
    const called = probed === '' ? null : symbols.intern(probed);
    const key = `${name}\0${probed}`;
    let event = this.#byName.get(key);
    if (!event) {
      event = this.#known('event', called === null ? name : symbols.name(called), called, null, 0);
      this.#byName.set(key, event);
    }
    return event;
  }

  #known(
    kind: KnownEvent['kind'],
    name: string,
    called: SymbolId | null,
    short: PeeledStack | null,
    repeats: number,
  ): KnownEvent {
    const targetName = called === null ? this.#tracepoint(name) : name;
    const event: KnownEvent = {
      kind,
      name,
      targetName,
      target: NO_TARGET,
      called,
      short,
      repeats,
      stacks: 0,
      withoutStack: 0,
    };
    // Functions have a path of their own and need no further account; there may be very many, each by each caller.
    if (kind === 'event') this.#events.push(event);
    return event;
  }

  /** As targets are written; the kernel prints no system in front of an event. */
  #tracepoint(event: string): string {
    return `${systemOfTracepoint(event) ?? 'events'}:${event}`;
  }

  frame({ raw, module, space, offset }: FtraceFrame): Frame {
    return { symbol: this.#builder.census.symbols.intern(raw, module, space), offset };
  }

  block(frames: readonly Frame[], lines: number): Block {
    const { symbols } = this.#builder.census;
    const names = frames.slice(0, MOST_INSIDE).map(({ symbol }) => symbols.name(symbol));
    const tracepoint = names.find((name) => name.startsWith(TRACEPOINT))?.slice(TRACEPOINT.length) ?? '';
    return { frames, lines, innermost: new Set(names), tracepoint, last: null };
  }

  event(event: KnownEvent, context: Context): void {
    this.entries += 1;
    const { cpu } = context;
    if (cpu.told) this.#close(cpu, cpu.told, null);
    if (event.repeats > 0) {
      this.#withoutStack(event, context.task, event.repeats);
      return;
    }
    const { open } = cpu;
    if (open.length === MOST_OPEN) {
      const oldest = open.shift() as OpenCall;
      this.#withoutStack(oldest.event, oldest.context.task, 1);
    }
    open.push({ event, context, kernel: null });
  }

  stack(block: Block, context: Context): void {
    this.entries += 1;
    const { cpu } = context;
    if (cpu.told) this.#close(cpu, cpu.told, null);
    const call = this.#take(cpu, block, context);
    if (call) {
      call.kernel = block;
      cpu.told = call;
    } else this.#book(null, block, null, context.task);
  }

  userStack(block: Block, context: Context): void {
    this.entries += 1;
    const { cpu } = context;
    if (cpu.told) {
      this.#close(cpu, cpu.told, block);
      return;
    }
    const call = cpu.open.pop();
    if (call) this.#book(call.event, null, block, call.context.task);
    else this.#book(null, null, block, context.task);
  }

  /** The record that a stack belongs to: of the same task in the same state, else the latest one. */
  #take({ open }: Cpu, block: Block, context: Context): OpenCall | null {
    const last = open.length - 1;
    let found = -1;
    for (let i = last; i >= 0 && found < 0; i--) {
      const call = open[i] as OpenCall;
      if (call.context === context && this.#fits(call.event, block)) found = i;
    }
    if (found < 0 && last >= 0 && this.#fits((open[last] as OpenCall).event, block)) found = last;
    if (found < 0) return null;
    return (found === last ? open.pop() : open.splice(found, 1)[0]) ?? null;
  }

  /** Whether a stack may be an event's: a function's has the function or its caller, a tracepoint's may name it. */
  #fits({ kind, name, short }: KnownEvent, block: Block): boolean {
    if (kind === 'event') return block.tracepoint === '' || block.tracepoint === name;
    if (block.innermost.has(name)) return true;
    const { stacks, symbols } = this.#builder.census;
    const caller = short === null ? name : symbols.name(stacks.symbol(short.stack));
    return block.innermost.has(caller);
  }

  #close(cpu: Cpu, { event, context, kernel }: OpenCall, user: Block | null): void {
    cpu.told = null;
    this.#book(event, kernel, user, context.task);
  }

  #book(event: KnownEvent | null, kernel: Block | null, user: Block | null, task: KeyId): void {
    const block = kernel ?? user;
    if (!block) return;
    if (event) event.stacks += 1;
    this.#calls += 1;
    const { last } = block;
    if (last && last.event === event && last.user === user) {
      this.#builder.add(last.stack, task, 1, last.target);
      return;
    }
    const frames = [...(kernel?.frames ?? []), ...(user?.frames ?? [])];
    const called = event?.called ?? null;
    const stack = called === null ? this.#builder.stack(frames) : this.#builder.stackOf(called, frames);
    const target = event ? this.#target(event) : this.#targetOf(stack);
    block.last = { event, user, stack, target };
    this.#builder.add(stack, task, 1, target);
  }

  #target(event: KnownEvent): TargetId {
    if (event.target === NO_TARGET) event.target = this.#builder.targetId(event.targetName);
    return event.target;
  }

  /** Of a stack without a record, as `kfree:stacktrace` in set_ftrace_filter leaves: the function that printed it. */
  #targetOf({ innermost }: PeeledStack): TargetId {
    return this.#builder.targetId(innermost === undefined ? '' : this.#builder.census.symbols.name(innermost));
  }

  #withoutStack(event: KnownEvent, task: KeyId, count: number): void {
    if (event.short === null) {
      event.withoutStack += count;
      return;
    }
    this.#calls += count;
    this.#callerOnly += count;
    this.#builder.add(event.short, task, count, this.#target(event));
  }

  /** How many calls an entry of the trace buffer stands for in this file: a call and its stack are two. */
  callsPerEntry = 1;

  /** Whether any record had a stack or is a function's. */
  get hasCalls(): boolean {
    return this.#calls > 0;
  }

  finish(): void {
    const { census } = this.#builder;
    // What waits for its stack at the end of a file says nothing of how many have one.
    const waiting = [...this.#cpus.values()].reduce((sum, { open }) => sum + open.length, 0);
    for (const cpu of this.#cpus.values()) if (cpu.told) this.#close(cpu, cpu.told, null);
    const hasStacks = this.#calls > this.#callerOnly;
    if (hasStacks && this.entries > waiting) this.callsPerEntry = this.#calls / (this.entries - waiting);
    for (const cpu of this.#cpus.values()) {
      for (const { event, context } of cpu.open) this.#withoutStack(event, context.task, 1);
    }
    if (!hasStacks && this.entries > 0) this.callsPerEntry = this.#calls / this.entries;
    const leftOut: KnownEvent[] = [];
    for (const event of this.#events) {
      if (event.stacks > 0) {
        this.#calls += event.withoutStack;
        census.lose({ code: 'event-without-stack' }, event.withoutStack);
      } else if (event.withoutStack > 0) leftOut.push(event);
    }
    if (this.#callerOnly > 0) census.note({ code: 'caller-only', calls: this.#callerOnly });
    if (leftOut.length > 0) {
      const events = leftOut.map(({ name }) => name).slice(0, MOST_NAMED);
      const records = leftOut.reduce((sum, { withoutStack }) => sum + withoutStack, 0);
      census.note({ code: 'events-left-out', events, records });
    }
  }
}

const TRACEPOINT = '__traceiter_';

function withoutOffset(symbol: SymbolId): Frame {
  return { symbol, offset: NO_OFFSET };
}
