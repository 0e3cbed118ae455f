import type { Census, Measure } from './census.ts';
import type { ComparedCaller } from './compared-callers.ts';
import type { Group } from './group.ts';
import type { PathFrame, Subject } from './knowledge.ts';
import type { Difference, Spread } from './spread.ts';

/** How often something was called on one side. */
export interface Figures {
  readonly calls: Spread;
  /** Calls for each operation of the workload, or of the phase where calls are grouped by phase; null where unknown. */
  readonly perOperation: Spread | null;
  /** null where it is not known how long calls were counted. */
  readonly perSecond: Spread | null;
}

/** Of a group: whether it has calls in any run of the base, and in any of the side that is compared with it. */
export type ChangeStatus = 'both' | 'new' | 'gone' | 'absent';

/** How something changed from the base, the first side, to another one. */
export interface Change {
  readonly status: ChangeStatus;
  readonly calls: Difference;
  /** null where one of the two is not known. */
  readonly perOperation: Difference | null;
  readonly perSecond: Difference | null;
}

/** Something that every side has figures of. */
export interface Compared {
  /** One for each side, in their order. */
  readonly sides: readonly Figures[];
  /** One for each side but the first. */
  readonly changes: readonly Change[];
}

/** Calls counted together on every side. */
export interface ComparedGroup extends Compared {
  /** 1 for the largest change; null for what `top` cut off. */
  readonly rank: number | null;
  /** How many groups it is: 1, or all that `top` cut off. */
  readonly members: number;
  /** No side has more or fewer calls of any of them than the base. */
  readonly isSame: boolean;
  /** As of {@link Group}. Grouped by site: its name. */
  readonly key: string | null;
  readonly label: string;
  readonly isUnknown: boolean;
  readonly site: PathFrame | null;
  readonly subject: Subject | null;
  readonly subsystem: string | null;
  /** Sums of the measures of the comparison, in their order, one list for each side. */
  readonly sums: readonly (readonly Spread[])[];
  /** Who called the site. Empty where calls are not grouped by site. */
  readonly callers: readonly ComparedCaller[];
  /** For each side the group of the run that has most calls of it; null where none has. */
  readonly examples: readonly (Group | null)[];
  /** Of a new group: sites that are gone and are about the same subject, as functions are renamed between versions. */
  readonly inPlaceOf: readonly string[];
}

/** Repeated runs of one thing. */
export interface ComparedSide {
  readonly runs: readonly Census[];
  /** Operations of the workload, where every run tells. */
  readonly operations: Spread | null;
  /** How long calls were counted, where every run tells. */
  readonly seconds: Spread | null;
  /** Calls that have a stack. */
  readonly attributed: Spread;
  /** Calls whose path is a guess, or lacks lines. */
  readonly doubted: Spread;
}

/** Censuses side by side. Of a side with repeated runs every figure is the median of its own, so they need not add up. */
export interface Comparison {
  /** Name of the dimension. */
  readonly by: string;
  /** The base first. */
  readonly sides: readonly ComparedSide[];
  readonly measures: readonly Measure[];
  /** All calls, losses included. */
  readonly total: Compared;
  /** Calls the filter let through; all attributed ones without a filter. */
  readonly matching: Compared;
  readonly lost: Compared;
  /** Of each side but the first: how many groups there are, those that `top` cut off among them. */
  readonly tally: readonly {
    readonly both: number;
    readonly new: number;
    readonly gone: number;
    readonly same: number;
  }[];
  /** Largest change first, unless another order was asked for. */
  readonly groups: readonly ComparedGroup[];
}

/** What a change is measured by. */
export type ChangeRate = 'call' | 'operation' | 'second';

/** The difference in calls, or in calls for each operation or second; null where it is not known. */
export function differencePer(change: Change, per: ChangeRate): Difference | null {
  return per === 'call' ? change.calls : per === 'operation' ? change.perOperation : change.perSecond;
}

/** Calls, or calls for each operation or second; null where they are not known. */
export function figurePer(figures: Figures, per: ChangeRate): Spread | null {
  return per === 'call' ? figures.calls : per === 'operation' ? figures.perOperation : figures.perSecond;
}
