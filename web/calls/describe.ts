// What is said of a group of calls that was made on the page: the counterpart of what src/atlas/explain.ts says of the
// groups of a report.
import { CONFIDENCES, DOUBT, type PageData } from '../data/columns.ts';
import type { Confidence, Tally } from '../report.ts';
import { dimensionOf } from './dimensions.ts';
import { namesTo, pathEndsOf } from './paths.ts';

/** A path with the calls that took it. */
export interface PathTally {
  /** The last node of the path. */
  readonly end: number;
  readonly count: number;
  /** Of its stacks the commonest: the row's node, which may lie beyond the path. */
  readonly node: number;
}

/** What happened, in how many of the calls. */
export interface Decision {
  readonly text: string;
  readonly count: number;
}

export interface Confidences {
  readonly decision: Confidence;
  readonly subject: Confidence;
  readonly entry: Confidence;
}

/** Calls by the values of a dimension, commonest first; values that are not known are in none. */
export function tally(data: PageData, by: string, rows: Uint32Array): (Tally & { readonly isUnknown: boolean })[] {
  const dimension = dimensionOf(data, by);
  if (!dimension) return [];
  const counts = new Map<number, number>();
  for (const row of rows) add(counts, dimension.of[row] as number, data.rows.calls[row] as number);
  return [...counts]
    .map(([value, count]) => ({
      name: dimension.values[value] ?? '',
      count,
      isUnknown: dimension.isUnknown[value] ?? false,
    }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

/** The value that most of the calls have; null where that is not known. */
export function commonest(data: PageData, by: string, rows: Uint32Array): string | null {
  const [first] = tally(data, by, rows);
  return first === undefined || first.isUnknown ? null : first.name;
}

/** How many distinct stacks there are. */
export function stacksOf({ rows: { stack } }: PageData, rows: Uint32Array): number {
  const seen = new Set<number>();
  for (const row of rows) seen.add(stack[row] as number);
  return seen.size;
}

/** The paths of a group, commonest first. Calls of one path with several arguments are taken together. */
export function pathsOf(data: PageData, rows: Uint32Array): PathTally[] {
  const ends = pathEndsOf(data);
  const byEnd = new Map<number, { count: number; nodes: Map<number, number> }>();
  for (const row of rows) {
    const node = data.rows.node[row] as number;
    const end = ends[node] as number;
    let path = byEnd.get(end);
    if (!path) {
      path = { count: 0, nodes: new Map() };
      byEnd.set(end, path);
    }
    const calls = data.rows.calls[row] as number;
    path.count += calls;
    add(path.nodes, node, calls);
  }
  return [...byEnd]
    .map(([end, { count, nodes }]) => ({ end, count, node: largest(nodes) ?? end }))
    .sort((a, b) => b.count - a.count || comparePaths(data, a.end, b.end));
}

/** By names, from the target outwards, as reports do. */
function comparePaths(data: PageData, a: number, b: number): number {
  const left = namesTo(data, a);
  const right = namesTo(data, b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return (left[i] ?? '') < (right[i] ?? '') ? -1 : 1;
  }
  return left.length - right.length;
}

/** What happened, commonest first. */
export function decisionsOf(data: PageData, rows: Uint32Array): Decision[] {
  const counts = new Map<number, number>();
  for (const row of rows) add(counts, data.rows.decision[row] as number, data.rows.calls[row] as number);
  return [...counts]
    .map(([decision, count]) => ({ text: data.decisions[decision] ?? '', count }))
    .sort((a, b) => b.count - a.count);
}

/** How sure what is said of the calls is, part by part: certain only where it is for every call. */
export function confidencesOf(data: PageData, rows: Uint32Array): Confidences {
  const entry = dimensionOf(data, 'entry');
  const entryOf = (row: number): Confidence => {
    if (entry === null || entry.isUnknown[entry.of[row] as number]) return 'unknown';
    return data.rows.doubt[row] === DOUBT.none ? 'certain' : 'likely';
  };
  return {
    decision: over(data, rows, (row) => CONFIDENCES[data.rows.decisionConfidence[row] as number] ?? 'unknown'),
    subject: over(data, rows, (row) => CONFIDENCES[data.rows.subjectConfidence[row] as number] ?? 'unknown'),
    entry: over(data, rows, entryOf),
  };
}

/** Calls whose path was read from frames the unwinder doubted, or lacks lines. */
export function doubtedOf({ rows: { doubt, calls } }: PageData, rows: Uint32Array): number {
  let sum = 0;
  for (const row of rows) if (doubt[row] !== DOUBT.none) sum += calls[row] as number;
  return sum;
}

/** Unknown where it is for half of the calls, certain only where it is for all of them. */
function over(data: PageData, rows: Uint32Array, of: (row: number) => Confidence): Confidence {
  const calls = { certain: 0, likely: 0, unknown: 0 };
  let all = 0;
  for (const row of rows) {
    calls[of(row)] += data.rows.calls[row] as number;
    all += data.rows.calls[row] as number;
  }
  return calls.certain === all ? 'certain' : calls.unknown * 2 >= all ? 'unknown' : 'likely';
}

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** The key of the largest count. */
function largest<K>(counts: ReadonlyMap<K, number>): K | null {
  let best: K | null = null;
  let most = -1;
  for (const [key, count] of counts) {
    if (count > most) {
      best = key;
      most = count;
    }
  }
  return best;
}
