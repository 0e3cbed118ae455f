import { useMemo, useState } from 'preact/hooks';
import { copyText } from '../app/clipboard.ts';
import { useKeys } from '../app/keys.ts';
import { shownCensus } from '../app/selected.ts';
import { sandwich } from '../app/state.ts';
import { sandwichOf } from '../data/tree.ts';
import { printable } from '../text/copy.ts';
import { calls, grouped, percent } from '../text/numbers.ts';
import { familyWords } from './families.ts';
import { findIn, shownNow } from './graph-state.ts';
import { factsOf, type GraphModel, nameOf } from './model.ts';
import { Panel, showSandwich } from './panel.tsx';

interface SandwichProps {
  readonly name: string;
}

/** Callers above a function and callees below it, over all places where it is on a path. */
export function SandwichView({ name }: SandwichProps) {
  const { data, report } = shownCensus.value;
  const shown = shownNow.value;
  const sides = useMemo(() => {
    if (data === null || shown === null) return null;
    const symbols = data.symbols.names.flatMap((other, symbol) => (other === name && symbol > 0 ? [symbol] : []));
    const { callers, callees } = sandwichOf(data, symbols, shown);
    const common = { data, folds: null, groupNames: [], calls: report.calls.total };
    const up: GraphModel = { ...common, tree: callers, direction: 'callers' };
    const down: GraphModel = { ...common, tree: callees, direction: 'callees' };
    return { up, down };
  }, [data, shown, name, report]);
  if (sides === null || (sides.up.tree.total[0] as number) === 0) {
    return (
      <div class="empty">
        <p>
          <code>{name}</code> is on none of the paths that are shown.
        </p>
        <p>
          <Leave />
        </p>
      </div>
    );
  }
  return <Sides up={sides.up} down={sides.down} />;
}

function Leave() {
  return (
    <button type="button" onClick={() => sandwich.set('')}>
      ← All paths
    </button>
  );
}

function Sides({ up, down }: { readonly up: GraphModel; readonly down: GraphModel }) {
  const [cursors, setCursors] = useState({ up: 0, down: 0, isUp: true });
  const facts = factsOf(up, 0);
  const foundUp = useFound(up);
  const foundDown = useFound(down);
  const hasCallers = up.tree.count > 1;
  const hasCallees = down.tree.count > 1;
  useKeys(
    useMemo(() => {
      const at = () => (cursors.isUp ? ([up, cursors.up] as const) : ([down, cursors.down] as const));
      return {
        title: 'Both sides of a function',
        bindings: [
          {
            keys: ['s'],
            does: 'both sides of the function with the cursor',
            run: () => {
              const [model, box] = at();
              if (box > 0 && box < model.tree.count) showSandwich(nameOf(model, box));
            },
          },
          {
            keys: ['y'],
            does: 'copy as text',
            run: () => copyText(sidesText(up, down), `both sides of ${facts.name}`),
          },
          { keys: ['Escape'], does: 'all paths again', run: () => sandwich.set('') },
        ],
      };
    }, [up, down, cursors, facts.name]),
  );
  return (
    <section class="paths sandwich" aria-label={`Callers and callees of ${facts.name}`}>
      <div class="graph-tools">
        <Leave />
        <p class="muted">callers above, what it calls on the way to the target below; over all its places</p>
      </div>
      {hasCallers ? (
        <Panel
          model={up}
          isMarked={foundUp}
          isUpward
          cursor={cursors.up}
          onCursor={(box) => setCursors((now) => ({ ...now, up: box, isUp: true }))}
          title={`Callers of ${facts.name}`}
          isAddressed={false}
        />
      ) : (
        <p class="next-none muted">No caller is recorded: paths start here.</p>
      )}
      <div class="sandwich-middle">
        <h2>
          <span class={`swatch family-${facts.family}`} /> <code>{facts.name}</code>
        </h2>
        <p>
          <strong>{calls(facts.calls)}</strong> through it, {percent(facts.shareOfAll)} of all
        </p>
        <p class="muted">
          {[facts.gloss, facts.place, facts.subsystem || familyWords(facts.family)]
            .filter((text) => text !== '')
            .join(' · ')}
        </p>
      </div>
      {hasCallees ? (
        <Panel
          model={down}
          isMarked={foundDown}
          isUpward={false}
          cursor={cursors.down}
          onCursor={(box) => setCursors((now) => ({ ...now, down: box, isUp: false }))}
          title={`What ${facts.name} calls`}
          isAddressed={false}
        />
      ) : (
        <p class="next-none muted">It is the target: nothing further in was counted.</p>
      )}
      <div class="sandwich-tables">
        <SideTable model={up} title="Callers" />
        <SideTable model={down} title="Callees" />
      </div>
    </section>
  );
}

function useFound(model: GraphModel): Uint8Array | null {
  return findIn(model).isMarked;
}

/** The next function on one side, as a table. */
function SideTable({ model, title }: { readonly model: GraphModel; readonly title: string }) {
  const { tree } = model;
  const boxes = Array.from({ length: (tree.first[1] as number) - 1 }, (_, i) => i + 1);
  if (boxes.length === 0) return null;
  return (
    <table>
      <caption>{title}</caption>
      <tbody>
        {boxes.slice(0, 12).map((box) => {
          const facts = factsOf(model, box);
          return (
            <tr key={box}>
              <td class="number">{grouped(facts.calls)}</td>
              <td class="number">{percent(facts.shareOfParent)}</td>
              <td>
                <button type="button" class="link" onClick={() => showSandwich(facts.name)}>
                  <span class={`swatch family-${facts.family}`} /> <code>{facts.name}</code>
                </button>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Both sides for a mail: 75 columns, names whole. */
function sidesText(up: GraphModel, down: GraphModel): string {
  const { name, calls: count, shareOfAll } = factsOf(up, 0);
  const side = (title: string, model: GraphModel) => {
    const rows = Array.from({ length: (model.tree.first[1] as number) - 1 }, (_, i) => factsOf(model, i + 1));
    return [
      title,
      ...rows
        .slice(0, 15)
        .map(
          (row) =>
            `${grouped(row.calls).padStart(13)} ${percent(row.shareOfParent).padStart(8)}  ${printable(row.name)}`,
        ),
    ];
  };
  const lines = [
    `${printable(name)}: ${grouped(count)} calls, ${percent(shareOfAll)} of all`,
    ...side('  callers:', up),
    ...side('  callees:', down),
  ];
  return `${lines.join('\n').replaceAll('\u202f', ' ')}\n`;
}
