import type { CallKey, KeyId } from '../census/call-key.ts';
import { NO_TARGET, type TargetId } from '../census/row-table.ts';
import type { Frame } from '../census/stack-table.ts';
import type { CensusBuilder, PeeledStack } from './builder.ts';

/** A sum beside the count: index into {@link Census.measures}, and the value. */
export type Sum = readonly [measure: number, value: number];

interface CountedStack {
  readonly stack: PeeledStack;
  readonly task: KeyId;
  readonly count: number;
  readonly sums: readonly Sum[];
  /** Where in its innermost function the stack was taken, -1 where that is not told. */
  readonly offset: number;
}

/** A probe at the entry of a function lies behind what the compiler puts there for indirect calls, and for tracers. */
const ENTRY = 9;

/**
 * Stacks that a tool counted by itself and prints as a table: a histogram of the kernel, a map of bpftrace, an interval of
 * bcc. The table does not tell what was probed; its stacks do, because they all begin there.
 */
export class CountedStacks {
  readonly #builder: CensusBuilder;
  readonly #stacks: CountedStack[] = [];

  constructor(builder: CensusBuilder) {
    this.#builder = builder;
  }

  get size(): number {
    return this.#stacks.length;
  }

  /** Frames innermost first, with those of the tool. */
  add(frames: readonly Frame[], key: Partial<CallKey>, count: number, sums: readonly Sum[] = []): void {
    const stack = this.#builder.stack(frames);
    const { stacks } = this.#builder.census;
    const [first] = stack.innermost === undefined ? [] : stacks.prefixes(stack.stack);
    const offset = first === undefined ? -1 : stacks.offset(first);
    this.#stacks.push({ stack, task: this.#builder.task(key), count, sums, offset });
  }

  /** Books all stacks, and is empty again. `named` is the target where the source tells it. */
  book(named = ''): void {
    const { rows } = this.#builder.census;
    const target = named === '' ? this.#sharedTarget() : this.#builder.targetId(named);
    const areEntries = target === NO_TARGET && this.#areEntries();
    for (const { stack, task, count, sums } of this.#stacks) {
      const row = this.#builder.add(stack, task, count, areEntries ? this.#ownTarget(stack) : target);
      for (const [measure, value] of row < 0 ? [] : sums) rows.addSum(row, measure, value);
    }
    this.#stacks.length = 0;
  }

  /** The function with which all stacks begin. */
  #sharedTarget(): TargetId {
    const { symbols, targets } = this.#builder.census;
    const [first, ...others] = this.#stacks;
    const innermost = first?.stack.innermost;
    if (first === undefined || innermost === undefined || symbols.space(innermost) !== 'kernel') return NO_TARGET;
    const name = symbols.name(innermost);
    const isShared = ({ stack }: CountedStack) =>
      stack.innermost !== undefined && symbols.name(stack.innermost) === name;
    if (!others.every(isShared)) return NO_TARGET;
    // One stack by itself says nothing, unless it was taken at the entry of its innermost function or by a kprobe.
    const isSure = this.#areProbes() || this.#areEntries();
    if (!isSure && others.length === 0) return NO_TARGET;
    if (!isSure && !targets.includes(name)) this.#builder.census.note({ code: 'target-inferred', target: name });
    return this.#builder.targetId(name);
  }

  #ownTarget({ innermost }: PeeledStack): TargetId {
    return innermost === undefined ? NO_TARGET : this.#builder.targetId(this.#builder.census.symbols.name(innermost));
  }

  /** Whether all stacks were taken where their innermost function begins. */
  #areEntries(): boolean {
    return this.#stacks.every(({ offset, stack }) => stack.innermost === undefined || (offset >= 0 && offset <= ENTRY));
  }

  /** Whether a kprobe took every stack: its handlers lay inside. */
  #areProbes(): boolean {
    const { census, knowledge } = this.#builder;
    return this.#stacks.every(({ stack }) =>
      stack.peeled?.symbols.some(
        (symbol) => knowledge.role(census.symbols.name(symbol))?.instrumentation === 'handler',
      ),
    );
  }
}
