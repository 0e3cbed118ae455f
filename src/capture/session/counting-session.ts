import type { Census } from '../../census/census.ts';
import type { FunctionFinder } from '../symbols/function-map.ts';
import type { UserSymbols } from '../symbols/user-symbols.ts';

/** How many stacks BPF programs recognised by walking them, and how these stood up to the kernel's unwinder. */
export interface StackWalks {
  readonly walked: number;
  /** Of those, how many were checked. */
  readonly checked: number;
  /** Of those, how many differed. */
  readonly differed: number;
  /** Why the kernel's verifier does not let BPF programs walk stacks: the program, and the verifier's log. */
  readonly refusal?: string;
}

/** Counts calls of some targets between {@link start} and {@link stop}, however that is done. */
export interface CountingSession {
  /** Known once drained, where stacks are walked. */
  readonly walks?: StackWalks;
  /** When counting began, in nanoseconds of the monotonic clock; time buckets are counted by it. */
  readonly startedAt: bigint;
  start(): void;
  stop(): void;
  /** Adds what was counted to a census: rows, losses, facts. To be called after {@link stop}. */
  drainInto(census: Census, symbols: FunctionFinder, userSymbols: UserSymbols): void;
  /**
   * Calls so far, those that a filter leaves out too; null where that cannot be read without any effect on counting.
   */
  callsSoFar?(): number | null;
  /** What was counted so far, where the session can say. */
  snapshot?(symbols: FunctionFinder, userSymbols: UserSymbols): Census;
  /** Gives everything back to the kernel. */
  close(): void;
}
