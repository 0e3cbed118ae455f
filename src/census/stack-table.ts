import type { SymbolId } from './symbol-table.ts';
import { HASH_SEED } from './tuple-table.ts';

declare const stackBrand: unique symbol;
/** Index into a {@link StackTable}: a stack, and at once its outermost frame. */
export type StackId = number & { readonly [stackBrand]: 'stack' };

/** The stack without frames. */
export const EMPTY_STACK = 0 as StackId;

/** The offset of a frame whose source printed none. */
export const NO_OFFSET = -1;

/** Stands, as an unreliable frame, for lines of a stack that could not be read: functions may be missing there. */
export const UNREAD_FRAME = '[unread]';

/** A frame as it goes into the table. */
export interface Frame {
  readonly symbol: SymbolId;
  /** Bytes from the start of the function, {@link NO_OFFSET} where unknown. */
  readonly offset: number;
  /**
   * The unwinder was not sure that this function is a caller (`? f+0x1/0x2` in kernel logs):
   * the frame is kept and shown, but is part of no path.
   */
  readonly unreliable?: boolean;
  /** The compiler put the function into that of the next frame outwards: it has no frame of its own in the machine. */
  readonly inlined?: boolean;
}

const UNRELIABLE = 1;
const INLINED = 2;

const FIRST_CAPACITY = 1 << 7;

/**
 * Interned stacks as a tree rooted at the innermost frame.
 *
 * A stack is one integer because every run needs millions of comparisons of stacks and none of their frames; rooted
 * at the target because a path is then a prefix of its stack, and the table *is* the tree of callers. Columns are
 * typed arrays: a hundred thousand stacks cost a few megabytes and no garbage.
 */
export class StackTable {
  /** The stack without this frame (its inner neighbour), by stack id. */
  #parents = new Int32Array(FIRST_CAPACITY);
  #symbols = new Int32Array(FIRST_CAPACITY);
  #offsets = new Int32Array(FIRST_CAPACITY);
  /** Bits of {@link UNRELIABLE} and {@link INLINED}. */
  #flags = new Uint8Array(FIRST_CAPACITY);
  #depths = new Int32Array(FIRST_CAPACITY);
  #size = 1;
  /** Open addressing from (parent, symbol, offset, flags) to stack id; 0 is a free slot. */
  #slots = new Int32Array(FIRST_CAPACITY * 2);

  constructor() {
    this.#symbols[EMPTY_STACK] = -1;
  }

  /** How many stacks there are, the empty one and every prefix counted; ids run from 0 to size - 1. */
  get size(): number {
    return this.#size;
  }

  /** The stack that continues `inner` outwards by one frame. */
  push(inner: StackId, symbol: SymbolId, offset: number = NO_OFFSET, unreliable = false, inlined = false): StackId {
    const flags = (unreliable ? UNRELIABLE : 0) | (inlined ? INLINED : 0);
    const mask = this.#slots.length - 1;
    let slot = hash(inner, symbol, offset, flags) & mask;
    for (;;) {
      const id = this.#slots[slot] as number;
      if (id === 0) break;
      if (
        this.#parents[id] === inner &&
        this.#symbols[id] === symbol &&
        this.#offsets[id] === offset &&
        this.#flags[id] === flags
      ) {
        return id as StackId;
      }
      slot = (slot + 1) & mask;
    }
    const id = this.#size++ as StackId;
    if (id >= this.#parents.length) this.#grow();
    this.#parents[id] = inner;
    this.#symbols[id] = symbol;
    this.#offsets[id] = offset;
    this.#flags[id] = flags;
    this.#depths[id] = (this.#depths[inner] as number) + 1;
    this.#insert(id);
    return id;
  }

  /** The stack of these frames, innermost first. */
  intern(frames: Iterable<Frame>): StackId {
    let stack = EMPTY_STACK;
    for (const { symbol, offset, unreliable, inlined } of frames) {
      stack = this.push(stack, symbol, offset, unreliable, inlined);
    }
    return stack;
  }

  /** The stack without its outermost frame. */
  inner(stack: StackId): StackId {
    return this.#parents[stack] as StackId;
  }

  /** The symbol of the outermost frame; -1 for the empty stack. */
  symbol(stack: StackId): SymbolId {
    return this.#symbols[stack] as SymbolId;
  }

  /** The offset of the outermost frame in bytes, {@link NO_OFFSET} where unknown. */
  offset(stack: StackId): number {
    return this.#offsets[stack] as number;
  }

  /** Whether the unwinder doubted the outermost frame. */
  isUnreliable(stack: StackId): boolean {
    return ((this.#flags[stack] as number) & UNRELIABLE) !== 0;
  }

  /** Whether the compiler put the outermost frame's function into that of the frame outside it. */
  isInlined(stack: StackId): boolean {
    return ((this.#flags[stack] as number) & INLINED) !== 0;
  }

  /** Number of frames. */
  depth(stack: StackId): number {
    return this.#depths[stack] as number;
  }

  /** The prefixes of a stack from one frame up to all of it: entry i ends with the frame i steps out from the target. */
  prefixes(stack: StackId): StackId[] {
    const result = new Array<StackId>(this.depth(stack));
    for (let at = stack, i = result.length - 1; i >= 0; i--, at = this.inner(at)) result[i] = at;
    return result;
  }

  /** The frames of a stack, innermost first. */
  frames(stack: StackId): Frame[] {
    return this.prefixes(stack).map((at) => ({
      symbol: this.symbol(at),
      offset: this.offset(at),
      unreliable: this.isUnreliable(at),
      inlined: this.isInlined(at),
    }));
  }

  #insert(id: StackId): void {
    const mask = this.#slots.length - 1;
    let slot =
      hash(
        this.#parents[id] as number,
        this.#symbols[id] as number,
        this.#offsets[id] as number,
        this.#flags[id] as number,
      ) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = id;
  }

  #grow(): void {
    const capacity = this.#parents.length * 2;
    this.#parents = enlarge(this.#parents, capacity);
    this.#symbols = enlarge(this.#symbols, capacity);
    this.#offsets = enlarge(this.#offsets, capacity);
    this.#depths = enlarge(this.#depths, capacity);
    const flags = new Uint8Array(capacity);
    flags.set(this.#flags);
    this.#flags = flags;
    this.#slots = new Int32Array(capacity * 2);
    // The last id is not written yet; push inserts it.
    for (let id = 1; id < this.#size - 1; id++) this.#insert(id as StackId);
  }
}

/** The column with room for `capacity` values; the new ones are 0. */
export function enlarge(column: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const result = new Int32Array(capacity);
  result.set(column);
  return result;
}

function hash(parent: number, symbol: number, offset: number, flags: number): number {
  let h =
    HASH_SEED ^
    Math.imul(parent, 0x9e3779b1) ^
    Math.imul(symbol, 0x85ebca6b) ^
    Math.imul(offset * 4 + flags, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
