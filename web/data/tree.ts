// Trees for graphs, made of any part of the calls: of callers (target on top), from the entries (flame graph), and both
// sides of a function (sandwich).
import { NODE, type PageData } from './columns.ts';
import type { Folds } from './folds.ts';
import { addUp, type BoxTree, layOut } from './layout.ts';
import { MergedTree } from './merged.ts';

/** Which calls, and what of their stacks. */
export interface Shown {
  /** What a row adds: its calls, or the sum of a measure; 0 for rows that are left out ({@link weigh}). */
  readonly weights: Float64Array;
  /** Whether what was interrupted is shown as well. */
  readonly hasInterrupted?: boolean;
  /** Folded runs; null: every function is a box. */
  readonly folds?: Folds | null;
  /** Boxes right below the root that part the calls. */
  readonly groups?: Groups | null;
}

/** What parts the calls: box of symbol `symbols.count + group` for each. */
export interface Groups {
  /** By row. */
  readonly of: Uint32Array;
  readonly count: number;
}

/** Both sides of a function: trees with the function in their root. */
export interface Sandwich {
  readonly callers: BoxTree;
  readonly callees: BoxTree;
}

/** Weights of the rows that are let through. */
export function weigh(values: Float64Array, included: Uint8Array | null): Float64Array {
  return included === null ? values : values.map((value, row) => (included[row] ? value : 0));
}

/** What ends in each node: where nothing interrupted is shown, in the last node before. */
export function ownCalls(data: PageData, { weights, hasInterrupted = false }: Shown): Float64Array {
  const own = new Float64Array(data.nodes.count);
  const ends = shownEnds(data, hasInterrupted);
  data.rows.node.forEach((node, row) => {
    (own[ends[node] as number] as number) += weights[row] as number;
  });
  return own;
}

/** The tree of callers: targets below the root, callers below them. */
export function callersTree(data: PageData, shown: Shown): BoxTree {
  const { folds = null, groups = null } = shown;
  if (folds !== null || groups !== null) return mergedTree(data, shown, addCallers);
  const { nodes } = data;
  return layOut({ ...nodes, origin: null }, addUp(nodes, ownCalls(data, shown)));
}

/** The tree from the entries: outermost functions below the root, what they call below them, targets last. */
export function entriesTree(data: PageData, shown: Shown): BoxTree {
  return mergedTree(data, shown, addFromEntry);
}

/**
 * Callers and callees of a function over all its places. Of a function that is on a stack several times the innermost
 * place counts, so that every call is counted once.
 *
 * @param symbols the function; several where functions of one name live in several modules
 */
export function sandwichOf(data: PageData, symbols: readonly number[], shown: Shown): Sandwich {
  const { nodes } = data;
  const isMeant = new Uint8Array(data.symbols.count);
  for (const symbol of symbols) isMeant[symbol] = 1;
  const own = ownCalls(data, shown);
  const total = addUp(nodes, own.slice());
  const callers = new MergedTree();
  const callees = new MergedTree();
  for (const tree of [callers, callees]) tree.symbol[0] = symbols[0] ?? 0;
  /** By node: where its caller stands in `callers`, plus one; 0 outside of the function's callers. */
  const place = new Int32Array(nodes.count);
  for (let node = 1; node < nodes.count; node++) {
    if (total[node] === 0) continue;
    const inner = place[nodes.parent[node] as number] as number;
    if (inner > 0) {
      place[node] = 1 + callers.child(inner - 1, nodes.symbol[node] as number, nodes.flags[node] as number, node);
    } else if (isMeant[nodes.symbol[node] as number] === 1) {
      place[node] = 1;
      addCallees(data, callees, nodes.parent[node] as number, total[node] as number);
    }
    const at = place[node] as number;
    if (at > 0) (callers.own[at - 1] as number) += own[node] as number;
  }
  return {
    callers: layOut(callers, addUp(callers, callers.own)),
    callees: layOut(callees, addUp(callees, callees.own)),
  };
}

/** Calls through each function, by symbol; recursion counts once. */
export function throughFunctions({ nodes, symbols }: PageData, total: Float64Array): Float64Array {
  const through = new Float64Array(symbols.count);
  /** How often a function is on the path to the node at hand. */
  const active = new Uint16Array(symbols.count);
  const path: number[] = [];
  for (let node = 1; node < nodes.count; node++) {
    const parent = nodes.parent[node] as number;
    while (path.length > 0 && path.at(-1) !== parent) {
      (active[nodes.symbol[path.pop() as number] as number] as number)--;
    }
    const symbol = nodes.symbol[node] as number;
    if (active[symbol] === 0) (through[symbol] as number) += total[node] as number;
    (active[symbol] as number)++;
    path.push(node);
  }
  return through;
}

