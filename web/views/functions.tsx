import { computed } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type KeyBinding, useKeys } from '../app/keys.ts';
import { parameter } from '../app/parameters.ts';
import { shownCensus } from '../app/selected.ts';
import { search } from '../app/state.ts';
import type { PageData } from '../data/columns.ts';
import { type FunctionRow, functionsOf } from '../data/functions.ts';
import { parseSearch } from '../filter/search.ts';
import { familyWords } from '../graph/families.ts';
import { shownNow } from '../graph/graph-state.ts';
import { showSandwich } from '../graph/panel.tsx';
import { calls, grouped, percent } from '../text/numbers.ts';
import './functions.css';
import { NothingLeft } from './nothing-left.tsx';

type Column = 'through' | 'decided' | 'name';

/** What functions are sorted by; a `-` in front for the other direction. */
const order = parameter<{ readonly column: Column; readonly isReversed: boolean }>('functions', {
  read: (text) => {
    const column = (['through', 'decided', 'name'] as const).find((name) => text.replace('-', '') === name);
    return { column: column ?? 'through', isReversed: text.startsWith('-') };
  },
  write: ({ column, isReversed }) => {
    const text = `${isReversed ? '-' : ''}${column}`;
    return text === 'through' ? '' : text;
  },
});

const all = computed<readonly FunctionRow[]>(() => {
  const { data } = shownCensus.value;
  const shown = shownNow.value;
  return data === null || shown === null ? [] : functionsOf(data, shown);
});

const rowsNow = computed<readonly FunctionRow[]>(() => {
  const { data } = shownCensus.value;
  const { matches } = parseSearch(search.value);
  const { column, isReversed } = order.value;
  const isShown = ({ name, symbol }: FunctionRow) =>
    matches(name) || (data !== null && (matches(data.symbols.file(symbol)) || matches(data.symbols.subsystem(symbol))));
  const sign = isReversed ? -1 : 1;
  return all.value
    .filter(isShown)
    .sort((a, b) =>
      column === 'name' ? sign * (a.name < b.name ? -1 : 1) : sign * (b[column] - a[column] || b.through - a.through),
    );
});

const ROW_HEIGHT = 28;
/** Rows above and below what is in sight that are there already. */
const SPARE = 12;

/** Every function on the paths; one opens with all its callers and callees. */
export function Functions() {
  const { data, report, problem } = shownCensus.value;
  if (data === null) return <p class="empty">{problem}</p>;
  const rows = rowsNow.value;
  if (rows.length === 0) {
    return (
      <NothingLeft>
        {all.value.length === 0
          ? 'None of the calls is let through, so there are no functions.'
          : `None of ${grouped(all.value.length)} functions is called that, or lives there.`}
      </NothingLeft>
    );
  }
  return <FunctionList data={data} rows={rows} total={report.calls.total} />;
}

interface ListProps {
  readonly data: PageData;
  readonly rows: readonly FunctionRow[];
  readonly total: number;
}

