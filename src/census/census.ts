import { type CallKey, type KeyId, KeyTable, UNKNOWN } from './call-key.ts';
import { type Loss, type LossCause, type Message, messageKey, type Note, type Warning } from './message.ts';
import { NO_TARGET, RowTable, type TargetId } from './row-table.ts';
import { type Frame, type StackId, StackTable } from './stack-table.ts';
import { SymbolTable } from './symbol-table.ts';
import type { Workload } from './workload.ts';

export { UNKNOWN };

/** A number that is added up beside the count of calls. */
export interface Measure {
  /** `bytes`, `nanoseconds`, `alloc_space`. */
  readonly name: string;
  /** What a value is counted in: `bytes`, `nanoseconds`, `pages`; '' where the name says it. */
  readonly unit: string;
  /** Where the value comes from: `arg3`, a field of an event, a value of a profile. */
  readonly of: string;
}

/** One text for one measure. */
export function measureKey({ name, unit, of }: Measure): string {
  return JSON.stringify([name, unit, of]);
}

/** What is known of a run besides its calls. Lists hold one element for one run and grow when censuses are merged. */
export interface CensusFacts {
  /** Kernel releases: `6.1.0-56-amd64`. */
  kernels: string[];
  /** Build ids of these kernels, in hexadecimal digits: of two builds of one release they differ. */
  buildIds: string[];
  /** Command lines, one array of words each. */
  commands: string[][];
  workloads: Workload[];
  /** Number of CPUs of the machine, where known. */
  cpus: number | null;
  /** How long calls were counted, summed over merged runs; null where unknown. */
  durationSeconds: number | null;
  /** Width of the time buckets in milliseconds; null where rows carry no time. */
  bucketMilliseconds: number | null;
  /** Processor architectures: `x86-64`, `arm64`. */
  architectures: string[];
  /** When counting began, the earliest of merged runs: `2026-11-23T12:00:00Z`; null where unknown. */
  startedAt: string | null;
  /** Why an unknown number of calls may be missing from the total: to be read before the figures. */
  warnings: Warning[];
  /** Blind spots and other remarks that belong beside the figures. */
  notes: Note[];
}

/** The calls that {@link Census.add} adds: all but the stack may be unknown. */
export interface Calls extends Partial<CallKey> {
  readonly stack: StackId;
  readonly target?: TargetId;
}

/**
 * Everything one run or one file yields: who called, how often, and what is missing.
 *
 * Invariant: total = attributed + lost. Attributed is the sum of all rows, lost the sum of all losses.
 */
export class Census {
  readonly symbols = new SymbolTable();
  readonly stacks = new StackTable();
  readonly keys = new KeyTable();
  readonly rows = new RowTable();
  readonly facts: CensusFacts = {
    kernels: [],
    buildIds: [],
    commands: [],
    workloads: [],
    cpus: null,
    durationSeconds: null,
    bucketMilliseconds: null,
    architectures: [],
    startedAt: null,
    warnings: [],
    notes: [],
  };
  #targets: string[] = [];
  readonly #targetIds = new Map<string, TargetId>();
  #measures: Measure[] = [];
  readonly #losses = new Map<string, { readonly cause: LossCause; count: number }>();
  #attributed = 0;

  /** Names of the targets whose calls were counted, in the order they were met. */
  get targets(): readonly string[] {
    return this.#targets;
  }

  /** What is added up beside the count, in the order of {@link RowTable.sum}. */
  get measures(): readonly Measure[] {
    return this.#measures;
  }

  /** The losses, largest first. */
  get losses(): Loss[] {
    return [...this.#losses]
      .sort(([aKey, a], [bKey, b]) => b.count - a.count || (aKey < bKey ? -1 : 1))
      .map(([, { cause, count }]) => ({ ...cause, count }));
  }

  get attributed(): number {
    return this.#attributed;
  }

  get lost(): number {
    let sum = 0;
    for (const { count } of this.#losses.values()) sum += count;
    return sum;
  }

  get total(): number {
    return this.#attributed + this.lost;
  }

  /** The id of a target, added if it is new. */
  target(name: string): TargetId {
    let id = this.#targetIds.get(name);
    if (id === undefined) {
      id = (this.#targets.push(name) - 1) as TargetId;
      this.#targetIds.set(name, id);
    }
    return id;
  }

  /** The index of a measure, added if it is new. */
  measure({ name, unit, of }: Measure): number {
    const known = this.#measures.findIndex((one) => one.name === name && one.unit === unit && one.of === of);
    return known >= 0 ? known : this.#measures.push({ name, unit, of }) - 1;
  }

  /**
   * Puts targets and measures into the order of these lists, which hold all there are and perhaps others. Ids change with
   * it.
   */
  arrange(targets: readonly string[], measures: readonly Measure[]): void {
    const oldTargets = this.#targets;
    const oldMeasures = this.#measures;
    this.#targets = [];
    this.#targetIds.clear();
    this.#measures = [];
    for (const name of targets) this.target(name);
    for (const measure of measures) this.measure(measure);
    const targetIds = oldTargets.map((name) => this.target(name));
    const measureIds = oldMeasures.map((measure) => this.measure(measure));
    if (targetIds.every((id, i) => id === i) && measureIds.every((id, i) => id === i)) return;
    this.rows.rewrite({
      targetOf: ({ target }) => targetIds[target] ?? NO_TARGET,
      measureOf: (measure) => measureIds[measure] ?? measure,
    });
  }

  /** The stack of these frames, innermost first. */
  stack(frames: Iterable<Frame>): StackId {
    return this.stacks.intern(frames);
  }

  /** Counts calls. `count` may be large (an aggregated source), never negative. */
  add({ stack, target = NO_TARGET, ...key }: Calls, count = 1): void {
    this.addCalls(stack, target, this.keys.intern(key), count);
  }

  /**
   * {@link add} with a key interned before, for hot loops.
   * @returns the number of the row, to add the sums of measures to ({@link RowTable.addSum}); -1 where nothing was added
   */
  addCalls(stack: StackId, target: TargetId, key: KeyId, count: number): number {
    if (!(count >= 0)) throw new RangeError(`calls cannot number ${count}`);
    if (count === 0) return -1;
    this.#attributed += count;
    return this.rows.add(stack, target, key, count);
  }

  /** Accounts for calls that have no stack. Counts of the same cause and facts add up. */
  lose(cause: LossCause, count: number): void {
    if (!(count >= 0)) throw new RangeError(`losses cannot number ${count}`);
    if (count === 0) return;
    const key = messageKey(cause);
    const known = this.#losses.get(key);
    if (known) known.count += count;
    else this.#losses.set(key, { cause, count });
  }

  /** Says why calls may be missing from the total that nobody can number, once. */
  warn(warning: Warning): void {
    addOnce(this.facts.warnings, warning);
  }

  /** Adds a remark that belongs beside the figures, once. */
  note(note: Note): void {
    addOnce(this.facts.notes, note);
  }
}

function addOnce<M extends Message>(list: M[], message: M): void {
  const key = messageKey(message);
  if (!list.some((known) => messageKey(known) === key)) list.push(message);
}
