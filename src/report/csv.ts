import { lossText } from './messages.ts';
import type { Report } from './report.ts';

const HEAD = ['rank', 'count', 'share', 'key', 'site', 'subject', 'subsystem', 'entries', 'comms', 'stacks', 'frames'];

/**
 * The groups as comma-separated values (RFC 4180), one row each; losses follow as rows, so that counts add up to the
 * total. Sums of measures are further columns.
 */
export function csvReport({ census, groups }: Report, isForSpreadsheets = false): string {
  const measures = census.measures.map(({ name }) => name);
  const rows = groups.map((group) => [
    group.rank ?? '',
    group.count,
    group.share.toFixed(6),
    group.label,
    group.site?.name ?? '',
    group.subject?.id ?? '',
    group.subsystem ?? '',
    tallies(group.entries),
    tallies(group.comms),
    group.stacks,
    group.rank === null ? '' : (group.paths[0]?.path.frames.map((frame) => frame.name).join(';') ?? ''),
    ...measures.map((_, measure) => group.sums[measure] ?? 0),
  ]);
  for (const loss of census.losses) {
    const share = census.total === 0 ? 0 : loss.count / census.total;
    const empty = measures.map(() => '');
    rows.push(['', loss.count, share.toFixed(6), `(lost: ${lossText(loss)})`, '', '', '', '', '', 0, '', ...empty]);
  }
  return [[...HEAD, ...measures], ...rows].map((row) => csvLine(isForSpreadsheets ? row.map(inert) : row)).join('');
}

/**
 * Spreadsheets take what begins like this for a formula; behind an apostrophe they take it for text. Numbers stay numbers.
 */
function inert(value: string | number): string | number {
  return typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
}

function tallies(list: readonly { name: string; count: number }[]): string {
  return list.map(({ name, count }) => `${name}=${count}`).join(';');
}

/** One row, with its line end. */
export function csvLine(row: readonly (string | number)[]): string {
  return `${row.map(cell).join(',')}\r\n`;
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
