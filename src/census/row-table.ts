import type { StackId } from './stack-table.ts';

const COLUMNS = 7;
const FIRST_CAPACITY = 1 << 10;

/** One row, read out. */
export interface Row {
  readonly stack: StackId;
  readonly target: number;
  readonly comm: number;
  readonly pid: number;
  readonly cpu: number;
  readonly bucket: number;
  readonly argument: number;
  readonly count: number;
}

/**
 * The rows of a census: seven integer columns that make the key, and the count.
 * Interleaved in one typed array because a row is always compared and read as a whole.
 */
export class RowTable {
  #keys = new Int32Array(FIRST_CAPACITY * COLUMNS);
  #counts = new Float64Array(FIRST_CAPACITY);
  #size = 0;
  /** Open addressing from key to row number + 1; 0 is a free slot. */
  #slots = new Int32Array(FIRST_CAPACITY * 2);

  /** How many rows there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds `count` to the row of this key. */
  add(
    stack: number,
    target: number,
    comm: number,
    pid: number,
    cpu: number,
    bucket: number,
    argument: number,
    count: number,
  ): void {
    const mask = this.#slots.length - 1;
    let slot = hash(stack, target, comm, pid, cpu, bucket, argument) & mask;
    for (;;) {
      const row = (this.#slots[slot] as number) - 1;
      if (row < 0) break;
      const at = row * COLUMNS;
      const keys = this.#keys;
      if (
        keys[at] === stack &&
        keys[at + 1] === target &&
        keys[at + 2] === comm &&
        keys[at + 3] === pid &&
        keys[at + 4] === cpu &&
        keys[at + 5] === bucket &&
        keys[at + 6] === argument
      ) {
        (this.#counts[row] as number) += count;
        return;
      }
      slot = (slot + 1) & mask;
    }
    if (this.#size === this.#counts.length) {
      this.#grow();
      this.add(stack, target, comm, pid, cpu, bucket, argument, count);
      return;
    }
    const row = this.#size++;
    this.#keys.set([stack, target, comm, pid, cpu, bucket, argument], row * COLUMNS);
    this.#counts[row] = count;
    this.#slots[slot] = row + 1;
  }

  /** Puts the calls of one target down to another. */
  retarget(from: number, to: number): void {
    const changed = new RowTable();
    for (const { stack, target, comm, pid, cpu, bucket, argument, count } of this) {
      changed.add(stack, target === from ? to : target, comm, pid, cpu, bucket, argument, count);
    }
    this.#keys = changed.#keys;
    this.#counts = changed.#counts;
    this.#slots = changed.#slots;
    this.#size = changed.#size;
  }

  /** The row of this number, 0 to size - 1. */
  row(number: number): Row {
    const at = number * COLUMNS;
    return {
      stack: this.#keys[at] as StackId,
      target: this.#keys[at + 1] as number,
      comm: this.#keys[at + 2] as number,
      pid: this.#keys[at + 3] as number,
      cpu: this.#keys[at + 4] as number,
      bucket: this.#keys[at + 5] as number,
      argument: this.#keys[at + 6] as number,
      count: this.#counts[number] as number,
    };
  }

  *[Symbol.iterator](): Generator<Row> {
    for (let number = 0; number < this.#size; number++) yield this.row(number);
  }

  #grow(): void {
    const capacity = this.#counts.length * 2;
    const keys = new Int32Array(capacity * COLUMNS);
    keys.set(this.#keys);
    const counts = new Float64Array(capacity);
    counts.set(this.#counts);
    this.#keys = keys;
    this.#counts = counts;
    this.#slots = new Int32Array(capacity * 2);
    const mask = this.#slots.length - 1;
    for (let row = 0; row < this.#size; row++) {
      const k = row * COLUMNS;
      let slot =
        hash(
          keys[k] as number,
          keys[k + 1] as number,
          keys[k + 2] as number,
          keys[k + 3] as number,
          keys[k + 4] as number,
          keys[k + 5] as number,
          keys[k + 6] as number,
        ) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = row + 1;
    }
  }
}

function hash(a: number, b: number, c: number, d: number, e: number, f: number, g: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(c, 0x85ebca6b) ^ Math.imul(d, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) ^ Math.imul(b * 64 + e, 0x27d4eb2f) ^ Math.imul(f * 8191 + g, 0x165667b1);
  h = Math.imul(h ^ (h >>> 13), 0x297a2d39);
  return (h ^ (h >>> 16)) >>> 0;
}
