// A graph's tree with what its boxes are called and what is said of them.
import { type PageData, SYMBOL } from '../data/columns.ts';
import type { Folds } from '../data/folds.ts';
import type { BoxTree } from '../data/layout.ts';

/** Which way a tree is read. `callers`: callers below their functions; `callees`: what functions call below them. */
export type Direction = 'callers' | 'callees';

export interface GraphModel {
  readonly data: PageData;
  readonly tree: BoxTree;
  readonly direction: Direction;
  readonly folds: Folds | null;
  /** Names of the group boxes, in the order of their symbols after those of functions. */
  readonly groupNames: readonly string[];
  /** All calls there are, lost ones among them: what shares are of. */
  readonly calls: number;
}

/** What is known of a box. */
export interface BoxFacts {
  readonly name: string;
  /** Other functions in the box, where a run is folded. */
  readonly more: number;
  readonly isGroup: boolean;
  readonly gloss: string;
  /** `kernel/sched/fair.c:6094`, '' where unknown. */
  readonly place: string;
  readonly module: string;
  readonly subsystem: string;
  readonly family: string;
  readonly calls: number;
  readonly shareOfAll: number;
  /** What the share of the parent is of; '' right below the root. */
  readonly parentName: string;
  readonly shareOfParent: number;
  /** Among the boxes of one parent, 1 for the heaviest. */
  readonly rank: number;
  readonly siblings: number;
}

export function factsOf(model: GraphModel, box: number): BoxFacts {
  const { data, tree, groupNames, calls } = model;
  const { symbols } = data;
  const symbol = tree.symbol[box] as number;
  const parent = Math.max(0, tree.parent[box] as number);
  const count = tree.total[box] as number;
  const siblings = {
    rank: box - (tree.first[parent] as number) + 1,
    siblings: (tree.first[parent + 1] as number) - (tree.first[parent] as number),
  };
  const shares = {
    calls: count,
    shareOfAll: count / calls,
    parentName: parent === 0 && symbols.names[tree.symbol[0] as number] === '' ? '' : nameOf(model, parent),
    shareOfParent: count / (tree.total[parent] as number),
    ...(box === 0 ? { rank: 1, siblings: 1 } : siblings),
  };
  if (symbol >= symbols.count) {
    const name = groupNames[symbol - symbols.count] ?? '';
    const unknown = { gloss: '', place: '', module: '', subsystem: '', family: '' };
    return { name, more: 0, isGroup: true, ...unknown, ...shares };
  }
  const line = symbols.line(symbol);
  const file = symbols.file(symbol);
  return {
    name: symbols.names[symbol] ?? '',
    more: moreIn(model, box),
    isGroup: false,
    gloss: symbols.glosses[symbol] ?? '',
    place: line > 0 && file !== '' ? `${file}:${line}` : file,
    module: symbols.module(symbol),
    subsystem: symbols.subsystem(symbol),
    family: data.families[symbols.family[symbol] as number] ?? '',
    ...shares,
  };
}

/** The function's name, or that of a group. */
export function nameOf({ data: { symbols }, tree, groupNames }: GraphModel, box: number): string {
  const symbol = tree.symbol[box] as number;
  return (symbol < symbols.count ? symbols.names[symbol] : groupNames[symbol - symbols.count]) ?? '';
}

/** What stands in the box: with `+2` for the other functions in it. */
export function labelOf(model: GraphModel, box: number): string {
  const more = moreIn(model, box);
  return more === 0 ? nameOf(model, box) : `${nameOf(model, box)} +${more}`;
}

function moreIn({ folds, tree }: GraphModel, box: number): number {
  return folds === null ? 0 : (folds.more[tree.origin[box] as number] ?? 0);
}

/** All functions of a box, innermost first; where several runs are one box, those of the heaviest. */
export function foldedNames({ data: { nodes, symbols }, tree, folds }: GraphModel, box: number): string[] {
  if (folds === null) return [];
  const head = tree.origin[box] as number;
  const names = [symbols.names[nodes.symbol[head] as number] ?? ''];
  for (let node = head + 1; node < nodes.count && folds.box[node] === head; node++) {
    // Preorder: the heaviest caller follows its function.
    if (nodes.parent[node] === node - 1) names.push(symbols.names[nodes.symbol[node] as number] ?? '');
    else break;
  }
  return names;
}

/** Whether the functions of a box end the context of an interrupt, softirq or exception. */
export function endsContext({ data, tree, folds }: GraphModel, box: number): boolean {
  const symbol = tree.symbol[box] as number;
  if ((data.symbols.boundary[symbol] ?? 0) > TASK) return true;
  return folds !== null && folds.ends[tree.origin[box] as number] === 1;
}

/** The number of `task` among the kinds of contexts: those after it interrupt. */
const TASK = 1;

/** The boxes from below the root to this one. */
export function boxesTo({ tree }: GraphModel, box: number): number[] {
  const path: number[] = [];
  for (let at = box; at > 0; at = tree.parent[at] as number) path.unshift(at);
  return path;
}

/** The box that one gets to by these names from the root; names that are not there are stepped over. */
export function boxNamed(model: GraphModel, names: readonly string[]): number {
  let box = 0;
  for (const name of names) {
    const { tree } = model;
    for (let child = tree.first[box] as number; child < (tree.first[box + 1] as number); child++) {
      if (nameOf(model, child) !== name) continue;
      box = child;
      break;
    }
  }
  return box;
}

/** By symbol: 1 where `isMeant`; groups never are. */
export function markSymbols(
  { symbols }: PageData,
  groups: number,
  isMeant: (symbol: number, name: string) => boolean,
): Uint8Array {
  const marked = new Uint8Array(symbols.count + groups);
  for (let symbol = 1; symbol < symbols.count; symbol++) {
    if (isMeant(symbol, symbols.names[symbol] ?? '')) marked[symbol] = 1;
  }
  return marked;
}

/** Boxes whose functions are marked, and the calls that go through any of them. */
export function markedBoxes({ tree }: GraphModel, isMarked: Uint8Array): { boxes: Int32Array; calls: number } {
  const boxes: number[] = [];
  const isBelow = new Uint8Array(tree.count);
  let calls = 0;
  for (let box = 1; box < tree.count; box++) {
    const above = isBelow[tree.parent[box] as number] as number;
    const isOwn = isMarked[tree.symbol[box] as number] === 1;
    if (isOwn) {
      boxes.push(box);
      if (above === 0) calls += tree.total[box] as number;
    }
    isBelow[box] = isOwn ? 1 : above;
  }
  return { boxes: Int32Array.from(boxes), calls };
}

/** Whether a function is one that was counted. */
export function isTarget({ data, tree }: GraphModel, box: number): boolean {
  return ((data.symbols.flags[tree.symbol[box] as number] ?? 0) & SYMBOL.target) !== 0;
}
