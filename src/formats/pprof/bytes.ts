/** The bytes of a message break the rules of protobuf. */
export class Damaged extends Error {
  readonly at: number;

  constructor(at: number) {
    super(`damaged at byte ${at}`);
    this.at = at;
  }
}

/**
 * Goes through protobuf, number by number, making no objects. https://protobuf.dev/programming-guides/encoding/
 */
export class Cursor {
  readonly bytes: Buffer;
  at = 0;
  end = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Goes to a message. */
  enter(start: number, end: number): void {
    this.at = start;
    this.end = end;
  }

  /** Goes into the message whose length comes next. @returns where the one around it ends @throws {Damaged} */
  into(): number {
    const outer = this.end;
    this.end = this.length();
    return outer;
  }

  /** Goes behind a message, into the one around it, which ends at `outer`. */
  leave(outer: number): void {
    this.at = this.end;
    this.end = outer;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  /** A number; from 2^53 on, as of negative ones, not an exact one. @throws {Damaged} */
  varint(): number {
    const { bytes, end } = this;
    let at = this.at;
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 10 && at < end; i++) {
      const byte = bytes[at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        this.at = at;
        return value;
      }
      factor *= 128;
    }
    throw new Damaged(this.at);
  }

  /** A number that names something: exact, as a text where numbers are not. @throws {Damaged} */
  id(): number | string {
    const start = this.at;
    const value = this.varint();
    return Number.isSafeInteger(value) ? value : this.bytes.toString('latin1', start, this.at);
  }

  /** The tag of the next field: its number times 8, and how it is written. @throws {Damaged} */
  tag(): number {
    const tag = this.varint();
    if (tag < 8 || tag > 0xffffffff) throw new Damaged(this.at);
    return tag;
  }

  /** Where a field ends that is bytes behind their length; the cursor is at its first. @throws {Damaged} */
  length(): number {
    const from = this.at;
    const end = this.varint() + this.at;
    if (end > this.end) throw new Damaged(from);
    return end;
  }

  /** Goes over a field that nobody wants. @throws {Damaged} */
  skip(tag: number): void {
    switch (tag % 8) {
      case 0:
        this.varint();
        return;
      case 1:
        this.at += 8;
        break;
      case 2:
        this.at = this.length();
        return;
      case 5:
        this.at += 4;
        break;
      default:
        throw new Damaged(this.at);
    }
    if (this.at > this.end) throw new Damaged(this.at);
  }
}

/** Exactly the number at a place, whatever its size. */
export function bigintAt(bytes: Buffer, from: number): bigint {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i] ?? 0;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) break;
  }
  return BigInt.asUintN(64, value);
}

/** Places in a file, many of them: four bytes each. */
export class Places {
  #places: Int32Array = new Int32Array(1 << 6);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(place: number): number {
    if (this.#size === this.#places.length) {
      const larger = new Int32Array(2 * this.#size);
      larger.set(this.#places);
      this.#places = larger;
    }
    this.#places[this.#size] = place;
    return this.#size++;
  }

  at(index: number): number | undefined {
    return index >= 0 && index < this.#size ? this.#places[index] : undefined;
  }
}

/** Ids up to here lie in an array, the others in a map. */
const DENSE = 1 << 22;

/** What has an id, by it. Ids are mostly 1, 2, 3, …; some programs take hashes or addresses. */
export class IdTable {
  /** By id: the index plus one, 0 where there is none. */
  #dense = new Int32Array(1 << 6);
  readonly #sparse = new Map<number | string, number>();

  get sparseSize(): number {
    return this.#sparse.size;
  }

  set(id: number | string, index: number): void {
    if (typeof id === 'string' || id >= DENSE) {
      this.#sparse.set(id, index);
      return;
    }
    if (id >= this.#dense.length) {
      const larger = new Int32Array(Math.max(2 * this.#dense.length, id + 1));
      larger.set(this.#dense);
      this.#dense = larger;
    }
    this.#dense[id] = index + 1;
  }

  /** The index of an id, -1 where nothing has it. */
  get(id: number | string): number {
    if (typeof id === 'string' || id >= DENSE) return this.#sparse.get(id) ?? -1;
    return (this.#dense[id] ?? 0) - 1;
  }
}
