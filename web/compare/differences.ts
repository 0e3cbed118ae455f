// Groups of calls side by side. The command line does the same in src/census/compare.ts; a test holds both together.
import { dimensionOf } from '../calls/dimensions.ts';
import type { PageData } from '../data/columns.ts';
import type { Run, Side } from './comparison.ts';
import { type Rate, weightOf } from './rates.ts';

/** A figure of repeated runs. */
export interface Spread {
  readonly runs: readonly number[];
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Calls counted together on both sides. */
export interface Difference {
  readonly label: string;
  /** The id of the subject where calls are grouped by site; else ''. */
  readonly subject: string;
  /** What the calls are about, else the part of the kernel. */
  readonly about: string;
  readonly isUnknown: boolean;
  readonly base: Spread;
  readonly other: Spread;
  readonly change: number;
  readonly status: 'new' | 'gone' | 'both';
  /** Whether the runs of the sides do not overlap; null where each has one run. */
  readonly isBeyondSpread: boolean | null;
}

/** Which rows of a census are shown; null: all. */
export type Included = (run: Run) => Uint8Array | null;

/** Two sides, compared group by group and in all; null where a run does not tell what calls are measured by. */
export interface Differences {
  readonly groups: readonly Difference[];
  readonly all: Difference;
}

export function spreadOf(runs: readonly number[]): Spread {
  const sorted = [...runs].sort((a, b) => a - b);
  const above = sorted[sorted.length >> 1] ?? 0;
  const below = sorted[(sorted.length - 1) >> 1] ?? 0;
  return { runs, median: (above + below) / 2, least: sorted[0] ?? 0, most: sorted.at(-1) ?? 0 };
}

/** The largest change first. */
export function differencesOf(base: Side, other: Side, by: string, rate: Rate, included: Included): Differences | null {
  const runs = [...base.runs, ...other.runs];
  const weights = [base, other].flatMap((side) => side.runs.map((_, run) => weightOf(side, run, rate)));
  if (weights.some((weight) => weight === null) || runs.some(({ data }) => data === null)) return null;
  const counted = runs.map((census) => groupsOf(census.data as PageData, by, included(census)));
  const split = base.runs.length;
  const make = (keyed: Omit<Keyed, 'calls'>, calls: readonly number[]): Difference => {
    const values = calls.map((count, run) => count * (weights[run] ?? 0));
    return difference(keyed, spreadOf(values.slice(0, split)), spreadOf(values.slice(split)));
  };
  const keys = joinUnlabelled(counted);
  const groups = [...keys].map(([key, keyed]) =>
    make(
      keyed,
      counted.map((groups) => groups.get(key)?.calls ?? 0),
    ),
  );
  const sums = counted.map((groups) => [...groups.values()].reduce((sum, { calls }) => sum + calls, 0));
  return {
    groups: groups.sort(
      (a, b) =>
        Math.abs(b.change) - Math.abs(a.change) || b.other.median - a.other.median || (a.label < b.label ? -1 : 1),
    ),
    all: make({ label: 'all calls shown', subject: '', about: '', isUnknown: false }, sums),
  };
}

function difference(keyed: Omit<Keyed, 'calls'>, base: Spread, other: Spread): Difference {
  const isRepeated = base.runs.length > 1 || other.runs.length > 1;
  return {
    label: keyed.label,
    subject: keyed.subject,
    about: keyed.about,
    isUnknown: keyed.isUnknown,
    base,
    other,
    change: other.median - base.median,
    status: base.most === 0 ? 'new' : other.most === 0 ? 'gone' : 'both',
    isBeyondSpread: isRepeated ? other.least > base.most || other.most < base.least : null,
  };
}

/** What calls have in common. */
interface Keyed {
  readonly label: string;
  readonly subject: string;
  readonly about: string;
  readonly isUnknown: boolean;
  calls: number;
}

/** By site, a site that calls about two subjects is two groups. */
function groupsOf(data: PageData, by: string, included: Uint8Array | null): Map<string, Keyed> {
  const groups = new Map<string, Keyed>();
  const dimension = dimensionOf(data, by);
  const subject = dimensionOf(data, 'subject');
  const subsystem = dimensionOf(data, 'subsystem');
  if (!dimension) return groups;
  const textAt = (of: typeof subject, row: number) => {
    const value = of?.of[row] ?? -1;
    return of === null || of.isUnknown[value] ? '' : (of.values[value] ?? '');
  };
  for (let row = 0; row < data.rows.count; row++) {
    if (included !== null && !included[row]) continue;
    const value = dimension.of[row] as number;
    const isUnknown = dimension.isUnknown[value] ?? false;
    const label = dimension.values[value] ?? '';
    const id = by === 'site' && !isUnknown ? (subject?.ids?.[subject.of[row] as number] ?? '') : '';
    const key = `${isUnknown ? '?' : '='}${label}\0${id}`;
    let group = groups.get(key);
    if (!group) {
      const about = textAt(subject, row) || textAt(subsystem, row);
      group = { label, subject: id, about: by === 'site' ? about : '', isUnknown, calls: 0 };
      groups.set(key, group);
    }
    group.calls += data.rows.calls[row] as number;
  }
  return groups;
}

/** All keys. One site of which one run knows the subject and another does not is one, where no run has both. */
function joinUnlabelled(counted: readonly Map<string, Keyed>[]): Map<string, Keyed> {
  const keys = new Map<string, Keyed>();
  for (const groups of counted) for (const [key, keyed] of groups) keys.set(key, keyed);
  for (const [key, keyed] of keys) {
    if (keyed.subject !== '') continue;
    const named = [...keys].filter(([, one]) => one.label === keyed.label && one.subject !== '');
    const [key2, only] = named[0] ?? [];
    if (named.length !== 1 || key2 === undefined || only === undefined || keyed.isUnknown) continue;
    if (counted.some((groups) => groups.has(key) && groups.has(key2))) continue;
    for (const groups of counted) {
      const plain = groups.get(key);
      if (!plain) continue;
      groups.delete(key);
      groups.set(key2, { ...only, calls: plain.calls });
    }
    keys.delete(key);
  }
  return keys;
}
