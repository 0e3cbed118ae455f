import type { LooseTree } from './layout.ts';

const FIRST_CAPACITY = 1 << 12;

/** A tree that is put together node by node: the same function below the same parent is one node. */
export class MergedTree implements LooseTree {
  count = 1;
  parent = new Int32Array(FIRST_CAPACITY);
  symbol = new Uint32Array(FIRST_CAPACITY);
  flags = new Uint8Array(FIRST_CAPACITY);
  origin = new Uint32Array(FIRST_CAPACITY);
  /** Calls that end in the node. */
  own = new Float64Array(FIRST_CAPACITY);
  /** Open addressing from parent, symbol and flags to the node; 0 is a free slot. */
  #slots = new Int32Array(FIRST_CAPACITY * 2);

  constructor() {
    this.parent[0] = -1;
  }

  /** @param origin the node of the data, kept of the first that is merged */
  child(parent: number, symbol: number, flags: number, origin: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(parent, symbol, flags) & mask;
    for (;;) {
      const node = this.#slots[slot] as number;
      if (node === 0) break;
      if (this.parent[node] === parent && this.symbol[node] === symbol && this.flags[node] === flags) return node;
      slot = (slot + 1) & mask;
    }
    if (this.count === this.parent.length) {
      this.#grow();
      return this.child(parent, symbol, flags, origin);
    }
    const node = this.count++;
    this.parent[node] = parent;
    this.symbol[node] = symbol;
    this.flags[node] = flags;
    this.origin[node] = origin;
    this.#slots[slot] = node;
    return node;
  }

  #grow(): void {
    const capacity = this.parent.length * 2;
    this.parent = enlarged(this.parent, new Int32Array(capacity));
    this.symbol = enlarged(this.symbol, new Uint32Array(capacity));
    this.flags = enlarged(this.flags, new Uint8Array(capacity));
    this.origin = enlarged(this.origin, new Uint32Array(capacity));
    this.own = enlarged(this.own, new Float64Array(capacity));
    this.#slots = new Int32Array(capacity * 2);
    const mask = this.#slots.length - 1;
    for (let node = 1; node < this.count; node++) {
      let slot = hash(this.parent[node] as number, this.symbol[node] as number, this.flags[node] as number) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = node;
    }
  }
}

function enlarged<T extends Int32Array | Uint32Array | Uint8Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function hash(parent: number, symbol: number, flags: number): number {
  let h = Math.imul(parent, 0x9e3779b1) ^ Math.imul(symbol * 8 + flags, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
