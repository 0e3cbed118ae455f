import { type Aligned, align, SITE_AND_SUBJECT } from './align.ts';
import type { Census, Measure } from './census.ts';
import { compareCallers } from './compared-callers.ts';
import {
  type Change,
  type ChangeRate,
  type ChangeStatus,
  type Compared,
  type ComparedGroup,
  type Comparison,
  differencePer,
  type Figures,
} from './comparison.ts';
import { groupCensus } from './group.ts';
import type { KernelKnowledge, PathLabeller } from './knowledge.ts';
import { operationsOf } from './operations.ts';
import { differenceOf, type Spread, spreadOf } from './spread.ts';
import type { CallFilter } from './where.ts';

export interface CompareOptions {
  readonly by: string;
  readonly knowledge: KernelKnowledge;
  readonly labeller?: PathLabeller;
  readonly where?: CallFilter;
  /** Keep this many groups and put the rest in one of rank null. */
  readonly top?: number;
  /** `change` (default): the largest difference first; `relative`: as a share of the base; `count`: of calls on any side. */
  readonly sort?: 'change' | 'relative' | 'count' | { readonly measure: number };
  /** By what changes are put in order; calls unless told. */
  readonly per?: ChangeRate;
}

/**
 * Aligns censuses by the values of a dimension. Sites are matched together with what they call about, so that the same
 * site and subject are one group whatever target, helper or kernel version lies between them.
 *
 * @param sides runs of the base, then of each side that is compared with it
 * @throws {RangeError} fewer than two sides, a side without runs, no dimension that calls are grouped by
 */
export function compareCensuses(sides: readonly (readonly Census[])[], options: CompareOptions): Comparison {
  if (sides.length < 2 || sides.some((runs) => runs.length === 0)) throw new RangeError('a comparison needs two sides');
  const measures = comparedMeasures(sides.flat());
  const grouped = sides.map((runs) =>
    runs.map((census) =>
      groupCensus(census, {
        by: options.by === 'site' ? SITE_AND_SUBJECT : options.by,
        knowledge: options.knowledge,
        ...(options.labeller && { labeller: options.labeller }),
        ...(options.where && { where: options.where }),
      }),
    ),
  );
  const perRun = (value: (side: number, run: number, census: Census) => number) =>
    compared(
      sides,
      sides.map((runs, side) => runs.map((census, run) => value(side, run, census))),
    );
  const aligned = align(grouped.map((runs) => runs.map(({ groups }) => groups)));
  const groups = aligned.map((one) => comparedGroup(one, sides, measures, options.by));
  const sorted = withReplaced(groups).sort(order(options));
  const top = Math.min(options.top ?? sorted.length, sorted.length);
  const kept = sorted.slice(0, top).map((group, i) => ({ ...group, rank: i + 1 }));
  return {
    by: options.by,
    sides: sides.map((runs, side) => ({
      runs,
      operations: known(runs.map((census) => operationsOf(census))),
      seconds: known(runs.map((census) => census.facts.durationSeconds)),
      attributed: spreadOf(runs.map(({ attributed }) => attributed)),
      doubted: spreadOf((grouped[side] ?? []).map(({ doubted }) => doubted)),
    })),
    measures,
    total: perRun((_side, _run, census) => census.total),
    matching: perRun((side, run) => grouped[side]?.[run]?.matching ?? 0),
    lost: perRun((_side, _run, census) => census.lost),
    tally: sides.slice(1).map((_, i) => tallyOf(sorted.flatMap(({ changes }) => changes[i] ?? []))),
    groups: top < sorted.length ? [...kept, rest(sorted.slice(top), sides, measures)] : kept,
  };
}

function comparedGroup(
  { key, label, groups }: Aligned,
  sides: readonly (readonly Census[])[],
  measures: readonly Measure[],
  by: string,
): ComparedGroup {
  const examples = groups.map((runs) =>
    runs.reduce((best, group) => (group && (!best || group.count > best.count) ? group : best), null),
  );
  // What is said of a group is what the newest side says.
  const group = examples.findLast((one) => one !== null) ?? null;
  const counts = groups.map((runs) => runs.map((one) => one?.count ?? 0));
  const isSite = by === 'site' && key !== null;
  const figures = compared(sides, counts, by === 'phase' ? (key ?? '') : undefined);
  return {
    ...figures,
    rank: null,
    members: 1,
    isSame: figures.changes.every(({ status, calls }) => status === 'both' && calls.absolute === 0),
    key: isSite ? (group?.site?.name ?? null) : key,
    label: isSite ? (group?.site?.name ?? label) : label,
    isUnknown: key === null,
    site: group?.site ?? null,
    subject: group?.subject ?? null,
    subsystem: group?.subsystem ?? null,
    sums: groups.map((runs, side) =>
      measures.map((measure) =>
        spreadOf(runs.map((one, run) => sumOf(sides[side]?.[run], (i) => one?.sums[i] ?? 0, measure))),
      ),
    ),
    callers: isSite ? compareCallers(groups) : [],
    examples,
    inPlaceOf: [],
  };
}

/** How many groups are where; `same`: in both, with as many calls. */
function tallyOf(changes: readonly Change[]): Comparison['tally'][number] {
  const count = (status: ChangeStatus) => changes.filter((one) => one.status === status).length;
  const same = changes.filter(({ status, calls }) => status === 'both' && calls.absolute === 0).length;
  return { both: count('both'), new: count('new'), gone: count('gone'), same };
}