function FunctionList({ data, rows, total }: ListProps) {
  const list = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [chosen, setChosen] = useState(0);
  const cursor = Math.min(chosen, rows.length - 1);
  /** As the last key left it, which may be before the page was drawn again. */
  const latest = useRef(0);
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return undefined;
    const resizes = new ResizeObserver(() => setHeight(element.clientHeight));
    resizes.observe(element);
    return () => resizes.disconnect();
  }, []);
  useEffect(() => {
    list.current?.scrollTo(0, 0);
    latest.current = 0;
    setChosen(0);
  }, [rows]);
  useKeys(
    useMemo(() => {
      const go = (to: (at: number, page: number) => number) => () => {
        const page = Math.floor((list.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2;
        latest.current = Math.max(0, Math.min(rows.length - 1, to(latest.current, page)));
        scrollTo(list.current, latest.current);
        setChosen(latest.current);
      };
      const bindings: KeyBinding[] = [
        { keys: ['j', 'ArrowDown'], does: 'next function', run: go((at) => at + 1) },
        { keys: ['k', 'ArrowUp'], does: 'function before', run: go((at) => at - 1) },
        { keys: ['PageDown'], does: 'a page on', run: go((at, page) => at + page) },
        { keys: ['PageUp'], does: 'a page back', run: go((at, page) => at - page) },
        { keys: ['Home'], does: 'the first function', run: go(() => 0) },
        { keys: ['End'], does: 'the last function', run: go(() => rows.length - 1) },
        { keys: ['Enter', 's'], does: 'its callers and callees', run: () => openRow(rows[latest.current]) },
      ];
      const within = () => list.current;
      return { title: 'Functions', bindings: bindings.map((binding) => ({ ...binding, within })) };
    }, [rows]),
  );
  const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - SPARE);
  const last = Math.min(rows.length, Math.ceil((top + height) / ROW_HEIGHT) + SPARE);
  const current = rows[cursor];
  return (
    <section class="functions" aria-label="Functions">
      <p class="muted">
        {grouped(rows.length)} of {grouped(all.value.length)} functions on the paths. A call counts for every function
        it came through; a row opens all callers and callees.
      </p>
      <div
        ref={list}
        class="function-list"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: one stop for the whole list, which arrows walk through
        tabIndex={0}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      >
        <table aria-rowcount={rows.length + 1}>
          <caption class="spoken">Functions, Enter opens callers and callees</caption>
          <thead>
            <tr aria-rowindex={1}>
              <Heading column="through" text="Calls through" isNumber />
              <th scope="col" class="number">
                Of all
              </th>
              <Heading column="decided" text="Decided" isNumber />
              <Heading column="name" text="Function" />
              <th scope="col" class="wide">
                Where it is
              </th>
            </tr>
          </thead>
          <tbody>
            <tr class="spacer" style={{ height: `${first * ROW_HEIGHT}px` }} />
            {rows.slice(first, last).map((row, i) => (
              <Row
                key={row.symbol}
                data={data}
                row={row}
                total={total}
                index={first + i}
                isChosen={first + i === cursor}
                onChoose={setChosen}
              />
            ))}
            <tr class="spacer" style={{ height: `${(rows.length - last) * ROW_HEIGHT}px` }} />
          </tbody>
        </table>
      </div>
      <p class="spoken" aria-live="polite">
        {current && `${current.name}, ${calls(current.through)}, ${cursor + 1} of ${rows.length}`}
      </p>
    </section>
  );
}

interface RowProps {
  readonly data: PageData;
  readonly row: FunctionRow;
  readonly total: number;
  readonly index: number;
  readonly isChosen: boolean;
  readonly onChoose: (index: number) => void;
}

function Row({ data: { symbols, families }, row, total, index, isChosen, onChoose }: RowProps) {
  const family = families[symbols.family[row.symbol] as number] ?? '';
  const place = symbols.file(row.symbol) || symbols.module(row.symbol);
  return (
    <tr
      class={isChosen ? 'chosen' : undefined}
      aria-rowindex={index + 2}
      onClick={() => {
        onChoose(index);
        openRow(row);
      }}
    >
      <td class="number">{grouped(row.through)}</td>
      <td class="number">{percent(row.through / total)}</td>
      <td class="number">{row.decided === 0 ? '' : grouped(row.decided)}</td>
      <td>
        <button type="button" class="link" tabIndex={-1}>
          <span class={`swatch family-${family}`} title={familyWords(family)} />
          <code>{row.name}</code>
        </button>
      </td>
      <td class="wide muted">{[place, symbols.subsystem(row.symbol)].filter((text) => text !== '').join(' · ')}</td>
    </tr>
  );
}

interface HeadingProps {
  readonly column: Column;
  readonly text: string;
  readonly isNumber?: boolean;
}

function Heading({ column, text, isNumber = false }: HeadingProps) {
  const now = order.value;
  const isOwn = now.column === column;
  const isAscending = (column === 'name') !== now.isReversed;
  return (
    <th
      scope="col"
      class={isNumber ? 'number' : undefined}
      aria-sort={isOwn ? (isAscending ? 'ascending' : 'descending') : 'none'}
    >
      <button type="button" onClick={() => order.set({ column, isReversed: isOwn && !now.isReversed })}>
        {text}
        <span aria-hidden="true">{isOwn ? (isAscending ? ' ▲' : ' ▼') : ''}</span>
      </button>
    </th>
  );
}

function openRow(row: FunctionRow | undefined): void {
  if (row) showSandwich(row.name);
}

/** Brings a row into sight, below the heading that stays. */
function scrollTo(list: HTMLElement | null, index: number): void {
  if (!list) return;
  const y = index * ROW_HEIGHT;
  const room = list.clientHeight - 2 * ROW_HEIGHT;
  if (y < list.scrollTop) list.scrollTop = y;
  else if (y > list.scrollTop + room) list.scrollTop = y - room;
}
