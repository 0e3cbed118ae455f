// A tree as graphs draw it: level by level, the heaviest child first, with the place of each box.

/** Nodes in the order of levels: level d are those from start[d] to start[d + 1], left to right. Node 0 is the root. */
export interface BoxTree {
  readonly count: number;
  readonly levels: number;
  readonly start: Uint32Array;
  readonly depth: Uint16Array;
  /** -1 for the root. */
  readonly parent: Int32Array;
  /** Children of i are the nodes from first[i] to first[i + 1], heaviest first. */
  readonly first: Uint32Array;
  readonly symbol: Uint32Array;
  /** Bits of `NODE`. */
  readonly flags: Uint8Array;
  readonly total: Float64Array;
  /** Calls left of the box. */
  readonly x: Float64Array;
  /** The node of the data a box was made of, the first of several. */
  readonly origin: Uint32Array;
}

/** A tree to be laid out: parents come before their children. */
export interface LooseTree {
  readonly count: number;
  readonly parent: ArrayLike<number>;
  readonly symbol: ArrayLike<number>;
  readonly flags: ArrayLike<number>;
  /** Nodes of the data; null where they are the nodes themselves. */
  readonly origin: ArrayLike<number> | null;
}

/** Adds up what stands in the nodes of a tree over all below them, in place. */
export function addUp({ count, parent }: Pick<LooseTree, 'count' | 'parent'>, own: Float64Array): Float64Array {
  for (let node = count - 1; node > 0; node--) {
    const value = own[node] as number;
    if (value !== 0) (own[parent[node] as number] as number) += value;
  }
  return own;
}

/** Short lists are sorted in place by hand: most are short, and sorted already. */
const SHORT = 24;

/**
 * Lays a tree out. Nodes without calls are left out.
 *
 * @param total calls of each node with all below it
 */
export function layOut(tree: LooseTree, total: Float64Array): BoxTree {
  const { ends, children, count } = childLists(tree, total);
  const parent = new Int32Array(count);
  const first = new Uint32Array(count + 1);
  const symbol = new Uint32Array(count);
  const flags = new Uint8Array(count);
  const totals = new Float64Array(count);
  const x = new Float64Array(count);
  const origin = new Uint32Array(count);
  const depth = new Uint16Array(count);
  /** Of nodes laid out: which of the loose tree they are. */
  const loose = new Uint32Array(count);
  parent[0] = -1;
  let next = 1;
  for (let node = 0; node < count; node++) {
    const from = loose[node] as number;
    symbol[node] = tree.symbol[from] as number;
    flags[node] = tree.flags[from] as number;
    totals[node] = total[from] as number;
    origin[node] = tree.origin === null ? from : (tree.origin[from] as number);
    first[node] = next;
    let left = x[node] as number;
    for (let i = ends[from] as number, end = ends[from + 1] as number; i < end; i++) {
      const child = children[i] as number;
      loose[next] = child;
      parent[next] = node;
      depth[next] = (depth[node] as number) + 1;
      x[next] = left;
      left += total[child] as number;
      next++;
    }
  }
  first[count] = next;
  const levels = (depth[count - 1] as number) + 1;
  const start = new Uint32Array(levels + 1);
  for (let node = 0; node < count; node++) start[(depth[node] as number) + 1] = node + 1;
  return { count, levels, start, depth, parent, first, symbol, flags, total: totals, x, origin };
}

/** The children with calls of each node, heaviest first: those of node n stand from ends[n] to ends[n + 1]. */
function childLists(
  { count: size, parent }: LooseTree,
  total: Float64Array,
): { ends: Uint32Array; children: Uint32Array; count: number } {
  const ends = new Uint32Array(size + 2);
  let count = 1;
  for (let node = 1; node < size; node++) {
    if ((total[node] as number) <= 0) continue;
    (ends[(parent[node] as number) + 2] as number)++;
    count++;
  }
  for (let node = 0; node < size; node++) (ends[node + 2] as number) += ends[node + 1] as number;
  const children = new Uint32Array(count - 1);
  for (let node = 1; node < size; node++) {
    if ((total[node] as number) <= 0) continue;
    const at = (parent[node] as number) + 1;
    children[ends[at] as number] = node;
    (ends[at] as number)++;
  }
  for (let node = 0; node < size; node++)
    sortHeaviestFirst(children, ends[node] as number, ends[node + 1] as number, total);
  return { ends, children, count };
}

function sortHeaviestFirst(children: Uint32Array, from: number, to: number, total: Float64Array): void {
  if (to - from > SHORT) {
    children.subarray(from, to).sort((a, b) => (total[b] as number) - (total[a] as number) || a - b);
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const child = children[i] as number;
    const own = total[child] as number;
    let at = i;
    for (; at > from && (total[children[at - 1] as number] as number) < own; at--) {
      children[at] = children[at - 1] as number;
    }
    children[at] = child;
  }
}
