import type { Compared } from '../census/comparison.ts';
import type { ComparisonReport } from './comparison.ts';
import { csvLine } from './csv.ts';

/**
 * The groups of a comparison as comma-separated values (RFC 4180), one row each, and one for what was lost, so that the
 * calls of single runs add up to their totals. Figures are medians; shares are empty where the base has no calls.
 */
export function comparisonCsv({ groups, names, comparison, where }: ComparisonReport): string {
  const [base = 'A', ...others] = names;
  const head = [
    ...['rank', 'key', 'subject', 'subsystem', `calls ${base}`, `per operation ${base}`, `per second ${base}`],
    ...others.flatMap((name) =>
      ['calls', 'per operation', 'per second', 'change', 'relative change', 'status', 'beyond spread'].map(
        (column) => `${column} ${name}`,
      ),
    ),
  ];
  const rows = groups.map((group) => [
    group.rank ?? '',
    group.label,
    group.subject?.id ?? '',
    group.subsystem ?? '',
    ...cells(group),
  ]);
  const lost = where === '' && comparison.lost.sides.some(({ calls }) => calls.most > 0);
  return [head, ...rows, ...(lost ? [['', '(lost)', '', '', ...cells(comparison.lost)]] : [])].map(csvLine).join('');
}

function cells({ sides, changes }: Compared): (string | number)[] {
  return sides.flatMap(({ calls, perOperation, perSecond }, side) => {
    const figures = [calls.median, perOperation?.median ?? '', perSecond?.median ?? ''];
    const change = changes[side - 1];
    if (!change) return figures;
    const { absolute, relative, beyondSpread } = change.calls;
    return [...figures, absolute, relative ?? '', change.status, beyondSpread === null ? '' : String(beyondSpread)];
  });
}
