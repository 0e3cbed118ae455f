import type { KeyId } from './call-key.ts';
import type { StackId } from './stack-table.ts';
import { TupleTable } from './tuple-table.ts';

declare const targetBrand: unique symbol;
/** Index into {@link Census.targets}; -1 where the target is not known. */
export type TargetId = number & { readonly [targetBrand]: 'target' };

/** The target of calls whose source names none. */
export const NO_TARGET = -1 as TargetId;

/** One row, read out. */
export interface Row {
  readonly stack: StackId;
  readonly target: TargetId;
  readonly key: KeyId;
  readonly count: number;
}

/** What becomes of rows; what is left out stays. */
export interface RowChange {
  readonly targetOf?: (row: Row) => TargetId;
  readonly keyOf?: (key: KeyId) => KeyId;
  readonly measureOf?: (measure: number) => number;
}

const STACK = 0;
const TARGET = 1;
const KEY = 2;

/** The rows of a census: stack, target and key make a row; a count and the sums of measures belong to it. */
export class RowTable {
  #tuples = new TupleTable(3);
  #counts = new Float64Array(1 << 6);
  /** Sums by measure, then row; as long as the counts. */
  #sums: Float64Array[] = [];
  readonly #tuple = new Int32Array(3);

  /** How many rows there are. */
  get size(): number {
    return this.#tuples.size;
  }

  /** Adds `count` to a row and returns its number. */
  add(stack: StackId, target: TargetId, key: KeyId, count: number): number {
    this.#tuple[STACK] = stack;
    this.#tuple[TARGET] = target;
    this.#tuple[KEY] = key;
    const row = this.#tuples.intern(this.#tuple);
    if (row >= this.#counts.length) this.#grow();
    (this.#counts[row] as number) += count;
    return row;
  }

  /** Adds to the sum of a measure: index into {@link Census.measures}. */
  addSum(row: number, measure: number, value: number): void {
    while (this.#sums.length <= measure) this.#sums.push(new Float64Array(this.#counts.length));
    const sums = this.#sums[measure] as Float64Array;
    (sums[row] as number) += value;
  }

  /** The sum of a measure over the calls of a row. */
  sum(row: number, measure: number): number {
    return this.#sums[measure]?.[row] ?? 0;
  }

  /** Gives rows other targets, keys and places for their sums. Rows that become the same are added up. */
  rewrite({ targetOf, keyOf, measureOf }: RowChange): void {
    const changed = new RowTable();
    for (let number = 0; number < this.size; number++) {
      const own = this.row(number);
      const { stack, target, key, count } = own;
      const row = changed.add(stack, targetOf?.(own) ?? target, keyOf?.(key) ?? key, count);
      for (let measure = 0; measure < this.#sums.length; measure++) {
        changed.addSum(row, measureOf?.(measure) ?? measure, this.sum(number, measure));
      }
    }
    this.#tuples = changed.#tuples;
    this.#counts = changed.#counts;
    this.#sums = changed.#sums;
  }

  /** The row of this number, 0 to size - 1. */
  row(number: number): Row {
    return {
      stack: this.#tuples.value(number, STACK) as StackId,
      target: this.#tuples.value(number, TARGET) as TargetId,
      key: this.#tuples.value(number, KEY) as KeyId,
      count: this.#counts[number] as number,
    };
  }

  *[Symbol.iterator](): Generator<Row> {
    for (let number = 0; number < this.size; number++) yield this.row(number);
  }

  #grow(): void {
    const larger = (column: Float64Array) => {
      const grown = new Float64Array(column.length * 2);
      grown.set(column);
      return grown;
    };
    this.#counts = larger(this.#counts);
    this.#sums = this.#sums.map(larger);
  }
}
