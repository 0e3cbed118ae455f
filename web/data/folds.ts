// Runs of functions that only pass calls on, and of the code by which contexts are entered, folded into one box.
import { NODE, type PageData, SYMBOL } from './columns.ts';

/** Which nodes are boxes, and which stand in the box of another node. */
export interface Folds {
  /** By node: the node whose box it is in; itself where it is a box. */
  readonly box: Uint32Array;
  /** Other functions in the box of a node, at most; 0 for boxes of one function. */
  readonly more: Uint16Array;
  /** By node with a box: 1 where functions in it end a context, so that what lies outside was interrupted. */
  readonly ends: Uint8Array;
}

/** The number of `task` among the kinds of contexts: those after it interrupt. */
const TASK = 1;

/**
 * Helpers that follow each other outwards are in the box of the innermost, and so are functions of entry code. A target
 * is always a box of its own, and no box reaches over the border of a context.
 *
 * @param opened symbols: runs that begin with one of these are not folded
 */
export function foldRuns({ nodes, symbols }: PageData, opened: ReadonlySet<number> = new Set()): Folds {
  const { count, parent, symbol, flags } = nodes;
  const kinds = symbols.flags.map((bits) => (bits & SYMBOL.target ? 0 : bits & (SYMBOL.helper | SYMBOL.entry)));
  const box = new Uint32Array(count);
  const more = new Uint16Array(count);
  /** Functions from the head of the run to the node. */
  const length = new Uint16Array(count);
  const head = new Uint32Array(count);
  const ends = new Uint8Array(count);
  for (let node = 0; node < count; node++) {
    box[node] = node;
    head[node] = node;
    if (node === 0 || ((flags[node] as number) & NODE.border) !== 0) continue;
    const inner = parent[node] as number;
    const kind = (kinds[symbol[node] as number] as number) & (kinds[symbol[inner] as number] as number);
    if (kind === 0) continue;
    const run = head[inner] as number;
    head[node] = run;
    if (opened.has(symbol[run] as number)) continue;
    box[node] = run;
    if ((symbols.boundary[symbol[node] as number] as number) > TASK) ends[run] = 1;
    length[node] = (length[inner] as number) + 1;
    if ((length[node] as number) > (more[run] as number)) more[run] = length[node] as number;
  }
  return { box, more, ends };
}
