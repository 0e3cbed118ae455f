import type { Group } from './group.ts';
import type { PathView } from './knowledge.ts';
import { type Spread, spreadOf } from './spread.ts';

/**
 * Whether a caller is there on both of two sides. `moved`: what one side calls from, the other has further out or further
 * in on the same paths, as compilers inline one function into another; no caller has come or gone.
 */
export type CallerStatus = 'both' | 'new' | 'gone' | 'moved' | 'absent';

/** The function that called the site of a group. */
export interface ComparedCaller {
  readonly name: string;
  /** Calls, one for each side. */
  readonly sides: readonly Spread[];
  /** One for each side but the first, which it is compared with. */
  readonly changes: readonly { readonly status: CallerStatus; readonly calls: number }[];
}

/** The function next to the site, further out; '' where the path ends with the site. */
export function callerOf({ frames, site }: PathView): string {
  return frames[site + 1]?.name ?? '';
}

/**
 * The callers of a group's site over all sides, the largest change first.
 *
 * @param sides for each side its runs; null where a run has no calls of the group
 */
export function compareCallers(sides: readonly (readonly (Group | null)[])[]): ComparedCaller[] {
  const known = sides.map((runs) => new CallersOfSide(runs));
  const names = new Set(known.flatMap(({ callers }) => [...callers.keys()]));
  const [base] = known;
  if (!base) return [];
  const compared = [...names].map((name): ComparedCaller => {
    const spreads = known.map((side) => side.spread(name));
    const changes = known.slice(1).map((other, i) => ({
      status: statusOf(name, base, other),
      calls: (spreads[i + 1]?.median ?? 0) - (spreads[0]?.median ?? 0),
    }));
    return { name, sides: spreads, changes };
  });
  const size = ({ changes }: ComparedCaller) => Math.max(...changes.map(({ calls }) => Math.abs(calls)));
  return compared.sort((a, b) => size(b) - size(a) || (a.name < b.name ? -1 : 1));
}

function statusOf(name: string, base: CallersOfSide, other: CallersOfSide): CallerStatus {
  const isBefore = base.callers.has(name);
  const isAfter = other.callers.has(name);
  if (isBefore && isAfter) return 'both';
  if (!isBefore && !isAfter) return 'absent';
  const [own, without] = isAfter ? [other, base] : [base, other];
  if (without.frames.has(name) || own.betweenShare(name, without.callers) >= 0.5) return 'moved';
  return isAfter ? 'new' : 'gone';
}

/** What the paths of a group tell of the callers of its site, over the runs of one side. */
class CallersOfSide {
  /** Calls of each run. */
  readonly callers = new Map<string, number[]>();
  /** Every function of the paths. */
  readonly frames = new Set<string>();
  /** The functions that call a caller, with the calls that come through both. */
  readonly #outer = new Map<string, Map<string, number>>();
  readonly #runs: number;

  constructor(runs: readonly (Group | null)[]) {
    this.#runs = runs.length;
    for (const [run, group] of runs.entries()) {
      for (const { path, count } of group?.paths ?? []) this.#add(path, run, count);
    }
  }

  spread(name: string): Spread {
    return spreadOf(this.callers.get(name) ?? new Array<number>(this.#runs).fill(0));
  }

  /** The share of a caller's calls that come from functions which call the site themselves on the other side. */
  betweenShare(name: string, callers: ReadonlyMap<string, unknown>): number {
    let all = 0;
    let between = 0;
    for (const [outer, count] of this.#outer.get(name) ?? []) {
      all += count;
      if (callers.has(outer)) between += count;
    }
    return all === 0 ? 0 : between / all;
  }

  #add(path: PathView, run: number, count: number): void {
    const name = callerOf(path);
    let counts = this.callers.get(name);
    if (!counts) {
      counts = new Array<number>(this.#runs).fill(0);
      this.callers.set(name, counts);
      this.#outer.set(name, new Map());
    }
    counts[run] = (counts[run] ?? 0) + count;
    const outer = path.frames[path.site + 2]?.name ?? '';
    const outers = this.#outer.get(name);
    outers?.set(outer, (outers.get(outer) ?? 0) + count);
    for (const frame of path.frames) this.frames.add(frame.name);
  }
}
