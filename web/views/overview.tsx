import { computed } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { type KeyGroup, useKeys } from '../app/keys.ts';
import { includedNow, shownCensus } from '../app/selected.ts';
import { by, chosen } from '../app/state.ts';
import { operationsOf } from '../calls/operations.ts';
import { tableGroups } from '../calls/table.ts';
import type { ViewProps } from '../page.ts';
import { Detail } from './detail.tsx';
import { Empty } from './empty.tsx';
import { focusGrouping, GroupBy } from './group-by.tsx';
import { chosenRow, GroupTable } from './group-table.tsx';
import './overview.css';

/** The groups of the calls that are shown. */
export const groupsNow = computed(() => tableGroups(shownCensus.value, by.value, includedNow.value));

/** Operations while they were made. */
const operationsNow = computed(() => {
  const { data, report } = shownCensus.value;
  return data === null ? null : operationsOf(data, report, includedNow.value);
});

/** The account as a table of groups, and what there is to say of the chosen one. */
export function Overview(_: ViewProps) {
  useKeys(useMemo(overviewKeys, []));
  const census = shownCensus.value;
  const groups = groupsNow.value;
  const group = chosenRow(groups, chosen.value);
  if (groups.length === 0) return <Empty census={census} />;
  return (
    <div class={group === null ? 'overview' : 'overview has-detail'}>
      <section class="list" aria-label="Groups of calls">
        <GroupBy groups={groups.length} />
        <GroupTable census={census} groups={groups} operations={operationsNow.value} />
      </section>
      {group !== null && <Detail key={group.labels.join('\0')} census={census} group={group} />}
    </div>
  );
}

function overviewKeys(): KeyGroup {
  return { title: 'Overview', bindings: [{ keys: ['g'], does: 'group by', run: focusGrouping }] };
}
