import { signal } from '@preact/signals';
import { where } from '../app/state.ts';
import { tally } from '../calls/describe.ts';
import type { Described, TableGroup } from '../calls/table.ts';
import { both, comparison } from '../filter/where.ts';
import type { PageCensus } from '../page.ts';
import type { EntryTally, Tally } from '../report.ts';
import { grouped, roundPercent } from '../text/numbers.ts';

/** Values listed of each dimension before somebody asks for all. */
const SHOWN = 6;

/** Dimensions listed where they were recorded, each with its heading. */
const LISTS = [
  ['entry', 'Where it starts'],
  ['comm', 'Processes'],
  ['pid', 'Process ids'],
  ['cpu', 'CPUs'],
  ['argument', 'Arguments'],
  ['phase', 'Phases'],
  ['report', 'What the kernel reported'],
  ['target', 'Targets'],
  ['subject', 'What it is about'],
] as const;

const opened = signal<ReadonlySet<string>>(new Set());

interface TalliesProps {
  readonly census: PageCensus;
  readonly group: TableGroup;
  readonly said: Described;
}

/** The calls of a group by everything else they are told apart by. A value narrows what is shown to it. */
export function Tallies({ census, group, said }: TalliesProps) {
  return (
    <>
      {LISTS.map(([name, title]) => {
        const list = listOf(name, census, group, said);
        const known = list.filter(({ isUnknown }) => !isUnknown);
        const isTold = known.length > 1 || (known.length === 1 && name !== 'target' && name !== 'subject');
        return isTold && <List key={name} by={name} title={title} list={list} count={group.count} />;
      })}
    </>
  );
}

type Item = (Tally | EntryTally) & { readonly isUnknown: boolean };

function listOf(name: string, { data }: PageCensus, { rows, told }: TableGroup, said: Described): Item[] {
  const known = name === 'entry' ? said.entries : name === 'comm' && !data ? said.comms : null;
  if (told && known) return known.map((one) => ({ ...one, isUnknown: 'kind' in one && one.kind === 'unknown' }));
  return data && rows ? tally(data, name, rows) : [];
}

interface ListProps {
  readonly by: string;
  readonly title: string;
  readonly list: readonly Item[];
  readonly count: number;
}

function List({ by, title, list, count }: ListProps) {
  const isOpen = opened.value.has(by);
  const shown = isOpen ? list : list.slice(0, SHOWN);
  const rest = list.length - shown.length;
  return (
    <section>
      <h3>{title}</h3>
      <ul class="tallies">
        {shown.map((item) => (
          <li key={`${item.isUnknown}${item.name}`}>
            <span class="number">{roundPercent(item.count / count)}</span>
            <span class="number">{grouped(item.count)}</span>
            <Value by={by} item={item} />
          </li>
        ))}
      </ul>
      {rest > 0 && (
        <button
          type="button"
          onClick={() => {
            opened.value = new Set([...opened.value, by]);
          }}
        >
          {grouped(rest)} more
        </button>
      )}
    </section>
  );
}

function Value({ by, item }: { readonly by: string; readonly item: Item }) {
  const condition = item.isUnknown ? null : comparison(by, item.name);
  const after = 'after' in item && item.after ? item.after : [];
  const aside = after.map(({ name, count }) => `${name} ${roundPercent(count / item.count)}`).join(', ');
  return (
    <span>
      {condition === null ? (
        item.name
      ) : (
        <button
          type="button"
          class="name"
          title={`Show only calls with ${condition}`}
          onClick={() => where.set(both(where.value, condition))}
        >
          {item.name}
        </button>
      )}
      {aside !== '' && <small> after {aside}</small>}
    </span>
  );
}
