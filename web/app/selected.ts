// What is shown, as it follows from the address: which census, and which of its calls. Views read these.
//
//     const { data, report } = shownCensus.value;      the census that is chosen; data is null where it cannot be read
//     includedNow.value                                by row of data: 1 where it is shown; null: all are
//     matchingCalls.value                              calls of these rows
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { callsOf, includedRows } from '../calls/selection.ts';
import { FIELDS } from '../filter/fields.ts';
import { parseWhere, type Where, WhereError } from '../filter/where.ts';
import type { Page, PageCensus } from '../page.ts';
import { census, hidden, span, where } from './state.ts';

const page = signal<Page | null>(null);

/** Gives the page its data; once, before anything is shown. */
export function showPage(given: Page): void {
  page.value = given;
}

/** The census that is shown. */
export const shownCensus: ReadonlySignal<PageCensus> = computed(() => {
  const censuses = page.value?.censuses;
  const chosen = censuses?.[census.value] ?? censuses?.[0];
  if (!chosen) throw new Error('nothing is shown before showPage()');
  return chosen;
});

/** The filter, parsed; null without one, and for one with a mistake, which its field tells. */
export const whereNow: ReadonlySignal<Where | null> = computed(() => {
  if (where.value.trim() === '') return null;
  try {
    return parseWhere(where.value, FIELDS);
  } catch (error) {
    if (error instanceof WhereError) return null;
    throw error;
  }
});

/** By row of the data: 1 where it is shown; null where all rows are. */
export const includedNow: ReadonlySignal<Uint8Array | null> = computed(() => {
  const { data } = shownCensus.value;
  if (data === null) return null;
  return includedRows(data, { where: whereNow.value, span: span.value, hidden: hidden.value });
});

/** Calls that are shown. */
export const matchingCalls: ReadonlySignal<number> = computed(() => {
  const { data, report } = shownCensus.value;
  return data === null ? report.calls.attributed : callsOf(data, includedNow.value);
});
