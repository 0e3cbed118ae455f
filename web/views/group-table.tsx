import { signal } from '@preact/signals';
import { Fragment } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { type KeyGroup, useKeys } from '../app/keys.ts';
import { matchingCalls } from '../app/selected.ts';
import { by, chosen, search, sort } from '../app/state.ts';
import type { Operations } from '../calls/operations.ts';
import { matchingGroups, sortGroups } from '../calls/order.ts';
import type { TableGroup } from '../calls/table.ts';
import type { PageCensus } from '../page.ts';
import { calls, grouped, percent } from '../text/numbers.ts';
import { GroupRow, startsTold } from './group-row.tsx';

/** Rows drawn at first, and with each press of the button below. */
const PAGE = 100;
/** Groups within a group that are shown before somebody asks for all. */
export const INNER = 5;

/** Groups whose inner ones are all shown. */
const opened = signal<ReadonlySet<string>>(new Set());
const shownRows = signal(PAGE);

/** The group of these labels; null where there is none. */
export function chosenRow(groups: readonly TableGroup[], labels: readonly string[]): TableGroup | null {
  const outer = groups.find((group) => group.labels[0] === labels[0]);
  if (labels.length < 2 || !outer) return labels.length === 0 ? null : (outer ?? null);
  return outer.inner.find((group) => group.labels[1] === labels[1]) ?? null;
}

interface TableProps {
  readonly census: PageCensus;
  readonly groups: readonly TableGroup[];
  readonly operations: Operations | null;
}

/** Groups, largest first unless told, with rows at the end for what is in none, so that it adds up to the total. */
export function GroupTable({ census, groups, operations }: TableProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  useKeys(useMemo(() => rowKeys(() => body.current), []));
  const found = matchingGroups(census, groups, search.value);
  const sorted = sortGroups(census, found, sort.value);
  const { measures } = census.report;
  const widest = groups.reduce((most, { count }) => Math.max(most, count), 1);
  const shown = sorted.slice(0, shownRows.value);
  const common = { census, operations, widest };
  const first = shown[0]?.labels.join('\0');
  const stop = chosen.value.length > 0 ? chosen.value.join('\0') : first;
  useEffect(() => {
    shownRows.value = PAGE;
  }, [by.value]);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: as in the authoring practices for tree grids */}
      <table class="groups" role="treegrid" aria-label={`Groups of calls by ${by.value.join(', then ')}`}>
        <thead>
          <tr>
            <th scope="col" class="number rank">
              #
            </th>
            <Heading column="calls" title="Calls" isNumber />
            <th scope="col" class="number">
              Share
            </th>
            {operations && (
              <th scope="col" class="number per" title={`per 1000 operations of ${operations.phases.join(', ')}`}>
                /1000 ops
              </th>
            )}
            {measures.map(({ name }) => (
              <Heading key={name} column={name} title={name} isNumber />
            ))}
            <th class="bar-cell" aria-label="Share as a bar" />
            <Heading
              column="label"
              title={by.value[0] === 'site' ? 'Site, and what it is about' : (by.value[0] ?? '')}
            />
            <th scope="col" class="why">
              What happens
            </th>
            {startsTold() ? (
              <th scope="col" class="who">
                Processes
              </th>
            ) : (
              <Heading column="entry" title="Where it starts" className="who" />
            )}
          </tr>
        </thead>
        <tbody ref={body}>
          {shown.map((group) => (
            <Fragment key={group.labels.join('\0')}>
              <GroupRow {...common} group={group} isStop={group.labels.join('\0') === stop} />
              <InnerRows {...common} group={group} stop={stop ?? ''} />
            </Fragment>
          ))}
        </tbody>
        <Rest census={census} groups={groups} found={found} operations={operations} />
      </table>
      {sorted.length > shown.length && (
        <p class="more">
          <button
            type="button"
            onClick={() => {
              shownRows.value += PAGE;
            }}
          >
            Show {grouped(Math.min(PAGE, sorted.length - shown.length))} more of {grouped(sorted.length)} groups
          </button>
        </p>
      )}
    </>
  );
}

interface HeadingProps {
  readonly column: string;
  readonly title: string;
  readonly isNumber?: boolean;
  readonly className?: string;
}