/** By node: itself, or the last before what was interrupted. */
function shownEnds({ nodes }: PageData, hasInterrupted: boolean): Uint32Array {
  const ends = new Uint32Array(nodes.count);
  for (let node = 1; node < nodes.count; node++) {
    const isHidden = !hasInterrupted && ((nodes.flags[node] as number) & NODE.interrupted) !== 0;
    ends[node] = isHidden ? (ends[nodes.parent[node] as number] as number) : node;
  }
  return ends;
}

/** Adds stacks that end in these nodes of the data below `root`. */
type Adder = (data: PageData, into: MergedTree, root: number, stacks: Stacks, folds: Folds | null) => void;

interface Stacks {
  readonly ends: readonly number[];
  /** Calls by end. */
  readonly own: Float64Array;
  /** By node of the data: where it stands in the tree, plus one; 0 where it does not yet. All 0 at the beginning. */
  readonly place: Int32Array;
}

function mergedTree(data: PageData, shown: Shown, add: Adder): BoxTree {
  const { rows, nodes, symbols } = data;
  const { weights, folds = null, groups = null, hasInterrupted = false } = shown;
  const tree = new MergedTree();
  const shownEnd = shownEnds(data, hasInterrupted);
  const own = new Float64Array(nodes.count);
  const place = new Int32Array(nodes.count);
  for (const { group, rows: numbers } of rowsByGroup(rows.count, weights, groups)) {
    const ends: number[] = [];
    for (const row of numbers) {
      const end = shownEnd[rows.node[row] as number] as number;
      if (own[end] === 0) ends.push(end);
      (own[end] as number) += weights[row] as number;
    }
    const root = group === null ? 0 : tree.child(0, symbols.count + group, 0, 0);
    add(data, tree, root, { ends, own, place }, folds);
    for (const end of ends) own[end] = 0;
    if (groups !== null) place.fill(0);
  }
  return layOut(tree, addUp(tree, tree.own));
}

/** Rows with calls, group by group; one group of all where there are none. */
function* rowsByGroup(
  count: number,
  weights: Float64Array,
  groups: Groups | null,
): Generator<{ group: number | null; rows: Iterable<number> }> {
  const lists: number[][] = Array.from({ length: groups?.count ?? 1 }, () => []);
  for (let row = 0; row < count; row++) {
    if ((weights[row] as number) > 0) lists[groups === null ? 0 : (groups.of[row] as number)]?.push(row);
  }
  for (const [group, rows] of lists.entries()) {
    if (rows.length > 0 || groups === null) yield { group: groups === null ? null : group, rows };
  }
}

function addCallers({ nodes }: PageData, tree: MergedTree, root: number, stacks: Stacks, folds: Folds | null): void {
  const { ends, own, place } = stacks;
  place[0] = root + 1;
  const missing: number[] = [];
  for (const end of ends) {
    let node = end;
    for (; place[node] === 0; node = nodes.parent[node] as number) missing.push(node);
    for (let next = missing.pop(); next !== undefined; next = missing.pop()) {
      const inner = (place[nodes.parent[next] as number] as number) - 1;
      const isBox = folds === null || folds.box[next] === next;
      const at = isBox ? tree.child(inner, nodes.symbol[next] as number, nodes.flags[next] as number, next) : inner;
      place[next] = at + 1;
    }
    (tree.own[(place[end] as number) - 1] as number) += own[end] as number;
  }
}

function addFromEntry({ nodes }: PageData, tree: MergedTree, root: number, stacks: Stacks, folds: Folds | null): void {
  const { ends, own } = stacks;
  for (const end of ends) {
    let at = root;
    for (let node = end; node > 0; node = nodes.parent[node] as number) {
      if (folds !== null) node = folds.box[node] as number;
      at = tree.child(at, nodes.symbol[node] as number, nodes.flags[node] as number, node);
    }
    (tree.own[at] as number) += own[end] as number;
  }
}

function addCallees({ nodes }: PageData, callees: MergedTree, caller: number, calls: number): void {
  let at = 0;
  for (let node = caller; node > 0; node = nodes.parent[node] as number) {
    at = callees.child(at, nodes.symbol[node] as number, nodes.flags[node] as number, node);
  }
  (callees.own[at] as number) += calls;
}
