import { computed } from '@preact/signals';
import { shownCensus, whereNow } from '../app/selected.ts';
import { hidden } from '../app/state.ts';
import { includedRows } from '../calls/selection.ts';
import { timelineOf } from './timeline.ts';

/** The timeline of what is shown, whatever span is chosen: what lies outside it must still be there to be chosen. */
export const timelineNow = computed(() => {
  const { data, report } = shownCensus.value;
  if (data === null) return null;
  const included = includedRows(data, { where: whereNow.value, span: null, hidden: hidden.value });
  return { timeline: timelineOf(data, report, included), families: data.families };
});
