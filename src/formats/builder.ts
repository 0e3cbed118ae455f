import type { CallKey, KeyId } from '../census/call-key.ts';
import { Census } from '../census/census.ts';
import { instrumentationDepth, UNRESOLVED } from '../census/instrumentation.ts';
import type { KernelKnowledge } from '../census/knowledge.ts';
import type { LossCause } from '../census/message.ts';
import { NO_TARGET, type Row, type TargetId } from '../census/row-table.ts';
import { type Frame, NO_OFFSET, type StackId, UNREAD_FRAME } from '../census/stack-table.ts';
import type { SymbolId, SymbolTable } from '../census/symbol-table.ts';
import type { Diagnostics } from './diagnostics.ts';

/** Frames of a recording tool that were taken off stacks, and how many calls had them. */
interface PeeledFrames {
  /** Innermost first. */
  readonly symbols: readonly SymbolId[];
  calls: number;
}

/** A stack that a source tells for information, under the heading it stands under. */
export interface Aside {
  readonly heading: string;
  readonly stack: StackId;
}

const MAXIMUM_ASIDES = 100;
/** A tool puts no more frames between its innermost one and the function whose call it records. */
const MOST_INSIDE = 12;

/** A stack as the census keeps it, for readers that remember stacks and count the same one again. */
export interface PeeledStack {
  readonly stack: StackId;
  /** What was taken off; null where nothing was. */
  readonly peeled: PeeledFrames | null;
  /** The innermost frame left; undefined for an empty stack. */
  readonly innermost: SymbolId | undefined;
}

/**
 * What a reader writes calls into. `call` does all there is to do for one: it takes off the frames of the tool that
 * recorded the stack, tells the diagnostics of them, and books calls without a stack as lost. Readers that meet the same
 * stack often keep what {@link stack} returns and {@link add} to it.
 */
export class CensusBuilder {
  readonly census = new Census();
  readonly #knowledge: KernelKnowledge;
  readonly #diagnostics: Diagnostics;
  readonly #peeled = new Map<string, PeeledFrames>();
  /** True totals the source states, by name, and what a call missing from the source is called. */
  readonly #totals = new Map<string, number>();
  #targetNames: ReadonlySet<string> = new Set();
  /** By symbol: whether it is one of these. */
  readonly #targetSymbols: (boolean | undefined)[] = [];
  #missing: LossCause = { code: 'not-printed' };
  #emptyStack: LossCause = { code: 'sample-without-stack' };
  /** Stacks that the source tells for information, where somebody asks for them: {@link collectAsides}. */
  #asides: Aside[] | null = null;
  #isTargetOfAll = true;
  /** Somebody says whose calls all of these are. */
  #isNamed = false;
  /** The source is a census file: everything in it is as it was written, nothing is to be concluded. */
  isExact = false;

  constructor(knowledge: KernelKnowledge, diagnostics: Diagnostics) {
    this.#knowledge = knowledge;
    this.#diagnostics = diagnostics;
  }

  get knowledge(): KernelKnowledge {
    return this.#knowledge;
  }

  /** What was told for information; null where nobody asks for it. */
  get asides(): readonly Aside[] | null {
    return this.#asides;
  }

  /** Keeps stacks that are told for information from now on, as many as one may want to read. */
  collectAsides(): void {
    this.#asides ??= [];
  }

  /** A stack that is no call: where something was allocated, which lock was taken where. */
  aside(heading: string, frames: readonly Frame[]): void {
    if (this.#asides && this.#asides.length < MAXIMUM_ASIDES) {
      this.#asides.push({ heading, stack: this.census.stack(frames) });
    }
  }

  /** Says whose calls all of the source's are, where it does not tell. */
  nameTargets(names: readonly string[]): void {
    for (const name of names) this.census.target(name);
    this.#isNamed = names.length > 0;
  }

  /** What calls with an empty stack are lost for; else `sample-without-stack`. */
  loseEmptyStacksAs(cause: LossCause): void {
    this.#emptyStack = cause;
  }

  /** What is known of the task of calls, interned: the same for the same task. */
  task(key: Partial<CallKey>): KeyId {
    return this.census.keys.intern(key);
  }

