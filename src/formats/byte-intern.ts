import { HASH_SEED } from '../census/tuple-table.ts';

/**
 * So many texts of one hash lie in the table; what comes after them lies in a map. Hashes look at a part of the bytes,
 * and a file may be made of texts that differ in the others.
 */
const MOST_ALIKE = 16;

/** Longer texts are compared by memcmp, in bytes. */
const LONG = 512;

/**
 * Interned byte strings: readers meet the same lines and stacks over and over, and look at each text only once.
 * Ids are dense, from 0. Memory follows the number of distinct texts, not the length of the input.
 */
export class ByteIntern {
  #bytes: Buffer = Buffer.allocUnsafe(1 << 12);
  #view = viewOf(this.#bytes);
  /** The buffer that was looked into last, and its bytes for comparing several at a time. */
  #input: Buffer | null = null;
  #inputView = this.#view;
  #used = 0;
  #starts: Int32Array = new Int32Array(1 << 7);
  #hashes = new Int32Array(1 << 7);
  #size = 0;
  #slots = new Int32Array(1 << 8);
  /** Ids of texts that are not in the table, by their bytes. */
  readonly #crowded = new Map<string, number>();

  /** Sum of the lengths of all texts. */
  get length(): number {
    return this.#used;
  }

  /** All texts, end to end; text i is [starts[i], starts[i + 1]). Valid until a text is added; hot loops read it. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get starts(): Int32Array {
    return this.#starts;
  }

  /** The bytes of all texts, for comparing several at a time. Valid until a text is added. */
  get view(): DataView {
    return this.#view;
  }

  /** The id of the bytes, -1 if they are new. */
  find(buffer: Buffer, start: number, end: number, hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = spread(hash) & mask;
    for (let alike = 0; alike < MOST_ALIKE; ) {
      const id = (this.#slots[slot] as number) - 1;
      if (id < 0) return -1;
      if (this.#hashes[id] === hash) {
        if (this.equals(id, buffer, start, end)) return id;
        alike += 1;
      }
      slot = (slot + 1) & mask;
    }
    return this.#crowded.get(buffer.toString('latin1', start, end)) ?? -1;
  }

  /** Adds bytes that {@link find} did not find. */
  add(buffer: Buffer, start: number, end: number, hash: number): number {
    const length = end - start;
    if (this.#size + 2 > this.#starts.length) this.#growTable();
    if (this.#used + length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * (this.#used + length));
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
      this.#view = viewOf(larger);
    }
    const id = this.#size++;
    buffer.copy(this.#bytes, this.#used, start, end);
    this.#starts[id] = this.#used;
    this.#used += length;
    this.#starts[id + 1] = this.#used;
    this.#hashes[id] = hash;
    if (!this.#insert(id, hash)) this.#crowded.set(buffer.toString('latin1', start, end), id);
    return id;
  }

  /** Whether text `id` is exactly these bytes. */
  equals(id: number, buffer: Buffer, start: number, end: number): boolean {
    const from = this.#starts[id] as number;
    const length = (this.#starts[id + 1] as number) - from;
    if (length !== end - start) return false;
    // A call of memcmp costs more than comparing a line or a short stack here.
    if (length > LONG) return buffer.compare(this.#bytes, from, from + length, start, end) === 0;
    if (length < 4) {
      for (let i = 0; i < length; i++) if (this.#bytes[from + i] !== buffer[start + i]) return false;
      return true;
    }
    if (buffer !== this.#input) {
      this.#input = buffer;
      this.#inputView = viewOf(buffer);
    }
    const input = this.#inputView;
    const view = this.#view;
    // Four bytes at a time; the last four overlap those before.
    const last = length - 4;
    for (let i = 0; i < last; i += 4) {
      if (view.getInt32(from + i, true) !== input.getInt32(start + i, true)) return false;
    }
    return view.getInt32(from + last, true) === input.getInt32(start + last, true);
  }

  /** @returns whether there was room: not where {@link MOST_ALIKE} others lie already */
  #insert(id: number, hash: number): boolean {
    const mask = this.#slots.length - 1;
    let slot = spread(hash) & mask;
    for (let alike = 0; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.#hashes[(this.#slots[slot] as number) - 1] === hash && ++alike === MOST_ALIKE) return false;
    }
    this.#slots[slot] = id + 1;
    return true;
  }

  #growTable(): void {
    const starts = new Int32Array(this.#starts.length * 2);
    starts.set(this.#starts);
    this.#starts = starts;
    const hashes = new Int32Array(starts.length);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    this.#slots = new Int32Array(starts.length * 2);
    // In their order, so that the same ones find no room again.
    for (let id = 0; id < this.#size; id++) this.#insert(id, hashes[id] as number);
  }
}

/** The same bytes, for reading several at a time. */
export function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

/**
 * Hash of a line, from all its bytes or a third of them. Equal texts hash equally; different ones that do are told
 * apart by comparing them.
 */
export function hashBytes(buffer: Buffer, start: number, end: number): number {
  const step = end - start > 48 ? 12 : 4;
  let h = Math.imul(0x811c9dc5 ^ (end - start), 0x01000193);
  let i = start;
  // Four bytes a multiplication: each has to wait for the one before.
  for (; i + 3 < end; i += step) {
    const low = (buffer[i] as number) | ((buffer[i + 1] as number) << 8);
    const high = (buffer[i + 2] as number) | ((buffer[i + 3] as number) << 8);
    h = Math.imul(h ^ (low | (high << 16)), 0x01000193);
    h ^= h >>> 15;
  }
  for (; i < end; i++) h = Math.imul(h ^ (buffer[i] as number), 0x01000193);
  return h;
}

/** Hash of a long text from a sample of its bytes: enough for stacks, which differ in many places. */
export function hashSample(buffer: Buffer, start: number, end: number): number {
  if (end - start <= 128) return hashBytes(buffer, start, end);
  let h = Math.imul(0x811c9dc5 ^ (end - start), 0x01000193);
  // Two bytes of every 19: odd, so that the columns of equally long lines are not sampled at one place only.
  for (let i = start; i < end - 1; i += 19) {
    h = Math.imul(h ^ (((buffer[i] as number) << 8) | (buffer[i + 1] as number)), 0x01000193);
  }
  return h;
}

function spread(hash: number): number {
  const h = Math.imul(hash ^ HASH_SEED ^ (hash >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
