// The JSON comparison (schema whocalls/comparison/1) as far as the page reads it. docs/diff.md says what the keys mean.
import type { PageData } from '../data/columns.ts';
import type { Report } from '../report.ts';

export interface ChangedGroup {
  readonly key: string | null;
  readonly subject: { readonly id: string; readonly name: string } | null;
  readonly inPlaceOf: readonly string[];
  readonly explanation: string;
  readonly changedCallers: readonly {
    readonly name: string;
    readonly status: 'new' | 'gone';
    readonly side: string;
    readonly calls: number;
    readonly decision: string;
  }[];
  readonly changes: readonly { readonly status: string; readonly calls: number }[];
}

interface ComparisonDocument {
  readonly by: readonly string[];
  readonly sides: readonly {
    readonly name: string;
    readonly runs: readonly unknown[];
    readonly operations: { readonly runs: readonly number[] } | null;
    readonly durationSeconds: { readonly runs: readonly number[] } | null;
  }[];
  readonly groups: readonly ChangedGroup[];
}

/** One run of a side: a census of the page. */
export interface Run {
  readonly name: string;
  readonly report: Report;
  /** null where it cannot be read. */
  readonly data: PageData | null;
}

/** Repeated runs of one thing. */
export interface Side {
  /** `A`, `B`, … */
  readonly name: string;
  readonly runs: readonly Run[];
  /** Of each run; null where one does not tell. */
  readonly operations: readonly number[] | null;
  readonly seconds: readonly number[] | null;
}

/** What is compared: two sides at least; null where the page holds one census. */
export interface Compared {
  readonly sides: readonly Side[];
  /** What the comparison says of groups by site; empty where it is by something else. */
  readonly groups: readonly ChangedGroup[];
}

/** The sides of the page: the comparison tells which censuses are runs of which. */
export function comparedOf({
  censuses,
  comparison,
}: {
  readonly censuses: readonly Run[];
  readonly comparison: unknown;
}): Compared | null {
  const document = comparison as ComparisonDocument | null;
  if (document === null || document.sides.length < 2) return null;
  let at = 0;
  const sides = document.sides.map(({ name, runs, operations, durationSeconds }): Side => {
    const own = censuses.slice(at, at + runs.length);
    at += runs.length;
    return { name, runs: own, operations: operations?.runs ?? null, seconds: durationSeconds?.runs ?? null };
  });
  return { sides, groups: document.by.join() === 'site' ? document.groups : [] };
}