  /**
   * Counts calls. Frames innermost first, with those of the recording tool.
   * @returns the number of the row, for the sums of measures; -1 where the calls were lost
   */
  call(frames: readonly Frame[], task: KeyId, count = 1, target: TargetId = NO_TARGET): number {
    return this.add(this.stack(frames), task, count, target);
  }

  /**
   * Interns a stack without the frames of the tool that recorded it. Frames innermost first.
   *
   * @param withReports the kernel may have printed it: functions that find a fault and print the stack are no callers
   */
  stack(frames: readonly Frame[], withReports = false): PeeledStack {
    const { census } = this;
    const peeling = { isTarget: this.#isTarget, withReports };
    const depth = instrumentationDepth(frames, census.symbols, this.#knowledge, peeling);
    if (depth === 0) return { stack: census.stack(frames), peeled: null, innermost: frames[0]?.symbol };
    const isUnread = (frame: Frame) => census.symbols.name(frame.symbol) === UNREAD_FRAME;
    const taken = frames.slice(0, depth);
    const symbols = taken.filter((frame) => !isUnread(frame)).map((frame) => frame.symbol);
    // What the tool left on the stack when it recorded an earlier call shows again, doubted: `? pre+0x5/0xa [rbdump]`.
    const isTool = (frame: Frame) => frame.unreliable && symbols.some((symbol) => this.#areSame(symbol, frame.symbol));
    const rest = frames.slice(depth).filter((frame) => !isTool(frame));
    const own = [...taken.filter(isUnread).slice(0, 1), ...withoutLeadingMarkers(rest, census.symbols)];
    return { stack: census.stack(own), peeled: this.#peeledFrames(symbols), innermost: own[0]?.symbol };
  }

  /**
   * {@link stack} of a call of a function that the source names. What lies inside it recorded the call; where it has no
   * frame it is put in front.
   */
  stackOf(called: SymbolId, frames: readonly Frame[]): PeeledStack {
    const { census } = this;
    const { symbols } = census;
    const name = symbols.name(called);
    let inside = frames.findIndex(({ symbol }, i) => i <= MOST_INSIDE && symbols.name(symbol) === name);
    const isFrame = inside >= 0;
    if (!isFrame) inside = frames.findIndex(({ symbol }) => !this.#isTool(symbol));
    const rest = frames.slice(Math.max(inside, 0));
    const own = isFrame ? rest : [{ symbol: called, offset: NO_OFFSET }, ...rest];
    const taken = frames.slice(0, Math.max(inside, 0)).map(({ symbol }) => symbol);
    const peeled = taken.length > 0 ? this.#peeledFrames(taken) : null;
    return { stack: census.stack(own), peeled, innermost: own[0]?.symbol };
  }

  /** Whether a frame inside a call can only be of what recorded it. */
  #isTool(symbol: SymbolId): boolean {
    const name = this.census.symbols.name(symbol);
    return UNRESOLVED.test(name) || this.#knowledge.role(name)?.instrumentation !== undefined;
  }

  readonly #isTarget = (symbol: SymbolId): boolean => {
    const { symbols, targets } = this.census;
    if (targets.length === 0) return false;
    if (this.#targetNames.size !== targets.length) {
      this.#targetNames = new Set(targets);
      this.#targetSymbols.length = 0;
    }
    let isTarget = this.#targetSymbols[symbol];
    if (isTarget === undefined) {
      const name = symbols.name(symbol);
      const spellings = [name, symbols.raw(symbol), `${symbols.module(symbol) || 'vmlinux'}:${name}`];
      isTarget = spellings.some((spelling) => this.#targetNames.has(spelling));
      this.#targetSymbols[symbol] = isTarget;
    }
    return isTarget;
  };

  /** Counts calls with a stack that {@link stack} returned. */
  add({ stack, peeled, innermost }: PeeledStack, task: KeyId, count = 1, target: TargetId = NO_TARGET): number {
    if (peeled) peeled.calls += count;
    if (innermost !== undefined) return this.census.addCalls(stack, target, task, count);
    this.census.lose(this.#emptyStack, count);
    return -1;
  }

  #peeledFrames(symbols: readonly SymbolId[]): PeeledFrames {
    const key = symbols.join();
    let peeled = this.#peeled.get(key);
    if (!peeled) {
      peeled = { symbols, calls: 0 };
      this.#peeled.set(key, peeled);
    }
    return peeled;
  }

  /** Parts that the compiler split off a function count as the function. */
  #areSame(one: SymbolId, other: SymbolId): boolean {
    const { symbols } = this.census;
    return (
      one === other || (symbols.name(one) === symbols.name(other) && symbols.module(one) === symbols.module(other))
    );
  }

  /** The source says that `name` was called `count` times in all; what it does not show is lost for this cause. */
  declareTotal(name: string, count: number, missing: LossCause): void {
    this.#totals.set(name, (this.#totals.get(name) ?? 0) + count);
    this.#missing = missing;
  }

  /** Settles declared totals against what was counted. Call once, after the last row. */
  finish(): Census {
    const { census } = this;
    for (const { symbols, calls } of this.#peeled.values()) {
      for (const symbol of calls > 0 ? symbols : []) this.#diagnostics.tookOff(census.symbols.name(symbol), calls);
    }
    if (this.isExact) return census;
    if (this.#totals.size > 0) {
      const stated = [...this.#totals.values()].reduce((sum, count) => sum + count, 0);
      const missing = stated - census.total;
      if (missing >= 0) census.lose(this.#missing, missing);
      else census.note({ code: 'total-ignored', stated, counted: census.total });
      if (census.targets.length === 0) for (const name of this.#totals.keys()) census.target(name);
    }
    // All calls are the one target's, where there is but one; not what the kernel reported meanwhile.
    if (census.targets.length === 1 && (this.#isTargetOfAll || this.#totals.size > 0)) {
      const isItsCall = ({ key }: Row) => this.#isNamed || census.keys.at(key).report === '';
      census.rows.rewrite({
        targetOf: (row) => (row.target === NO_TARGET && isItsCall(row) ? (0 as TargetId) : row.target),
      });
    }
    return census;
  }

  /**
   * Where the source names no target and all its stacks begin with the same function, that function is the target:
   * tools that stop at a function record it innermost. No function is that the unwinder doubts.
   */
  inferTarget(): void {
    const { census } = this;
    const { stacks, symbols } = census;
    if (census.targets.length > 0 || census.rows.size < 2) return;
    let shared: SymbolId | undefined;
    const seen = new Set<StackId>();
    for (const row of census.rows) {
      let at = row.stack;
      while (stacks.depth(at) > 1 && !seen.has(at)) {
        seen.add(at);
        at = stacks.inner(at);
      }
      if (stacks.depth(at) !== 1) continue;
      const symbol = stacks.symbol(at);
      if (stacks.isUnreliable(at)) return;
      if (shared !== undefined && symbols.name(symbol) !== symbols.name(shared)) return;
      shared = symbol;
    }
    if (shared === undefined || symbols.space(shared) !== 'kernel') return;
    const target = symbols.name(shared);
    census.target(target);
    census.note({ code: 'target-inferred', target });
  }

  /** Targets are those of the calls they were found in, and of no others. */
  keepTargetsApart(): void {
    this.#isTargetOfAll = false;
  }

  /** The target of a row, by name; {@link NO_TARGET} for ''. */
  targetId(name: string): TargetId {
    return name === '' ? NO_TARGET : this.census.target(name);
  }
}

/** What was interrupted has nothing inside it any more where all of that was taken off. */
function withoutLeadingMarkers(frames: readonly Frame[], symbols: SymbolTable): readonly Frame[] {
  const isMarker = ({ symbol }: Frame) => symbols.space(symbol) === 'marker';
  const sure = frames.findIndex((frame) => !frame.unreliable && !isMarker(frame));
  const inner = frames.slice(0, Math.max(sure, 0));
  return inner.some(isMarker) ? [...inner.filter((frame) => !isMarker(frame)), ...frames.slice(sure)] : frames;
}
