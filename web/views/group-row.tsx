import { change } from '../app/parameters.ts';
import { by, chosen, chosenPath } from '../app/state.ts';
import { type Operations, perThousand } from '../calls/operations.ts';
import { type Described, describe, type TableGroup } from '../calls/table.ts';
import type { PageCensus } from '../page.ts';
import type { Tally } from '../report.ts';
import { grouped, percent, perOperation, roundPercent } from '../text/numbers.ts';

interface RowProps {
  readonly census: PageCensus;
  readonly group: TableGroup;
  readonly operations: Operations | null;
  /** Calls of the largest group: its bar is the longest. */
  readonly widest: number;
  /** Whether the tab key stops here. */
  readonly isStop: boolean;
}

/** One group as a row. */
export function GroupRow({ census, group, operations, widest, isStop }: RowProps) {
  const { labels, rank, count, sums, rows } = group;
  const said = describe(census, group);
  const isChosen = chosen.value.join('\0') === labels.join('\0');
  const isInner = labels.length > 1;
  const { total } = census.report.calls;
  const toggle = () => change([chosen.to(isChosen ? [] : labels), chosenPath.to(0)]);
  return (
    <tr
      data-row
      class={isInner ? 'inner' : group.inner.length > 0 ? 'outer' : ''}
      tabIndex={isStop ? 0 : -1}
      aria-level={labels.length}
      aria-selected={isChosen}
      onClick={toggle}
    >
      <td class="number rank">{rank}</td>
      <td class="number">{grouped(count)}</td>
      <td class="number">{percent(total === 0 ? 0 : count / total)}</td>
      {operations && (
        <td class="number per">
          {census.data && rows ? perOperation(perThousand(census.data, rows, operations)) : ''}
        </td>
      )}
      {sums.map((sum, i) => (
        <td key={census.report.measures[i]?.name} class="number">
          {grouped(sum)}
        </td>
      ))}
      <td class="bar-cell">
        <i class={`share-bar family-${said.family}`} style={{ width: `${Math.max(1, (count / widest) * 100)}%` }}>
          {said.doubted > 0 && <i class="doubt" style={{ width: `${(said.doubted / count) * 100}%` }} />}
        </i>
      </td>
      <td class="what">
        <Name group={group} said={said} />
      </td>
      <td class="why">
        <p class="clamp">{said.explanation}</p>
      </td>
      <td class="who">
        <p class="clamp">{shares(startsTold() ? said.comms : said.entries, count)}</p>
      </td>
    </tr>
  );
}

function Name({ group, said }: { readonly group: TableGroup; readonly said: Described }) {
  const label = group.labels.at(-1) ?? '';
  const dimension = by.value[group.labels.length - 1] ?? 'site';
  const isSite = dimension === 'site' || dimension === 'stack';
  const known = said.subject ?? said.subsystem ?? said.object;
  const aside = isSite
    ? (known ?? 'not known to the atlas')
    : [said.site, dimension === 'subject' || dimension === 'tree' ? said.subsystem : known]
        .filter((part) => part !== null && part !== label)
        .join(', ');
  return (
    <>
      {isSite || dimension === 'target' ? <code class="clamp">{label}</code> : <span class="clamp">{label}</span>}
      <small>
        {said.doubted > 0 && <span class="doubt">{grouped(said.doubted)} doubted</span>}
        {isSite ? aside : aside && `mostly ${aside}`}
      </small>
    </>
  );
}

/** Whether the groups tell where their calls start, so that the last column has the processes. */
export function startsTold(): boolean {
  return by.value[0] === 'entry' || by.value[0] === 'syscall';
}

/** `timer interrupt 55 %, idle 19 %`; what is more is in the detail. */
function shares(list: readonly Tally[], count: number): string {
  const shown = list.slice(0, 2).map((one) => `${one.name} ${roundPercent(one.count / count)}`);
  const rest = list.length - shown.length;
  return shown.join(', ') + (rest > 0 ? `, ${rest} more` : '');
}
