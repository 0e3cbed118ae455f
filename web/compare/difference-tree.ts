// One tree of callers for two sides: the width of a box is what both have of it, its colour how they differ.
import { pathEndsOf } from '../calls/paths.ts';
import { type PageData, SYMBOL } from '../data/columns.ts';
import { addUp, type BoxTree, layOut } from '../data/layout.ts';
import { MergedTree } from '../data/merged.ts';
import type { Side } from './comparison.ts';
import type { Included } from './differences.ts';
import { type Rate, weightOf } from './rates.ts';

/** A tree in which every box is a symbol of its own, because each has its own colour. */
export interface DifferenceTree {
  readonly tree: BoxTree;
  /** By box. */
  readonly base: Float64Array;
  readonly other: Float64Array;
  readonly nameOf: (box: number) => string;
}

const LEAST_WIDTH = 1e6;

/**
 * Paths begin with the site: targets and helpers differ between kernels and compilers, what called for them does not. Of
 * repeated runs the mean is drawn, because medians of parts do not add up.
 */
export function differenceTree(base: Side, other: Side, rate: Rate, included: Included): DifferenceTree {
  const merged = new MergedTree();
  const names: string[] = [''];
  const numbers = new Map<string, number>();
  const numberOf = (name: string) => {
    let number = numbers.get(name);
    if (number === undefined) {
      number = names.push(name) - 1;
      numbers.set(name, number);
    }
    return number;
  };
  const own = [base, other].map((side) => addSide(merged, side, rate, included, numberOf));
  const [before, after] = own.map((calls) =>
    addUp(
      merged,
      Float64Array.from({ length: merged.count }, (_, i) => calls[i] ?? 0),
    ),
  );
  const a = before ?? new Float64Array(merged.count);
  const b = after ?? new Float64Array(merged.count);
  const both = a.map((calls, node) => calls + (b[node] as number));
  // Graphs zoom down to a width of one: rates would be too small.
  const scale = Math.max(1, LEAST_WIDTH / ((both[0] as number) || 1));
  const laid = layOut(
    { count: merged.count, parent: merged.parent, symbol: merged.symbol, flags: merged.flags, origin: null },
    both.map((value) => value * scale),
  );
  const symbols = laid.symbol;
  return {
    tree: { ...laid, symbol: Uint32Array.from({ length: laid.count }, (_, box) => box) },
    base: Float64Array.from(laid.origin, (node) => a[node] as number),
    other: Float64Array.from(laid.origin, (node) => b[node] as number),
    nameOf: (box) => names[symbols[box] as number] ?? '',
  };
}

/** Adds the calls of a side to the tree. @returns by node what ends there */
function addSide(
  merged: MergedTree,
  side: Side,
  rate: Rate,
  included: Included,
  numberOf: (name: string) => number,
): number[] {
  const own: number[] = [];
  for (const [run, census] of side.runs.entries()) {
    const { data } = census;
    if (data === null) continue;
    const weight = (weightOf(side, run, rate) ?? 0) / side.runs.length;
    const rows = included(census);
    const nodes = placeNodes(merged, data, numberOf, usedNodes(data, rows));
    const ends = pathEndsOf(data);
    for (let row = 0; row < data.rows.count; row++) {
      if (rows !== null && !rows[row]) continue;
      const node = nodes[ends[data.rows.node[row] as number] as number] as number;
      own[node] = (own[node] ?? 0) + (data.rows.calls[row] as number) * weight;
    }
  }
  return own;
}

/** 1 for each node on the path of a row that is shown. */
function usedNodes(data: PageData, rows: Uint8Array | null): Uint8Array {
  const used = new Uint8Array(data.nodes.count);
  const ends = pathEndsOf(data);
  for (let row = 0; row < data.rows.count; row++) {
    if (rows === null || rows[row]) used[ends[data.rows.node[row] as number] as number] = 1;
  }
  for (let node = data.nodes.count - 1; node > 0; node--) {
    if (used[node]) used[data.nodes.parent[node] as number] = 1;
  }
  return used;
}

/** Where each node of a census stands in the merged tree; frames inside of the site stand in the root. */
function placeNodes(
  merged: MergedTree,
  { nodes, symbols }: PageData,
  numberOf: (name: string) => number,
  used: Uint8Array,
): Uint32Array {
  const place = new Uint32Array(nodes.count);
  const byNumber = symbols.names.map(numberOf);
  for (let node = 1; node < nodes.count; node++) {
    if (!used[node]) continue;
    const inner = place[nodes.parent[node] as number] as number;
    const symbol = nodes.symbol[node] as number;
    const isInside = inner === 0 && ((symbols.flags[symbol] as number) & (SYMBOL.target | SYMBOL.helper)) !== 0;
    place[node] = isInside ? 0 : merged.child(inner, byNumber[symbol] as number, 0, 0);
  }
  return place;
}

/** How many steps of colour there are on each side of no change. */
export const STEPS = 4;

/** From -4 (all of it is gone) to 4 (all of it is new). */
export function stepOf(base: number, other: number): number {
  const most = Math.max(base, other);
  if (most === 0) return 0;
  const share = Math.abs(other - base) / most;
  const step = share < 0.02 ? 0 : share < 0.15 ? 1 : share < 0.35 ? 2 : share < 0.6 ? 3 : STEPS;
  return other < base ? -step : step;
}
