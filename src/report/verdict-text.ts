import type { AmountCondition } from '../census/condition.ts';
import type { Verdict } from '../census/verdict.ts';
import { some } from '../text/lists.ts';
import type { ComparisonReport } from './comparison.ts';
import { figureText, rangeText, relativeText, signedText } from './comparison-figures.ts';

const UNITS = { call: 'calls', operation: 'calls per operation', second: 'calls per second' } as const;

/** What a condition found: `'total > +5%': 133097 to 248627 calls, +115530 (+86.8 %)`. Names the side where there are several. */
export function verdictText(verdict: Verdict, { names }: Pick<ComparisonReport, 'names'>): string {
  const { condition, side } = verdict;
  const where = names.length > 2 ? `${names[side]}: ` : '';
  return `${where}'${condition.text}': ${foundText(verdict)}`;
}

/** Why a condition could not be judged; null where it could. */
export function unjudged({ condition, amount }: Verdict): string | null {
  if (condition.kind === 'presence' || amount !== null) return null;
  return condition.per === 'second'
    ? 'it is not known of every side how long calls were counted'
    : 'it is not known of every side how many operations the workload did (--phases reads what benchmarks print)';
}

function foundText(verdict: Verdict): string {
  const { condition, amount, found } = verdict;
  if (condition.kind === 'presence') {
    if (found.length === 0) return `no ${condition.status} ${condition.by}`;
    const named = some(found.map(({ label, calls }) => `${label} ${calls}`));
    return `${found.length} ${condition.status}: ${named}`;
  }
  if (amount === null) return unjudged(verdict) ?? '';
  return amountText(condition, amount);
}

function amountText({ per }: AmountCondition, { base, other, difference }: NonNullable<Verdict['amount']>): string {
  const [from, to] = [base, other].map((spread) => {
    const range = rangeText(spread, per);
    return figureText(spread.median, per) + (range === '' ? '' : ` (${range})`);
  });
  const spread =
    difference.beyondSpread === null ? '' : difference.beyondSpread ? ', beyond the spread' : ', within the spread';
  return `${from} to ${to} ${UNITS[per]}, ${signedText(difference.absolute, per)} (${relativeText(difference).replace('~ ', '')})${spread}`;
}
