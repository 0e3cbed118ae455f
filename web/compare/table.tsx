import { useMemo, useRef, useState } from 'preact/hooks';
import { useKeys } from '../app/keys.ts';
import { by, where } from '../app/state.ts';
import { both, comparison } from '../filter/where.ts';
import type { ChangedGroup } from './comparison.ts';
import { stepOf } from './difference-tree.ts';
import type { Difference, Differences, Spread } from './differences.ts';
import { changeText, figure, rateText, signed } from './rates.ts';
import { openGroup, rate, zoomPath } from './state.ts';

/** Rows drawn until somebody asks for all. */
const MOST_ROWS = 15;
/** Callers that are told of a group. */
const MOST_CALLERS = 6;

interface TableProps {
  readonly differences: Differences;
  /** Those that the search lets through. */
  readonly shown: readonly Difference[];
  readonly names: readonly [base: string, other: string];
  readonly said: readonly ChangedGroup[];
}

/** Every group with the figures of both sides, the largest change first. */
export function DifferenceTable({ differences, shown, names, said }: TableProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  useKeys(useMemo(() => rowKeys(() => body.current), []));
  const changed = shown.filter((one) => one.change !== 0 || one.status !== 'both');
  const same = shown.length - changed.length;
  const [isWhole, setWhole] = useState(false);
  const open = openGroup.value.join('\0');
  const isOpen = (one: Difference) => `${one.label}\0${one.subject}` === open;
  // An open one is in sight, wherever it stands.
  const listed = isWhole ? changed : changed.slice(0, Math.max(MOST_ROWS, changed.findIndex(isOpen) + 1));
  const stop = Math.max(0, listed.findIndex(isOpen));
  const rest = changed.length - listed.length;
  return (
    <div class="scrolled">
      <p role="status">{summary(shown, names)}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: as in the authoring practices for tree grids */}
      <table class="figures differences" role="treegrid" aria-label={`Differences, ${rateText(rate.value)}`}>
        <thead>
          <tr>
            <th scope="col" class="number">
              {names[0]}
            </th>
            <th scope="col" class="number">
              Change
            </th>
            <th scope="col" class="number">
              %
            </th>
            <th scope="col" class="number">
              {names[1]}
            </th>
            <th scope="col">{by.value[0] === 'site' ? 'Site, and what it is about' : by.value[0]}</th>
          </tr>
        </thead>
        <tbody ref={body}>
          <tr class="all">
            <Figures of={differences.all} />
            <th scope="row">all calls shown</th>
          </tr>
          {listed.map((one, i) => (
            <Row
              key={`${one.label}\0${one.subject}`}
              of={one}
              isStop={i === stop}
              isOpen={isOpen(one)}
              said={said.find((group) => group.key === one.label && (group.subject?.id ?? '') === one.subject)}
              names={names}
            />
          ))}
          {same > 0 && rest === 0 && (
            <tr>
              <td colSpan={4} />
              <td class="muted">
                {same} {same === 1 ? 'group' : 'groups'} without a change
              </td>
            </tr>
          )}
        </tbody>
      </table>
      {rest > 0 && (
        <p class="more">
          <button type="button" onClick={() => setWhole(true)}>
            Show {rest} more {rest === 1 ? 'change' : 'changes'}
          </button>
        </p>
      )}
    </div>
  );
}

function summary(groups: readonly Difference[], [base, other]: readonly [string, string]): string {
  const count = (status: Difference['status']) => groups.filter((one) => one.status === status).length;
  const same = groups.filter(({ change: size, status }) => size === 0 && status === 'both').length;
  if (same === groups.length) return `${other} against ${base}: no difference.`;
  return `${other} against ${base}: ${count('new')} new, ${count('gone')} gone, ${count('both')} in both, ${same} of them without a change.`;
}

function Figures({ of: { base, other, change: size, isBeyondSpread } }: { readonly of: Difference }) {
  const per = rate.value;
  const mark = isBeyondSpread === false && size !== 0 ? '~ ' : '';
  return (
    <>
      <td class="number">
        <Median spread={base} />
      </td>
      <td class="number">{signed(size, per)}</td>
      <td class="number" title={mark === '' ? undefined : 'within the spread: the runs of both sides overlap'}>
        <span class={`tint ${tintOf(base.median, other.median)}`}>
          {mark}
          {changeText(base.median, other.median)}
        </span>
      </td>
      <td class="number">
        <Median spread={other} />
      </td>
    </>
  );
}

