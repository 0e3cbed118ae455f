import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import { copyText } from '../app/clipboard.ts';
import { useKeys } from '../app/keys.ts';
import { change } from '../app/parameters.ts';
import { shownCensus } from '../app/selected.ts';
import { focus, sandwich, search } from '../app/state.ts';
import { Breadcrumb } from '../graph/breadcrumb.tsx';
import { textOf } from '../graph/copy.ts';
import {
  type Found,
  folding,
  foundNow,
  graphNow,
  interrupted,
  shape,
  toggleFolding,
  toggleInterrupted,
  toggleShape,
} from '../graph/graph-state.ts';
import { Legend } from '../graph/legend.tsx';
import { boxNamed, type GraphModel, nameOf } from '../graph/model.ts';
import { NextTable } from '../graph/next-table.tsx';
import { focusOn, hide, openRun, Panel, showSandwich } from '../graph/panel.tsx';
import { SandwichView } from '../graph/sandwich.tsx';
import { neighbour } from '../graph/walk.ts';
import { calls, grouped, percent } from '../text/numbers.ts';
import './paths.css';
import { NothingLeft } from './nothing-left.tsx';

/** How the paths join: callers with the target on top, a flame graph, or both sides of one function. */
export function Paths() {
  const model = graphNow.value;
  const found = foundNow.value;
  if (model === null || found === null) return <p class="empty">{shownCensus.value.problem}</p>;
  if (model.tree.total[0] === 0) {
    return <NothingLeft>None of the calls is let through, so there is nothing to draw.</NothingLeft>;
  }
  return sandwich.value === '' ? <PathsOf model={model} found={found} /> : <SandwichView name={sandwich.value} />;
}

function PathsOf({ model, found }: { readonly model: GraphModel; readonly found: Found }) {
  const [cursorBox, setCursorBox] = useState(0);
  /** As the last key left it, which may be before the page was drawn again. */
  const latest = useRef(0);
  const setCursor = useCallback((box: number) => {
    latest.current = box;
    setCursorBox(box);
  }, []);
  const cursor = cursorBox < model.tree.count ? cursorBox : 0;
  const focused = boxNamed(model, focus.value);
  useKeys(
    useMemo(() => {
      const at = () => (latest.current > 0 && latest.current < model.tree.count ? latest.current : focused);
      const next = (by: 1 | -1) => () => {
        if (search.value.trim() === '') return false;
        const box = neighbour(found.boxes, latest.current, by);
        if (box <= 0) return false;
        setCursor(box);
        change(focusOn(model, box), 'replace');
        return undefined;
      };
      const withName = (run: (name: string) => void) => () => {
        const symbol = model.tree.symbol[at()] as number;
        if (at() > 0 && symbol < model.data.symbols.count) run(nameOf(model, at()));
      };
      return {
        title: 'Paths',
        bindings: [
          { keys: ['n'], does: 'next match of the search', run: next(1) },
          { keys: ['N'], does: 'match before', run: next(-1) },
          { keys: ['h'], does: 'hide calls through the function', run: withName(hide) },
          { keys: ['s'], does: 'callers and callees of the function', run: withName(showSandwich) },
          { keys: ['o'], does: 'open what is folded in the box', run: withName(openRun) },
          { keys: ['c'], does: 'fold helpers and entry code, or not', run: toggleFolding },
          { keys: ['i'], does: 'show what was interrupted, or not', run: toggleInterrupted },
          { keys: ['r'], does: 'flame graph or callers', run: toggleShape },
          {
            keys: ['y'],
            does: 'copy as text',
            run: () => copyText(textOf(model, at()), 'the path as text'),
          },
        ],
      };
    }, [model, focused, found]),
  );
  return (
    <section class="paths" aria-label="Paths">
      <Tools model={model} found={found} />
      <Legend model={model} />
      <Breadcrumb model={model} box={focused} />
      <Panel
        model={model}
        isMarked={found.isMarked}
        isUpward={model.direction === 'callees'}
        cursor={cursor}
        onCursor={setCursor}
        isAddressed
      />
      <NextTable key={focused} model={model} box={focused} />
    </section>
  );
}

/** How the graph is drawn, and what was found in it. */
function Tools({ model, found }: { readonly model: GraphModel; readonly found: Found }) {
  return (
    <div class="graph-tools">
      <fieldset class="switch">
        <legend class="spoken">Shape</legend>
        <button type="button" aria-pressed={shape.value === 'callers'} onClick={() => setShape('callers')}>
          Callers
        </button>
        <button type="button" aria-pressed={shape.value === 'flame'} onClick={() => setShape('flame')}>
          Flame graph
        </button>
      </fieldset>
      <label>
        <input type="checkbox" checked={folding.value === 'yes'} onChange={toggleFolding} /> fold helpers and entry code{' '}
        <kbd>c</kbd>
      </label>
      <label>
        <input type="checkbox" checked={interrupted.value === 'yes'} onChange={toggleInterrupted} /> what was
        interrupted <kbd>i</kbd>
      </label>
      <p class="found" role="status">
        {search.value.trim() === '' ? <How model={model} /> : <FoundText model={model} found={found} />}
      </p>
    </div>
  );
}

function setShape(wanted: 'callers' | 'flame'): void {
  if (shape.value !== wanted) toggleShape();
}

function How({ model }: { readonly model: GraphModel }) {
  return (
    <span class="muted">
      {model.direction === 'callers' ? 'target on top, callers below' : 'entries at the bottom, targets on top'}; width
      is calls
    </span>
  );
}

function FoundText({ model, found }: { readonly model: GraphModel; readonly found: Found }) {
  const count = found.boxes.length;
  if (count === 0) return <>no box matches</>;
  return (
    <>
      <strong>{grouped(count)}</strong> {count === 1 ? 'box matches' : 'boxes match'}: {calls(found.calls)},{' '}
      {percent(found.calls / model.calls)} of all <kbd>n</kbd> <kbd>N</kbd>
    </>
  );
}
