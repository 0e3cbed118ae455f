import type { Report } from './report.ts';

const HEAD = ['rank', 'count', 'share', 'key', 'site', 'tree', 'subsystem', 'entries', 'comms', 'stacks', 'frames'];

/** The groups as comma-separated values (RFC 4180), one row each; losses follow as rows, so that counts add up to the total. */
export function csvReport({ census, grouped }: Report): string {
  const rows = grouped.groups.map((group) => [
    group.rank ?? '',
    group.count,
    group.share.toFixed(6),
    group.key,
    group.site,
    group.tree?.id ?? '',
    group.subsystem ?? '',
    tallies(group.entries),
    tallies(group.comms),
    group.stacks,
    group.rank === null ? '' : (group.paths[0]?.path.frames.map((frame) => frame.name).join(';') ?? ''),
  ]);
  for (const { reason, count } of census.losses) {
    const share = census.total === 0 ? 0 : count / census.total;
    rows.push(['', count, share.toFixed(6), `(lost: ${reason})`, '', '', '', '', '', 0, '']);
  }
  return [HEAD, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function tallies(list: readonly { name: string; count: number }[]): string {
  return list.map(({ name, count }) => `${name}=${count}`).join(';');
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
