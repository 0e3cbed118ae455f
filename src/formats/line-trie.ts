import { enlarge } from '../census/stack-table.ts';
import { HASH_SEED } from '../census/tuple-table.ts';

/**
 * Stacks as paths through a tree of lines. A reader follows the tree line by line and turns the node where a stack
 * ends into a stack of the census once; after that a stack costs one comparison per line.
 */
export class LineTrie {
  #parents = new Int32Array(1 << 7);
  #lines: Int32Array = new Int32Array(1 << 7);
  /** The child taken last: most often the next stack takes it again. */
  #lastChild: Int32Array = new Int32Array(1 << 7);
  #slots = new Int32Array(1 << 8);
  #size = 1;

  /** How many nodes there are; node 0 is the root. */
  get size(): number {
    return this.#size;
  }

  /** By node: the child that was taken last, 0 where it has none. Valid until a child is added; hot loops read it. */
  get lastChildren(): Int32Array {
    return this.#lastChild;
  }

  /** By node: the line that led to it. Valid until a child is added. */
  get lines(): Int32Array {
    return this.#lines;
  }

  /** The child of `node` by `line`, made if it is new. */
  child(node: number, line: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(node, line) & mask;
    for (;;) {
      const child = this.#slots[slot] as number;
      if (child === 0) break;
      if (this.#parents[child] === node && this.#lines[child] === line) {
        this.#lastChild[node] = child;
        return child;
      }
      slot = (slot + 1) & mask;
    }
    if (this.#size === this.#parents.length) {
      this.#grow();
      return this.child(node, line);
    }
    const child = this.#size++;
    this.#parents[child] = node;
    this.#lines[child] = line;
    this.#slots[slot] = child;
    this.#lastChild[node] = child;
    return child;
  }

  /** The lines from the root to a node. */
  path(node: number): number[] {
    const result: number[] = [];
    for (let at = node; at !== 0; at = this.#parents[at] as number) result.push(this.#lines[at] as number);
    return result.reverse();
  }

  #grow(): void {
    const capacity = this.#parents.length * 2;
    this.#parents = enlarge(this.#parents, capacity);
    this.#lines = enlarge(this.#lines, capacity);
    this.#lastChild = enlarge(this.#lastChild, capacity);
    this.#slots = new Int32Array(capacity * 2);
    const mask = this.#slots.length - 1;
    for (let node = 1; node < this.#size; node++) {
      let slot = hash(this.#parents[node] as number, this.#lines[node] as number) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = node;
    }
  }
}

function hash(node: number, line: number): number {
  const h = Math.imul(node, 0x9e3779b1) ^ Math.imul(line, 0x85ebca6b) ^ HASH_SEED;
  return (h ^ (h >>> 15)) >>> 0;
}