/** Tells new groups which sites are gone that were about the same subject. */
function withReplaced(groups: readonly ComparedGroup[]): ComparedGroup[] {
  const isNow = ({ changes }: ComparedGroup, status: ChangeStatus) => changes.every((one) => one.status === status);
  const gone = groups.filter((group) => group.subject !== null && group.site !== null && isNow(group, 'gone'));
  return groups.map((group) => {
    if (group.subject === null || !isNow(group, 'new')) return group;
    const { id, kind } = group.subject;
    const same = gone.filter(({ subject }) => subject?.id === id && subject.kind === kind);
    return { ...group, inPlaceOf: same.map(({ site }) => site?.name ?? '') };
  });
}

/** What `top` cut off: sums of each run. */
function rest(
  groups: readonly ComparedGroup[],
  sides: readonly (readonly Census[])[],
  measures: readonly Measure[],
): ComparedGroup {
  const sumOver = (value: (group: ComparedGroup) => number) => groups.reduce((sum, group) => sum + value(group), 0);
  return {
    ...compared(
      sides,
      sides.map((runs, side) => runs.map((_, run) => sumOver((group) => group.sides[side]?.calls.runs[run] ?? 0))),
    ),
    rank: null,
    members: groups.length,
    isSame: groups.every(({ isSame }) => isSame),
    key: null,
    label: '(other)',
    isUnknown: false,
    site: null,
    subject: null,
    subsystem: null,
    sums: sides.map((runs, side) =>
      measures.map((_, measure) =>
        spreadOf(runs.map((_, run) => sumOver((group) => group.sums[side]?.[measure]?.runs[run] ?? 0))),
      ),
    ),
    callers: [],
    examples: sides.map(() => null),
    inPlaceOf: [],
  };
}

/** Figures and changes of calls that were counted on each side, run by run. */
function compared(
  sides: readonly (readonly Census[])[],
  calls: readonly (readonly number[])[],
  phase?: string,
): Compared {
  const figures = sides.map((runs, side): Figures => {
    const counts = calls[side] ?? [];
    const rate = (of: (census: Census) => number | null) =>
      known(
        runs.map((census, run) => {
          const units = of(census);
          return units === null || units === 0 ? null : (counts[run] ?? 0) / units;
        }),
      );
    return {
      calls: spreadOf(counts),
      perOperation: rate((census) => operationsOf(census, phase)),
      perSecond: rate(({ facts }) => facts.durationSeconds),
    };
  });
  const [base] = figures;
  return { sides: figures, changes: base ? figures.slice(1).map((other) => changeOf(base, other)) : [] };
}

function changeOf(base: Figures, other: Figures): Change {
  const isBefore = base.calls.most > 0;
  const isAfter = other.calls.most > 0;
  const between = (a: Spread | null, b: Spread | null) => (a && b ? differenceOf(a, b) : null);
  return {
    status: isBefore ? (isAfter ? 'both' : 'gone') : isAfter ? 'new' : 'absent',
    calls: differenceOf(base.calls, other.calls),
    perOperation: between(base.perOperation, other.perOperation),
    perSecond: between(base.perSecond, other.perSecond),
  };
}

function known(values: readonly (number | null)[]): Spread | null {
  const numbers = values.filter((value) => value !== null);
  return numbers.length === values.length ? spreadOf(numbers) : null;
}

/** Every measure that one of the censuses has, in the order of {@link ComparedGroup.sums}. */
export function comparedMeasures(censuses: readonly Census[]): Measure[] {
  const all: Measure[] = [];
  for (const { measures } of censuses) {
    for (const measure of measures) if (!all.some((known) => isSame(known, measure))) all.push(measure);
  }
  return all;
}

function isSame(a: Measure, b: Measure): boolean {
  return a.name === b.name && a.unit === b.unit && a.of === b.of;
}

function sumOf(census: Census | undefined, sum: (index: number) => number, measure: Measure): number {
  const index = census?.measures.findIndex((one) => isSame(one, measure)) ?? -1;
  return index < 0 ? 0 : sum(index);
}

function order({ sort = 'change', per = 'call' }: CompareOptions): (a: ComparedGroup, b: ComparedGroup) => number {
  const size = sizeOf(sort, per);
  const calls = (group: ComparedGroup) => Math.max(...group.sides.map((side) => side.calls.median));
  const change = sizeOf('change', per);
  return (a, b) => size(b) - size(a) || change(b) - change(a) || calls(b) - calls(a) || (a.label < b.label ? -1 : 1);
}

function sizeOf(sort: NonNullable<CompareOptions['sort']>, per: ChangeRate): (group: ComparedGroup) => number {
  if (typeof sort === 'object') {
    const sum = (side: readonly Spread[] | undefined) => side?.[sort.measure]?.median ?? 0;
    return ({ sums }) => Math.max(...sums.slice(1).map((side) => Math.abs(sum(side) - sum(sums[0]))));
  }
  if (sort === 'count') return ({ sides }) => Math.max(...sides.map((side) => side.calls.median));
  return ({ changes }) =>
    Math.max(
      ...changes.map((change) => {
        const difference = differencePer(change, per);
        if (sort === 'change') return Math.abs(difference?.absolute ?? 0);
        return difference === null || difference.absolute === 0 ? 0 : Math.abs(difference.relative ?? Number.MAX_VALUE);
      }),
    );
}
