import { Census, UNKNOWN } from '../census/census.ts';
import { instrumentationDepth } from '../census/instrumentation.ts';
import type { KernelKnowledge } from '../census/knowledge.ts';
import type { Frame, StackId } from '../census/stack-table.ts';
import type { SymbolId } from '../census/symbol-table.ts';
import type { Diagnostics } from './diagnostics.ts';

/** A stack as the census keeps it, and what was learnt while the recording tool's frames were taken off. */
export interface PeeledStack {
  readonly stack: StackId;
  /** Frames taken off, innermost first. */
  readonly peeled: readonly SymbolId[];
  /** The innermost frame left; undefined for an empty stack. */
  readonly innermost: SymbolId | undefined;
}

/** What a reader writes into: a census, the peeling of stacks, and totals that the source declares. */
export class CensusBuilder {
  readonly census = new Census();
  readonly #knowledge: KernelKnowledge;
  readonly #diagnostics: Diagnostics;
  /** True totals the source states, by name, and what a call missing from the source is called. */
  readonly #totals = new Map<string, number>();
  #missingReason = '';
  /** The source is a census file: everything in it is as it was written, nothing is to be concluded. */
  isExact = false;

  constructor(knowledge: KernelKnowledge, diagnostics: Diagnostics) {
    this.#knowledge = knowledge;
    this.#diagnostics = diagnostics;
  }

  get knowledge(): KernelKnowledge {
    return this.#knowledge;
  }

  /** Interns a stack without the frames of the tool that recorded it. Frames innermost first. */
  stack(frames: readonly Frame[]): PeeledStack {
    const { census } = this;
    const depth = instrumentationDepth(frames, census.symbols, this.#knowledge);
    if (depth === 0) return { stack: census.stack(frames), peeled: [], innermost: frames[0]?.symbol };
    const peeled = frames.slice(0, depth).map((frame) => frame.symbol);
    // What the tool left on the stack when it recorded an earlier call shows again, doubted: `? pre+0x5/0xa [rbdump]`.
    const tool = new Set(peeled.map((symbol) => this.#identity(symbol)));
    const rest = frames.slice(depth).filter((frame) => !frame.unreliable || !tool.has(this.#identity(frame.symbol)));
    return { stack: census.stack(rest), peeled, innermost: rest[0]?.symbol };
  }

  /** Name and module: parts that the compiler split off a function count as the function. */
  #identity(symbol: SymbolId): string {
    const { symbols } = this.census;
    return `${symbols.name(symbol)} ${symbols.module(symbol)}`;
  }

  /** Tells the diagnostics what was peeled off `calls` stacks. */
  countPeeled(peeled: readonly SymbolId[], calls: number): void {
    for (const symbol of peeled) {
      const name = this.census.symbols.name(symbol);
      this.#diagnostics.peeled.set(name, (this.#diagnostics.peeled.get(name) ?? 0) + calls);
    }
  }

  /** The source says that `name` was called `count` times in all; what it does not show is a loss of this reason. */
  declareTotal(name: string, count: number, missingReason: string): void {
    this.#totals.set(name, (this.#totals.get(name) ?? 0) + count);
    this.#missingReason = missingReason;
  }

  /** Settles declared totals against what was counted. Call once, after the last row. */
  finish(): Census {
    const { census } = this;
    if (this.isExact) return census;
    if (this.#totals.size > 0) {
      const declared = [...this.#totals.values()].reduce((sum, count) => sum + count, 0);
      const missing = declared - census.total;
      if (missing >= 0) census.lose(this.#missingReason, missing);
      else {
        census.note(
          `The source states ${declared} calls in all, but ${census.total} are in it: the stated total was ignored.`,
        );
      }
      if (census.targets.length === 0) for (const name of this.#totals.keys()) census.target(name);
    }
    // All calls are the one target's, where there is but one.
    if (census.targets.length === 1) census.rows.retarget(UNKNOWN, 0);
    return census;
  }

  /**
   * Where the source names no target and all its stacks begin with the same function, that function is the target:
   * tools that stop at a function record it innermost.
   */
  inferTarget(): void {
    const { census } = this;
    if (census.targets.length > 0 || census.rows.size < 2) return;
    let shared: SymbolId | undefined;
    const seen = new Set<StackId>();
    for (const row of census.rows) {
      let at = row.stack;
      while (census.stacks.depth(at) > 1 && !seen.has(at)) {
        seen.add(at);
        at = census.stacks.inner(at);
      }
      if (census.stacks.depth(at) !== 1) continue;
      const symbol = census.stacks.symbol(at);
      if (shared !== undefined && census.symbols.name(symbol) !== census.symbols.name(shared)) return;
      shared = symbol;
    }
    if (shared !== undefined && census.symbols.space(shared) === 'kernel') census.target(census.symbols.name(shared));
  }

  /** The target of a row, by name; {@link UNKNOWN} for ''. */
  targetId(name: string): number {
    return name === '' ? UNKNOWN : this.census.target(name);
  }
}