function Median({ spread }: { readonly spread: Spread }) {
  const per = rate.value;
  return (
    <>
      {spread.most === 0 ? '–' : figure(spread.median, per)}
      {spread.runs.length > 1 && spread.least !== spread.most && (
        <>
          <br />
          <small>
            {figure(spread.least, per)}..{figure(spread.most, per)}
          </small>
        </>
      )}
    </>
  );
}

/** The class of the colour of a change. */
export function tintOf(base: number, other: number): string {
  const step = stepOf(base, other);
  return step === 0 ? 'same' : `${step < 0 ? 'fewer' : 'more'}-${Math.abs(step)}`;
}

interface RowProps {
  readonly of: Difference;
  readonly isStop: boolean;
  readonly isOpen: boolean;
  readonly said: ChangedGroup | undefined;
  readonly names: readonly [string, string];
}

function Row({ of: one, isStop, isOpen, said, names }: RowProps) {
  const { label, about, subject } = one;
  const toggle = () => openGroup.set(isOpen ? [] : [label, subject]);
  return (
    <tr
      data-row
      class={isOpen ? 'chosen' : ''}
      tabIndex={isStop ? 0 : -1}
      aria-level={1}
      aria-expanded={isOpen}
      onClick={(event) => {
        if (!(event.target as Element).closest('button')) toggle();
      }}
    >
      <Figures of={one} />
      <td>
        <code>{label}</code>
        {about !== '' && (
          <>
            <br />
            <span class="muted">{about}</span>
          </>
        )}
        {isOpen && <Said of={one} said={said} names={names} />}
      </td>
    </tr>
  );
}

/** What there is to say of an open group, and ways on. */
function Said({ of: one, said, names }: Pick<RowProps, 'of' | 'said' | 'names'>) {
  const { label, subject, isUnknown, status } = one;
  const dimension = by.value[0] ?? 'site';
  const only = isUnknown ? null : comparison(dimension, label);
  const about = subject === '' ? '' : (comparison('subject', subject) ?? '');
  const callers = (said?.changedCallers ?? []).filter(({ side }) => side === names[1]);
  return (
    <div class="said">
      {said?.explanation && <p>{said.explanation}</p>}
      {said !== undefined && said.inPlaceOf.length > 0 && (
        <p>
          Perhaps in place of <code>{said.inPlaceOf.join(', ')}</code>: gone, and about the same.
        </p>
      )}
      {status === 'both' && callers.length > 0 && (
        <ul>
          {callers.slice(0, MOST_CALLERS).map((caller) => (
            <li key={caller.name}>
              {caller.status} caller <code>{caller.name === '' ? '(none)' : caller.name}</code>,{' '}
              {figure(caller.calls, 'call')} calls{caller.decision === '' ? '' : `: ${caller.decision}`}
            </li>
          ))}
        </ul>
      )}
      <p class="ways">
        {only !== null && (
          <button type="button" onClick={() => where.set(both(where.value, both(only, about)))}>
            Only these calls
          </button>
        )}
        {dimension === 'site' && !isUnknown && (
          <button type="button" onClick={() => showInGraph(label)}>
            Show in the graph
          </button>
        )}
      </p>
    </div>
  );
}

function showInGraph(site: string): void {
  zoomPath.set([site]);
  document.querySelector('.difference-graph')?.scrollIntoView({ block: 'nearest' });
}

function rowKeys(body: () => HTMLElement | null) {
  const move = (step: number) => () => {
    const rows = [...(body()?.querySelectorAll<HTMLElement>('tr[data-row]') ?? [])];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    next?.focus();
    return next !== undefined;
  };
  const within = () => body();
  return {
    title: 'In the table of differences',
    bindings: [
      { keys: ['j', 'ArrowDown'], does: 'next row', run: move(1), within },
      { keys: ['k', 'ArrowUp'], does: 'row before', run: move(-1), within },
      {
        keys: ['Enter', ' '],
        does: 'open or close the row',
        run: (event: KeyboardEvent) => {
          if (!(event.target instanceof HTMLTableRowElement)) return false;
          event.target.click();
          return true;
        },
        within,
      },
    ],
  };
}
