import { addressAt, firstLine, isFunction, nextLine, startOfLine } from './kallsyms-text.ts';

/** Bytes of text between two addresses that are remembered. */
const SAMPLE = 32_768;

/** The functions of the kernel's image, which are listed in ascending order. Lines are known by their position. */
export class AscendingLines {
  readonly #text: Uint8Array;
  readonly #from: number;
  readonly #to: number;
  /** Every so many bytes a line, and its address. */
  #lines: readonly number[] = [];
  #addresses: Float64Array | undefined;

  /** `from`: the first function; `to`: where the image's lines end. */
  constructor(text: Uint8Array, from: number, to: number) {
    this.#text = text;
    this.#from = from;
    this.#to = to;
  }

  /** The function an address lies in; -1 below the first. Of several names of one address, the first listed. */
  find(address: number): number {
    const [low, high] = this.#between(address);
    let line = this.before(firstLine(this.#text, low, high, (at) => addressAt(this.#text, at) > address));
    if (line < 0) return -1;
    const start = addressAt(this.#text, line);
    for (;;) {
      const earlier = this.before(line);
      if (earlier < 0 || addressAt(this.#text, earlier) !== start) return line;
      line = earlier;
    }
  }

  /** The last function that is listed before a line; -1 where there is none. */
  before(line: number): number {
    for (let at = line; at > this.#from; ) {
      at = startOfLine(this.#text, at - 1);
      if (isFunction(this.#text, at)) return at;
    }
    return -1;
  }

  /** The first function that is listed after a line; -1 where there is none. */
  after(line: number): number {
    for (let at = nextLine(this.#text, line); at < this.#to; at = nextLine(this.#text, at)) {
      if (isFunction(this.#text, at)) return at;
    }
    return -1;
  }

  /** Two positions between which the first line after an address is. */
  #between(address: number): [number, number] {
    if (!this.#addresses) {
      const lines: number[] = [];
      for (let at = this.#from; at < this.#to; at += SAMPLE) lines.push(startOfLine(this.#text, at));
      this.#lines = lines;
      this.#addresses = Float64Array.from(lines, (line) => addressAt(this.#text, line));
    }
    let low = 0;
    let high = this.#addresses.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#addresses[middle] as number) <= address) low = middle + 1;
      else high = middle;
    }
    return [this.#lines[low - 1] ?? this.#from, this.#lines[low] ?? this.#to];
  }
}
