import { addressAt } from './kallsyms-text.ts';

/** Lines of /proc/kallsyms in ascending order of their addresses; those of one address as they are listed. */
export class SortedLines {
  readonly lines: Uint32Array;
  readonly #addresses: Float64Array;

  constructor(text: Buffer, lines: Iterable<number>) {
    const listed = Uint32Array.from(lines);
    const addresses = Float64Array.from(listed, (line) => addressAt(text, line));
    const order = orderOf(addresses);
    this.lines = Uint32Array.from(order, (i) => listed[i] as number);
    this.#addresses = Float64Array.from(order, (i) => addresses[i] as number);
  }

  addressAt(position: number): number {
    return this.#addresses[position] as number;
  }

  /** Whether an address lies between two lines, not below the first and not behind the last. */
  encloses(address: number): boolean {
    const { length } = this.#addresses;
    return length > 0 && address >= this.addressAt(0) && address < this.addressAt(length - 1);
  }

  /** Position of the line an address lies in, of several of one address the first; -1 below all. */
  positionOf(address: number): number {
    let position = this.lastPositionOf(address);
    while (position > 0 && this.#addresses[position - 1] === this.#addresses[position]) position--;
    return position;
  }

  /** The same, of several of one address the last. */
  lastPositionOf(address: number): number {
    let low = 0;
    let high = this.#addresses.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.addressAt(middle) <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** The indices of numbers in ascending order of the numbers, then of themselves. */
function orderOf(numbers: Float64Array): number[] {
  const { length } = numbers;
  const base = numbers.reduce((least, number) => Math.min(least, number), Number.POSITIVE_INFINITY);
  // Number and index in one number, because sorting without a function to compare is many times faster.
  const keys = numbers.map((number, index) => (number - base) * length + index).sort();
  if ((keys[length - 1] ?? 0) <= Number.MAX_SAFE_INTEGER) return Array.from(keys, (key) => key % length);
  return [...numbers.keys()].sort((a, b) => (numbers[a] as number) - (numbers[b] as number) || a - b);
}