/** A heading that sorts: numbers the largest first, names in their order, and the other way round when pressed again. */
function Heading({ column, title, isNumber = false, className = '' }: HeadingProps) {
  const current = sort.value === '' ? 'calls' : sort.value.replace(/^-/, '');
  const isReversed = sort.value.startsWith('-');
  const isSorted = current === column;
  const isDown = isNumber !== isReversed;
  const next = isSorted && !isReversed ? `-${column}` : column;
  return (
    <th
      scope="col"
      class={`${isNumber ? 'number ' : ''}${className}`}
      aria-sort={isSorted ? (isDown ? 'descending' : 'ascending') : undefined}
    >
      <button type="button" class="sort" onClick={() => sort.set(next === 'calls' ? '' : next)}>
        {title}
        <span aria-hidden="true">{isSorted ? (isDown ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </th>
  );
}

interface InnerProps {
  readonly census: PageCensus;
  readonly operations: Operations | null;
  readonly widest: number;
  readonly group: TableGroup;
  readonly stop: string;
}

function InnerRows({ group, stop, ...common }: InnerProps) {
  const label = group.labels[0] ?? '';
  const isOpen = opened.value.has(label);
  const shown = isOpen ? group.inner : group.inner.slice(0, INNER);
  const rest = group.inner.slice(shown.length);
  return (
    <>
      {shown.map((inner) => (
        <GroupRow key={inner.labels.join('\0')} {...common} group={inner} isStop={inner.labels.join('\0') === stop} />
      ))}
      {rest.length > 0 && (
        <tr class="inner-rest">
          <td class="rank" />
          <td />
          <td />
          {Array.from({ length: common.census.report.measures.length + (common.operations ? 1 : 0) }, (_, i) => (
            <td key={i} class={common.operations && i === 0 ? 'per' : ''} />
          ))}
          <td class="bar-cell" />
          <td class="what">
            <button
              type="button"
              onClick={() => {
                opened.value = new Set([...opened.value, label]);
              }}
            >
              {grouped(rest.length)} more, {calls(rest.reduce((sum, { count }) => sum + count, 0))}
            </button>
          </td>
          <td class="why" />
          <td class="who" />
        </tr>
      )}
    </>
  );
}

interface RestProps {
  readonly census: PageCensus;
  readonly groups: readonly TableGroup[];
  readonly found: readonly TableGroup[];
  readonly operations: Operations | null;
}

/** What is in no row above, and the total. */
function Rest({ census: { report }, groups, found, operations }: RestProps) {
  const { total, attributed, losses } = report.calls;
  const matching = matchingCalls.value;
  const sum = (list: readonly TableGroup[]) => list.reduce((all, { count }) => all + count, 0);
  const rows = [
    { label: '(not matching the search)', count: sum(groups) - sum(found) },
    { label: '(left out by what is narrowed)', count: attributed - matching },
    ...losses.map(({ text, count }) => ({ label: `(lost: ${text})`, count })),
  ].filter(({ count }) => count > 0);
  const row = (label: string, count: number, name: string) => (
    <tr key={label} class={name}>
      <td class="rank" />
      <td class="number">{grouped(count)}</td>
      <td class="number">{percent(total === 0 ? 0 : count / total)}</td>
      {operations && <td class="per" />}
      {report.measures.map((measure) => (
        <td key={measure.name} class="number">
          {name === 'sum' ? grouped(measure.total) : ''}
        </td>
      ))}
      <td class="bar-cell" />
      <td class="what">{label}</td>
      <td class="why" />
      <td class="who" />
    </tr>
  );
  return (
    <tfoot>
      {rows.map(({ label, count }) => row(label, count, label.startsWith('(lost') ? 'lost' : 'rest'))}
      {row('total', total, 'sum')}
    </tfoot>
  );
}

/** Keys that walk through the rows; one row is a tab stop. */
function rowKeys(body: () => HTMLTableSectionElement | null): KeyGroup {
  const walk = (step: (at: number, last: number) => number) => () => {
    const rows = [...(body()?.querySelectorAll<HTMLTableRowElement>('tr[data-row]') ?? [])];
    if (rows.length === 0) return false;
    const active = rows.indexOf(document.activeElement as HTMLTableRowElement);
    const at = active >= 0 ? active : rows.findIndex((row) => row.getAttribute('aria-selected') === 'true');
    const next = rows[Math.min(rows.length - 1, Math.max(0, step(at, rows.length - 1)))];
    next?.focus();
    next?.scrollIntoView({ block: 'nearest' });
    return true;
  };
  return {
    title: 'Table of groups',
    bindings: [
      { keys: ['j', 'ArrowDown'], does: 'next row', run: walk((at) => at + 1) },
      { keys: ['k', 'ArrowUp'], does: 'row before', run: walk((at) => (at < 0 ? 0 : at - 1)) },
      { keys: ['Home'], does: 'first row', run: walk(() => 0), within: body },
      { keys: ['End'], does: 'last row', run: walk((_, last) => last), within: body },
      { keys: ['Enter', ' '], does: 'open or close the row', run: openFocused, within: body },
    ],
  };
}

function openFocused(): boolean {
  const row = document.activeElement;
  if (!(row instanceof HTMLTableRowElement)) return false;
  row.click();
  return true;
}
