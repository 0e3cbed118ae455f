// Which boxes of a tree are in sight, and where: from the root down through what is drawn, so that a frame costs what it
// shows, however large the tree is.
import type { BoxTree } from '../data/layout.ts';

/** Boxes narrower than this many pixels are drawn together, as the tail of their parent. */
const NARROWEST = 2;
/** A tail narrower than this is left out. */
const NARROWEST_TAIL = 0.5;

/** What is in sight. Entries of level d are those from `from[d]` to `from[d + 1]`, left to right. */
export interface Scene {
  readonly levels: number;
  readonly from: Uint32Array;
  /** A box, or for a tail the complement (`~`) of its first box. */
  readonly box: Int32Array;
  /** First pixel, and the one after the last. */
  readonly left: Int32Array;
  readonly right: Int32Array;
}

/** The part of the calls that is in sight, and how many pixels it takes. */
export interface Window {
  readonly left: number;
  readonly width: number;
  readonly pixels: number;
}

/** Finds what is in sight; one object, whose lists are used again with every frame. */
export class SceneFinder implements Scene {
  levels = 0;
  from = new Uint32Array(64);
  box = new Int32Array(1 << 12);
  left = new Int32Array(1 << 12);
  right = new Int32Array(1 << 12);
  #count = 0;

  /** @param deepest no level below this one is looked at */
  find(tree: BoxTree, { left, width, pixels }: Window, deepest: number): Scene {
    const scale = pixels / width;
    const levels = Math.min(tree.levels, deepest + 1);
    if (this.from.length < levels + 2) this.from = new Uint32Array(levels + 2);
    this.#count = 0;
    this.from[0] = 0;
    this.#add(0, 0 - left * scale, ((tree.total[0] as number) - left) * scale, pixels);
    let level = 1;
    for (; level < levels; level++) {
      const from = this.from[level - 1] as number;
      const to = this.#count;
      this.from[level] = to;
      if (from === to) break;
      for (let entry = from; entry < to; entry++) {
        const parent = this.box[entry] as number;
        if (parent >= 0) this.#children(tree, parent, left, left + width, scale, pixels);
      }
    }
    this.levels = level;
    this.from[level] = this.#count;
    return this;
  }

  #children(tree: BoxTree, parent: number, left: number, right: number, scale: number, pixels: number): void {
    const { x, total } = tree;
    const end = tree.first[parent + 1] as number;
    for (let box = firstBeyond(tree, tree.first[parent] as number, end, left); box < end; box++) {
      const at = x[box] as number;
      if (at >= right) return;
      const calls = total[box] as number;
      if (calls * scale < NARROWEST) {
        this.#tail(tree, parent, end, left, scale, pixels);
        return;
      }
      this.#add(box, (at - left) * scale, (at + calls - left) * scale, pixels);
    }
  }

  /** All children too narrow to be drawn: they stand together at the right, because the heaviest comes first. */
  #tail(tree: BoxTree, parent: number, end: number, left: number, scale: number, pixels: number): void {
    const { x, total } = tree;
    const first = firstNarrower(tree, tree.first[parent] as number, end, NARROWEST / scale);
    const from = ((x[first] as number) - left) * scale;
    const to = ((x[end - 1] as number) + (total[end - 1] as number) - left) * scale;
    if (to - from < NARROWEST_TAIL) return;
    this.#add(end - first === 1 ? first : ~first, from, to, pixels);
  }

  #add(box: number, from: number, to: number, pixels: number): void {
    const left = Math.max(0, Math.round(from));
    const right = Math.min(pixels, Math.max(left + 1, Math.round(to)));
    if (left >= right) return;
    if (this.#count === this.box.length) this.#grow();
    const entry = this.#count++;
    this.box[entry] = box;
    this.left[entry] = left;
    this.right[entry] = right;
  }

  #grow(): void {
    for (const name of ['box', 'left', 'right'] as const) {
      const larger = new Int32Array(this.box.length * 2);
      larger.set(this[name]);
      this[name] = larger;
    }
  }
}

/** The entry at a pixel of a level; -1 where nothing is drawn. */
export function entryAt({ levels, from, left, right }: Scene, level: number, pixel: number): number {
  if (level < 0 || level >= levels) return -1;
  let low = from[level] as number;
  let high = from[level + 1] as number;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((right[middle] as number) <= pixel) low = middle + 1;
    else high = middle;
  }
  return low < (from[level + 1] as number) && (left[low] as number) <= pixel ? low : -1;
}

/** The first of the children from..to whose right edge lies beyond `calls`. */
function firstBeyond({ x, total }: BoxTree, from: number, to: number, calls: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] as number) + (total[middle] as number) <= calls) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first of the children from..to with fewer calls than this. */
function firstNarrower({ total }: BoxTree, from: number, to: number, calls: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((total[middle] as number) >= calls) low = middle + 1;
    else high = middle;
  }
  return low;
}
