// Paths as parts of stacks: what caused a call, without what an interrupt interrupted or the program that called.
import { NODE, type PageData } from '../data/columns.ts';

/** By node: itself where it belongs to a path, else the last node before that does. */
export function pathEnds({ nodes }: PageData): Uint32Array {
  const ends = new Uint32Array(nodes.count);
  for (let node = 1; node < nodes.count; node++) {
    const parent = nodes.parent[node] as number;
    const isBeyond =
      ((nodes.flags[node] as number) & (NODE.border | NODE.interrupted)) !== 0 || ends[parent] !== parent;
    ends[node] = isBeyond ? (ends[parent] as number) : node;
  }
  return ends;
}

const known = new WeakMap<PageData, Uint32Array>();

/** {@link pathEnds}, once for each census. */
export function pathEndsOf(data: PageData): Uint32Array {
  let ends = known.get(data);
  if (!ends) {
    ends = pathEnds(data);
    known.set(data, ends);
  }
  return ends;
}

/** The nodes from the target outwards to a node. */
export function nodesTo({ nodes }: PageData, node: number): number[] {
  const path: number[] = [];
  for (let at = node; at > 0; at = nodes.parent[at] as number) path.unshift(at);
  return path;
}

/** Names of the functions from the target outwards to a node. */
export function namesTo(data: PageData, node: number): string[] {
  return nodesTo(data, node).map((at) => data.symbols.names[data.nodes.symbol[at] as number] ?? '');
}
