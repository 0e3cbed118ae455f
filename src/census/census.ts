import { RowTable } from './row-table.ts';
import { type Frame, type StackId, StackTable } from './stack-table.ts';
import { SymbolTable } from './symbol-table.ts';

/** Calls that are known to have happened and that no stack accounts for. */
export interface Loss {
  /** Why there is no stack, in a few words: `not printed`. */
  readonly reason: string;
  readonly count: number;
}

/** One stretch of a workload, such as one benchmark of a db_bench run. */
export interface WorkloadPhase {
  readonly name: string;
  /** Milliseconds since calls began to be counted. */
  readonly startMs?: number;
  readonly endMs?: number;
  /** Operations the phase did, where the workload says so. */
  readonly operations?: number;
  /** What else the workload printed of it, with units in the key: `microsPerOp`. */
  readonly [fact: string]: string | number | undefined;
}

/** Something a workload ran beside others, such as one job of fio. */
export interface WorkloadJob {
  readonly name: string;
  readonly [fact: string]: string | number | undefined;
}

/**
 * What is known of the program that ran while calls were counted. Facts are numbers with the unit in the key
 * (`rawSizeMB`), or texts as they were written (`rawSize: '110.6MB'`).
 */
export interface Workload {
  readonly name: string;
  readonly phases?: readonly WorkloadPhase[];
  readonly jobs?: readonly WorkloadJob[];
  readonly [fact: string]: string | number | readonly WorkloadPhase[] | readonly WorkloadJob[] | undefined;
}

/** What is known of a run besides its calls. Lists hold one element for one run and grow when censuses are merged. */
export interface CensusFacts {
  /** Kernel releases: `6.1.0-56-amd64`. */
  kernels: string[];
  /** Command lines, one array of words each. */
  commands: string[][];
  workloads: Workload[];
  /** Number of CPUs of the machine, where known. */
  cpus: number | null;
  /** How long calls were counted, summed over merged runs; null where unknown. */
  durationSeconds: number | null;
  /** Width of the time buckets in milliseconds; null where rows carry no time. */
  bucketMilliseconds: number | null;
  /** Why an unknown number of calls may be missing from the total, a sentence each: to be read before the figures. */
  warnings: string[];
  /** Blind spots and other remarks that belong beside the figures, a sentence each. */
  notes: string[];
}

/** The value of a row's pid, cpu or time bucket where it is not known. */
export const UNKNOWN = -1;

/** What distinguishes the calls of one row. All but stack and count may be unknown. */
export interface CallKey {
  readonly stack: StackId;
  /** Index into {@link Census.targets}, or {@link UNKNOWN}. */
  readonly target?: number;
  /** The task's name, '' where unknown. */
  readonly comm?: string;
  readonly pid?: number;
  readonly cpu?: number;
  /** Time bucket: index of the stretch of `facts.bucketMilliseconds` in which the call happened. */
  readonly bucket?: number;
  /** Recorded arguments as text, such as the name of a callback; '' where none were. */
  readonly argument?: string;
}

/**
 * Everything one run or one file yields: who called, how often, and what is missing.
 *
 * Invariant: total = attributed + lost. Attributed is the sum of all rows, lost the sum of all losses.
 */
export class Census {
  readonly symbols = new SymbolTable();
  readonly stacks = new StackTable();
  readonly rows = new RowTable();
  readonly facts: CensusFacts = {
    kernels: [],
    commands: [],
    workloads: [],
    cpus: null,
    durationSeconds: null,
    bucketMilliseconds: null,
    warnings: [],
    notes: [],
  };
  readonly #targets: string[] = [];
  readonly #losses = new Map<string, number>();
  readonly #strings: string[] = [''];
  readonly #stringIds = new Map<string, number>([['', 0]]);
  #attributed = 0;

  /** Names of the targets whose calls were counted, in the order they were met. */
  get targets(): readonly string[] {
    return this.#targets;
  }

  /** The losses, largest first. */
  get losses(): Loss[] {
    return [...this.#losses]
      .map(([reason, count]) => ({ reason, count }))
      .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
  }

  get attributed(): number {
    return this.#attributed;
  }

  get lost(): number {
    let sum = 0;
    for (const count of this.#losses.values()) sum += count;
    return sum;
  }

  get total(): number {
    return this.#attributed + this.lost;
  }

  /** The index of a target, added if it is new. */
  target(name: string): number {
    const known = this.#targets.indexOf(name);
    return known >= 0 ? known : this.#targets.push(name) - 1;
  }

  /** The id of a comm or argument in the columns of {@link rows}; '' is 0. */
  stringId(text: string): number {
    const known = this.#stringIds.get(text);
    if (known !== undefined) return known;
    const id = this.#strings.push(text) - 1;
    this.#stringIds.set(text, id);
    return id;
  }

  /** The comm or argument of an id. */
  string(id: number): string {
    return this.#strings[id] ?? '';
  }

  /** The stack of these frames, innermost first. */
  stack(frames: Iterable<Frame>): StackId {
    return this.stacks.intern(frames);
  }

  /** Counts calls. `count` may be large (an aggregated source), never negative. */
  add(key: CallKey, count = 1): void {
    this.addRow(
      key.stack,
      key.target ?? UNKNOWN,
      this.stringId(key.comm ?? ''),
      key.pid ?? UNKNOWN,
      key.cpu ?? UNKNOWN,
      key.bucket ?? UNKNOWN,
      this.stringId(key.argument ?? ''),
      count,
    );
  }

  /** {@link add} with ids in place of strings, for hot loops. */
  addRow(
    stack: StackId,
    target: number,
    comm: number,
    pid: number,
    cpu: number,
    bucket: number,
    argument: number,
    count: number,
  ): void {
    if (!(count >= 0)) throw new RangeError(`calls cannot number ${count}`);
    if (count === 0) return;
    this.rows.add(stack, target, comm, pid, cpu, bucket, argument, count);
    this.#attributed += count;
  }

  /** Accounts for calls that have no stack. Counts of the same reason add up. */
  lose(reason: string, count: number): void {
    if (!(count >= 0)) throw new RangeError(`losses cannot number ${count}`);
    if (count > 0) this.#losses.set(reason, (this.#losses.get(reason) ?? 0) + count);
  }

  /** Says why calls may be missing from the total that nobody can number, once. */
  warn(text: string): void {
    if (!this.facts.warnings.includes(text)) this.facts.warnings.push(text);
  }

  /** Adds a remark that belongs beside the figures, once. */
  note(text: string): void {
    if (!this.facts.notes.includes(text)) this.facts.notes.push(text);
  }
}
