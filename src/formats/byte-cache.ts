import { ByteIntern } from './byte-intern.ts';

/** Texts remembered at once, in bytes: inputs with very many distinct ones are read a little slower, not with more memory. */
const MAXIMUM = 24 << 20;

/** What was learnt of texts that may come again, looked up by their bytes. It forgets everything when it is full. */
export class ByteCache<T> {
  #texts = new ByteIntern();
  #values: T[] = [];

  /** What was kept for the bytes; undefined if nothing. `hash` is of these bytes, by the same function each time. */
  get(buffer: Buffer, start: number, end: number, hash: number): T | undefined {
    const id = this.#texts.find(buffer, start, end, hash);
    return id < 0 ? undefined : this.#values[id];
  }

  /** Keeps a value for bytes that {@link get} did not find. */
  keep(buffer: Buffer, start: number, end: number, hash: number, value: T): T {
    if (this.#texts.length > MAXIMUM) {
      this.#texts = new ByteIntern();
      this.#values = [];
    }
    this.#values[this.#texts.add(buffer, start, end, hash)] = value;
    return value;
  }
}
