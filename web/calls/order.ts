// Which groups of the table are shown, and in which order.
import { parseSearch } from '../filter/search.ts';
import type { PageCensus } from '../page.ts';
import { rowsThrough } from './selection.ts';
import { describe, type TableGroup } from './table.ts';

/** Groups that a search finds: by what is said of them, by the functions of their paths, by entries and processes. */
export function matchingGroups(census: PageCensus, groups: readonly TableGroup[], text: string): readonly TableGroup[] {
  if (text.trim() === '') return groups;
  const { matches } = parseSearch(text);
  const through = census.data === null ? null : rowsThrough(census.data, matches);
  return groups.filter((group) => {
    const { labels, rows, told, inner } = group;
    if (through !== null && rows?.some((row) => through[row] === 1)) return true;
    if (inner.some((one) => one.labels.some(matches))) return true;
    const { site, file, subject, subsystem, explanation, entries, comms } = describe(census, group);
    const texts = [...labels, site, file, subject, subsystem, explanation, ...(told?.frames ?? [])];
    return (
      texts.some((one) => one !== null && matches(one)) || [...entries, ...comms].some(({ name }) => matches(name))
    );
  });
}

/**
 * Groups in another order than by calls.
 *
 * @param by `label`, `entry`, the name of a measure, each with `-` in front for the other direction; '' or `calls`
 */
export function sortGroups(census: PageCensus, groups: readonly TableGroup[], by: string): readonly TableGroup[] {
  const column = by.replace(/^-/, '');
  const isReversed = by.startsWith('-');
  const order = orderBy(census, column);
  const sorted = order === null ? [...groups] : [...groups].sort(order);
  return isReversed ? sorted.reverse() : sorted;
}

type Order = (a: TableGroup, b: TableGroup) => number;

function orderBy(census: PageCensus, column: string): Order | null {
  if (column === 'label') return (a, b) => compare(a.labels[0] ?? '', b.labels[0] ?? '');
  if (column === 'entry') {
    const entry = (group: TableGroup) => describe(census, group).entries[0]?.name ?? '';
    return (a, b) => compare(entry(a), entry(b)) || a.rank - b.rank;
  }
  const measure = census.report.measures.findIndex(({ name }) => name === column);
  return measure < 0 ? null : (a, b) => (b.sums[measure] ?? 0) - (a.sums[measure] ?? 0) || a.rank - b.rank;
}

function compare(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
