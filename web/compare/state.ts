import { computed } from '@preact/signals';
import { choiceParameter, listParameter, parameter } from '../app/parameters.ts';
import { whereNow } from '../app/selected.ts';
import { hidden } from '../app/state.ts';
import { includedRows } from '../calls/selection.ts';
import type { Included } from './differences.ts';
import { RATES } from './rates.ts';

/** What differences are measured by. */
export const rate = choiceParameter('per', RATES);

const sideNumber = (name: string, fallback: number) =>
  parameter<number>(name, {
    read: (text) => (/^\d{1,3}$/.test(text) ? Number(text) : fallback),
    write: (value) => (value === fallback ? '' : String(value)),
  });

/** Indexes of the sides that are compared. */
export const baseSide = sideNumber('base', 0);
export const otherSide = sideNumber('other', 1);

/** The group whose details are open: its label and the id of its subject. */
export const openGroup = listParameter('changed');

/** What the graph of differences is zoomed to: functions from the site outwards. */
export const zoomPath = listParameter('zoom');

/** A filter and hidden functions hold for every side; a span of time does not, because each has its own time. */
export const includedInSides = computed((): Included => {
  const known = new Map<unknown, Uint8Array | null>();
  const narrowed = { where: whereNow.value, span: null, hidden: hidden.value };
  return ({ data }) => {
    if (data === null) return null;
    let rows = known.get(data);
    if (rows === undefined) {
      rows = includedRows(data, narrowed);
      known.set(data, rows);
    }
    return rows;
  };
});
