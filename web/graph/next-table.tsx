import { useState } from 'preact/hooks';
import { change } from '../app/parameters.ts';
import { by } from '../app/state.ts';
import { grouped, percent } from '../text/numbers.ts';
import { familyWords } from './families.ts';
import { factsOf, type GraphModel } from './model.ts';
import { focusOn } from './panel.tsx';

/** Rows that are shown at first, and how many more each time. */
const ROWS = 12;

/** The graph as a table, level by level: what comes after the focus. It says what the graph draws, to everybody. */
export function NextTable({ model, box }: { readonly model: GraphModel; readonly box: number }) {
  const [more, setMore] = useState(0);
  const { tree, direction } = model;
  const [from, to] = [tree.first[box] as number, tree.first[box + 1] as number];
  const shown = Math.min(to, from + ROWS + more);
  const name = box === 0 ? '' : factsOf(model, box).name;
  const boxes = Array.from({ length: shown - from }, (_, i) => from + i);
  if (box > 0 && from === to) {
    return (
      <p class="next-none muted">
        <code>{name}</code> is where {direction === 'callers' ? 'the path starts' : 'the path ends'}.
      </p>
    );
  }
  return (
    <div class="next">
      <table onKeyDown={walkRows}>
        <caption>
          <Caption model={model} box={box} />
        </caption>
        <thead>
          <tr>
            <th scope="col" class="number">
              Calls
            </th>
            <th scope="col" class="number">
              Share
            </th>
            <th scope="col" class="number">
              Of all
            </th>
            <th scope="col">{box === 0 && model.groupNames.length > 0 ? 'Value' : 'Function'}</th>
            <th scope="col" class="wide">
              Where it is
            </th>
          </tr>
        </thead>
        <tbody>
          {boxes.map((at, i) => {
            const facts = factsOf(model, at);
            return (
              <tr key={at}>
                <td class="number">{grouped(facts.calls)}</td>
                <td class="number">{percent(facts.shareOfParent)}</td>
                <td class="number">{percent(facts.shareOfAll)}</td>
                <td>
                  <button
                    type="button"
                    class="link"
                    tabIndex={i === 0 ? 0 : -1}
                    onClick={() => change(focusOn(model, at))}
                  >
                    {facts.family !== '' && (
                      <span class={`swatch family-${facts.family}`} title={familyWords(facts.family)} />
                    )}
                    <code>{facts.name}</code>
                    {facts.more > 0 && <span class="tag">{facts.more} folded</span>}
                  </button>
                </td>
                <td class="wide muted">{[facts.place, facts.subsystem].filter((text) => text !== '').join(' · ')}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {shown < to && (
        <button type="button" onClick={() => setMore(more + ROWS * 4)}>
          {grouped(to - shown)} more
        </button>
      )}
    </div>
  );
}

function Caption({ model, box }: { readonly model: GraphModel; readonly box: number }) {
  const isInner = model.direction === 'callers';
  if (box === 0) {
    if (model.groupNames.length > 0) return <>By {by.value.join(' and ')}</>;
    return <>{isInner ? 'Functions that were called' : 'Where paths start'}</>;
  }
  const { name, isGroup } = factsOf(model, box);
  if (isGroup) {
    return (
      <>
        {isInner ? 'Functions that were called' : 'Where paths start'}: {name}
      </>
    );
  }
  return (
    <>
      {isInner ? 'Callers of' : 'What is called from'} <code>{name}</code>
    </>
  );
}

/** One stop for Tab; arrows walk from row to row. */
function walkRows(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
  if (step === undefined || !(event.currentTarget instanceof HTMLElement)) return;
  const buttons = [...event.currentTarget.querySelectorAll('button')];
  const next = buttons[buttons.findIndex((button) => button.matches(':focus')) + step];
  if (!next) return;
  event.preventDefault();
  event.stopPropagation();
  for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
  next.focus();
}
