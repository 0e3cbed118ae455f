// A comparison as text of 75 columns, for a mail or a commit message.
import type { Side } from './comparison.ts';
import type { Difference, Differences } from './differences.ts';
import { changeText, figure, type Rate, rateText, signed } from './rates.ts';

const WIDTH = 75;
const MOST = 25;

export function copyOf(base: Side, other: Side, { groups, all }: Differences, rate: Rate): string {
  const shown = groups.filter(({ change }) => change !== 0).slice(0, MOST);
  const rows = [all, ...shown].map((one) => cellsOf(one, rate));
  const head = [base.name, 'change', '', other.name];
  const widths = head.map((text, i) => Math.max(text.length, ...rows.map(({ cells }) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]) => cells.map((text, i) => text.padStart(widths[i] ?? 0)).join('  ');
  const sides = [base, other].map(({ name, runs }) =>
    `${name}  ${runs.map((one) => one.name).join(', ')}${runs[0]?.report.kernel ? `, Linux ${runs[0].report.kernel}` : ''}`.slice(
      0,
      WIDTH,
    ),
  );
  const text = [
    ...sides,
    '',
    `${line(head)}  ${rateText(rate)}`,
    ...rows.map(({ cells, label }) => `${line(cells)}  ${label}`.slice(0, WIDTH)),
  ];
  const rest = groups.filter(({ change }) => change !== 0).length - shown.length;
  if (rest > 0) text.push(`and ${rest} smaller changes`);
  return `${text.map((one) => one.trimEnd().replaceAll('\u202f', '')).join('\n')}\n`;
}

function cellsOf({ base, other, change, label, about }: Difference, rate: Rate) {
  const plain = (text: string) => text.replaceAll('\u202f', '').replace('−', '-');
  return {
    cells: [
      figure(base.median, rate),
      signed(change, rate),
      changeText(base.median, other.median),
      figure(other.median, rate),
    ].map(plain),
    label: about === '' ? label : `${label} (${about})`,
  };
}
