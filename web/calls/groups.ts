// Calls counted together, as `--by` counts them: by one dimension, or by two, one within the other.
import type { Dimension, PageData } from '../data/columns.ts';
import { dimensionOf } from './dimensions.ts';

/** Calls that have a value in common. */
export interface CallGroup {
  /** The value, or what stands for one that is not known. */
  readonly label: string;
  readonly isUnknown: boolean;
  readonly count: number;
  /** Sums of the measures, in their order. */
  readonly sums: readonly number[];
  /** Numbers of its rows. */
  readonly rows: Uint32Array;
}

/**
 * Sorts calls into groups, largest first; of the same size by label.
 *
 * @param rows which rows; null: all
 * @returns [] where the data has no such dimension
 */
export function groupRows(data: PageData, by: string, rows: Iterable<number> | null): CallGroup[] {
  const dimension = dimensionOf(data, by);
  if (!dimension) return [];
  const lists = rowsByValue(data, dimension, rows);
  const groups: CallGroup[] = [];
  for (const [value, list] of lists.entries()) {
    if (list === undefined) continue;
    groups.push({
      label: dimension.values[value] ?? '',
      isUnknown: dimension.isUnknown[value] ?? false,
      count: sumOver(list, data.rows.calls),
      sums: data.rows.sums.map((column) => sumOver(list, column)),
      rows: Uint32Array.from(list),
    });
  }
  return groups.sort(bySize);
}

/** The order of groups: the larger first, then by label. */
export function bySize(a: CallGroup, b: CallGroup): number {
  return b.count - a.count || (a.label < b.label ? -1 : a.label > b.label ? 1 : 0);
}

/** The rows that a mask lets through. */
export function* rowsIn({ rows }: PageData, included: Uint8Array | null): Generator<number> {
  for (let row = 0; row < rows.count; row++) if (included === null || included[row]) yield row;
}

function rowsByValue(
  { rows: { count, calls } }: PageData,
  dimension: Dimension,
  rows: Iterable<number> | null,
): (number[] | undefined)[] {
  const lists: (number[] | undefined)[] = new Array(dimension.values.length).fill(undefined);
  const { of } = dimension;
  const add = (row: number) => {
    if (calls[row] === 0) return;
    const value = of[row] as number;
    const list = lists[value];
    if (list) list.push(row);
    else lists[value] = [row];
  };
  if (rows === null) for (let row = 0; row < count; row++) add(row);
  else for (const row of rows) add(row);
  return lists;
}

function sumOver(rows: readonly number[], column: Float64Array): number {
  let sum = 0;
  for (const row of rows) sum += column[row] as number;
  return sum;
}
