import type { Census } from './census.ts';
import { type CompareOptions, compareCensuses } from './compare.ts';
import { type ComparedGroup, type Comparison, differencePer, figurePer } from './comparison.ts';
import type { AmountCondition, Condition, PresenceCondition } from './condition.ts';
import type { Difference, Spread } from './spread.ts';
import type { CallFilter } from './where.ts';

/** What a condition found on one side, compared with the base. */
export interface Verdict {
  readonly condition: Condition;
  /** Index of the side. */
  readonly side: number;
  readonly isStruck: boolean;
  /** The figures that were judged; null where the condition asks for something that is not known. */
  readonly amount: { readonly base: Spread; readonly other: Spread; readonly difference: Difference } | null;
  /** The new or gone values that struck, with their calls, most first. */
  readonly found: readonly { readonly label: string; readonly calls: number }[];
}

/** What judging needs besides the censuses. */
export type JudgeOptions = Pick<CompareOptions, 'knowledge' | 'labeller' | 'where'>;

/**
 * Judges every condition on every side but the base. Of repeated runs medians are judged; a change strikes only where the
 * runs of the two sides do not overlap, a new value only where every run has it.
 */
export function judge(
  sides: readonly (readonly Census[])[],
  conditions: readonly Condition[],
  options: JudgeOptions,
): Verdict[] {
  return conditions.flatMap((condition) =>
    condition.kind === 'presence' ? presence(sides, condition, options) : amounts(sides, condition, options),
  );
}

function presence(
  sides: readonly (readonly Census[])[],
  condition: PresenceCondition,
  options: JudgeOptions,
): Verdict[] {
  const { groups } = compareCensuses(sides, { ...options, by: condition.by });
  return sides.slice(1).map((_, i) => {
    const found = groups
      .filter((group) => isFound(group, condition, i))
      .map((group) => ({ label: labelOf(group), calls: group.sides[ownSide(condition, i)]?.calls.median ?? 0 }))
      .sort((a, b) => b.calls - a.calls);
    return { condition, side: i + 1, isStruck: found.length > 0, amount: null, found };
  });
}

function ownSide({ status }: PresenceCondition, change: number): number {
  return status === 'new' ? change + 1 : 0;
}

function isFound(group: ComparedGroup, condition: PresenceCondition, change: number): boolean {
  const one = group.changes[change];
  const own = group.sides[ownSide(condition, change)];
  return (
    one?.status === condition.status &&
    !group.isUnknown &&
    own !== undefined &&
    own.calls.least > 0 &&
    own.calls.median > condition.moreThan
  );
}

function labelOf({ label, subject, callers }: ComparedGroup): string {
  return callers.length > 0 && subject !== null ? `${label} (${subject.name})` : label;
}

function amounts(sides: readonly (readonly Census[])[], condition: AmountCondition, options: JudgeOptions): Verdict[] {
  const { filter, per } = condition;
  const where = filter === 'lost' ? options.where : both(options.where, filter);
  const comparison = compareCensuses(sides, { ...options, by: 'target', ...(where && { where }) });
  const measured = filter === 'lost' ? comparison.lost : totalOf(comparison, where);
  return measured.changes.map((change, i) => {
    const [base] = measured.sides;
    const other = measured.sides[i + 1];
    const figures = base && other && { base: figurePer(base, per), other: figurePer(other, per) };
    const difference = differencePer(change, per);
    const amount =
      figures?.base && figures.other && difference ? { base: figures.base, other: figures.other, difference } : null;
    return { condition, side: i + 1, isStruck: amount !== null && strikes(condition, amount), amount, found: [] };
  });
}

/** Without a filter losses count as well: they are calls. */
function totalOf({ total, matching }: Comparison, where: CallFilter | undefined): Comparison['total'] {
  return where ? matching : total;
}

function both(one: CallFilter | undefined, other: CallFilter | null): CallFilter | undefined {
  if (!one || !other) return one ?? other ?? undefined;
  return (facts) => one(facts) && other(facts);
}

function strikes(
  { change, limit, isAbove, isInclusive }: AmountCondition,
  { other, difference }: NonNullable<Verdict['amount']>,
): boolean {
  if (change !== null && difference.beyondSpread === false) return false;
  const value = change === null ? other.median : change === 'absolute' ? difference.absolute : relativeOf(difference);
  return isAbove
    ? value > limit || (isInclusive && value === limit)
    : value < limit || (isInclusive && value === limit);
}

/** From nothing to something is more than any share. */
function relativeOf({ relative, absolute }: Difference): number {
  return relative ?? (absolute > 0 ? Number.POSITIVE_INFINITY : 0);
}
