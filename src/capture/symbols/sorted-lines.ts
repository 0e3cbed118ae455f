import { digitsOf, isFunction } from './kallsyms-text.ts';

const DIGITS = 16;

/**
 * Functions of /proc/kallsyms in ascending order of their addresses; those of one address as they are listed. Made of
 * strings, because cutting up and sorting strings is what needs the fewest steps of a program that has just started.
 */
export class SortedLines {
  /** The digits of each address and the index of its line, in order. */
  readonly #keys: readonly string[];
  /** Positions of lines in the text, as they are listed. */
  readonly #lines: readonly number[];

  /** The functions listed from one position to another. */
  constructor(text: Buffer, from: number, to: number) {
    const keys: string[] = [];
    const lines: number[] = [];
    let at = from;
    for (const line of text.toString('latin1', from, to).split('\n')) {
      if (line !== '' && isFunction(text, at)) {
        keys.push(line.slice(0, DIGITS) + String.fromCharCode(lines.length >> 15, lines.length & 0x7fff));
        lines.push(at);
      }
      at += line.length + 1;
    }
    this.#keys = keys.sort();
    this.#lines = lines;
  }

  get length(): number {
    return this.#keys.length;
  }

  /** Position in the text of the line at a place in the order; undefined beyond the ends. */
  lineAt(place: number): number | undefined {
    const key = this.#keys[place];
    return key === undefined ? undefined : this.#lines[(key.charCodeAt(DIGITS) << 15) | key.charCodeAt(DIGITS + 1)];
  }

  /** Whether an address lies between two lines, not below the first and not after the last. */
  encloses(address: number): boolean {
    const digits = digitsOf(address);
    const [first, last] = [this.#keys[0], this.#keys.at(-1)];
    return (
      first !== undefined && last !== undefined && digits >= first.slice(0, DIGITS) && digits < last.slice(0, DIGITS)
    );
  }

  /** Place of the line an address lies in, of several of one address the first; -1 below all. */
  placeOf(address: number): number {
    let place = this.lastPlaceOf(address);
    const digits = this.#keys[place]?.slice(0, DIGITS);
    while (digits !== undefined && this.#keys[place - 1]?.startsWith(digits)) place--;
    return place;
  }

  /** The same, of several of one address the last. */
  lastPlaceOf(address: number): number {
    const wanted = `${digitsOf(address)}\uffff`;
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) <= wanted) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
