const FIRST_CAPACITY = 1 << 6;

/** Another one every time, so that nobody can make a file whose hashes all lie in one place. Nothing else depends on it. */
export const HASH_SEED = Math.floor(Math.random() * 2 ** 32) | 0;

/**
 * Interned tuples of integers, all of one width: the same tuple always gets the same number, counted from 0.
 * Interleaved in one typed array because a tuple is always compared and read as a whole.
 */
export class TupleTable {
  readonly #width: number;
  #values: Int32Array;
  #size = 0;
  /** Open addressing from tuple to its number + 1; 0 is a free slot. */
  #slots = new Int32Array(FIRST_CAPACITY * 2);

  constructor(width: number) {
    this.#width = width;
    this.#values = new Int32Array(FIRST_CAPACITY * width);
  }

  /** How many tuples there are. */
  get size(): number {
    return this.#size;
  }

  /** The number of this tuple, which is read from the first `width` elements. */
  intern(tuple: ArrayLike<number>): number {
    const width = this.#width;
    const mask = this.#slots.length - 1;
    let slot = this.#hash(tuple, 0) & mask;
    for (;;) {
      const number = (this.#slots[slot] as number) - 1;
      if (number < 0) break;
      const at = number * width;
      let i = 0;
      while (i < width && this.#values[at + i] === tuple[i]) i++;
      if (i === width) return number;
      slot = (slot + 1) & mask;
    }
    if (this.#size * 2 === this.#slots.length) {
      this.#grow();
      return this.intern(tuple);
    }
    const number = this.#size++;
    for (let i = 0; i < width; i++) this.#values[number * width + i] = tuple[i] as number;
    this.#slots[slot] = number + 1;
    return number;
  }

  /** One value of a tuple. */
  value(number: number, column: number): number {
    return this.#values[number * this.#width + column] as number;
  }

  #grow(): void {
    const values = new Int32Array(this.#values.length * 2);
    values.set(this.#values);
    this.#values = values;
    this.#slots = new Int32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let number = 0; number < this.#size; number++) {
      let slot = this.#hash(values, number * this.#width) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = number + 1;
    }
  }

  #hash(values: ArrayLike<number>, from: number): number {
    let h = HASH_SEED;
    for (let i = 0; i < this.#width; i++) {
      h = Math.imul(h ^ (values[from + i] as number), 0x9e3779b1);
      h ^= h >>> 15;
    }
    h = Math.imul(h, 0x297a2d39);
    return (h ^ (h >>> 16)) >>> 0;
  }
}
