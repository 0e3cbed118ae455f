import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { copyText } from '../app/clipboard.ts';
import { type KeyBinding, useKeys } from '../app/keys.ts';
import { type Change, change } from '../app/parameters.ts';
import { focus, hidden, sandwich, view } from '../app/state.ts';
import { textOf } from './copy.ts';
import { Graph, type GraphHandle } from './graph.tsx';
import { opened, zoomed } from './graph-state.ts';
import { NO_BOX } from './labels.ts';
import { Menu, type MenuItem } from './menu.tsx';
import { MiniMap } from './mini-map.tsx';
import { boxesTo, boxNamed, type GraphModel, nameOf } from './model.ts';
import { tailOf } from './tails.ts';
import { type Step, step } from './walk.ts';
import { spoken, titleOf } from './words.ts';

interface PanelProps {
  readonly model: GraphModel;
  readonly isMarked: Uint8Array | null;
  readonly isUpward: boolean;
  readonly cursor: number;
  readonly onCursor: (box: number) => void;
  /** What keys are about beyond those of every graph. */
  readonly title?: string;
  /** Whether the address says what is in sight; not where there are two graphs. */
  readonly isAddressed: boolean;
}

/** A graph with everything one does with it: keys, menu, mini-map, the spoken line. */
export function Panel({ model, isMarked, isUpward, cursor, onCursor, title, isAddressed }: PanelProps) {
  const [handle, setHandle] = useState<GraphHandle | null>(null);
  const [menu, setMenu] = useState<{ readonly box: number; readonly place: { x: number; y: number } } | null>(null);
  const follow = useRef<() => void>(() => undefined);
  const latest = useRef({ model, cursor, onCursor, handle, isAddressed });
  latest.current = { model, cursor, onCursor, handle, isAddressed };
  useFollowedAddress(model, handle, isAddressed, cursor, onCursor);

  /** Puts the cursor on a box, and the box in sight. */
  const moveCursor = useCallback((box: number) => {
    const { model: now, handle: own, onCursor: tell } = latest.current;
    if (box <= 0) return;
    // The next key may come before the page is drawn again.
    latest.current = { ...latest.current, cursor: box };
    tell(box);
    if (own) reveal(own, now, box);
  }, []);
  const pick = useCallback((box: number) => open(latest.current.model, box, latest.current), []);

  useKeys(
    useMemo(() => {
      const within = () => latest.current.handle?.element;
      const walk = (how: Step) => () => {
        const { model: now, cursor: at } = latest.current;
        moveCursor(at <= 0 ? (now.tree.first[0] as number) : step(now.tree, at, how));
      };
      const surface = () => latest.current.handle?.surface;
      const bindings: KeyBinding[] = [
        { keys: ['ArrowDown'], does: 'the heaviest caller, outwards', run: arrow(1), within },
        { keys: ['ArrowUp'], does: 'the function called, inwards', run: arrow(-1), within },
        { keys: ['ArrowLeft'], does: 'the one to the left, with more calls', run: walk('left'), within },
        { keys: ['ArrowRight'], does: 'the one to the right', run: walk('right'), within },
        { keys: ['Enter', ' '], does: 'zoom to the box; again: out to its parent', run: () => pickCursor(), within },
        { keys: ['+', '='], does: 'zoom in', run: () => surface()?.zoom(1 / 1.4), within },
        { keys: ['-'], does: 'zoom out', run: () => surface()?.zoom(1.4), within },
        { keys: ['0'], does: 'the whole tree', run: () => showAll(), within },
      ];
      /** Down leads to callers and up to callees, whichever of them grows out of the root. */
      function arrow(by: 1 | -1): () => void {
        return () => {
          const isOut = (latest.current.model.direction === 'callers') === (by === 1);
          walk(isOut ? 'out' : 'in')();
        };
      }
      function pickCursor(): void {
        if (latest.current.cursor > 0) pick(latest.current.cursor);
      }
      function showAll(): void {
        const { model: now, handle: own, isAddressed: addressed } = latest.current;
        if (addressed) change([focus.to([]), zoomed.to(null)]);
        own?.surface.glideTo(0, now.tree.total[0] as number);
      }
      return { title: title ?? 'In the graph', bindings };
    }, [title]),
  );

  return (
    <div class="graph-panel">
      <MiniMap
        model={model}
        isUpward={isUpward}
        surface={handle?.surface ?? null}
        follow={(draw) => {
          follow.current = draw;
        }}
      />
      <Graph
        model={model}
        isMarked={isMarked}
        isUpward={isUpward}
        title={title ?? titleOf(model)}
        cursor={cursor > 0 ? cursor : NO_BOX}
        onCursor={onCursor}
        onPick={pick}
        onMenu={(box, place) => {
          onCursor(box);
          setMenu({ box, place });
        }}
        onMove={() => follow.current()}
        handle={setHandle}
        actions={(box) => <Actions items={itemsFor(model, box, pick)} />}
      />
      <p class="spoken" aria-live="polite">
        {cursor > 0 && cursor < model.tree.count ? spoken(model, cursor) : ''}
      </p>
      {menu && menu.box < model.tree.count && (
        <Menu
          title={nameOf(model, menu.box)}
          items={itemsFor(model, menu.box, pick)}
          place={menu.place}
          onClose={() => setMenu(null)}
        />
      )}
    </div>
  );
}

/** The menu of a box, for fingers. */
function Actions({ items }: { readonly items: readonly MenuItem[] }) {
  return (
    <div class="card-actions">
      {items.map(({ text, run }) => (
        <button key={text} type="button" onClick={run}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** Follows the address: shows the part it names, when it or the tree changes. */
function useFollowedAddress(
  model: GraphModel,
  handle: GraphHandle | null,
  isAddressed: boolean,
  cursor: number,
  onCursor: (box: number) => void,
): void {
  const names = focus.value;
  const part = zoomed.value;
  const shown = useRef<GraphModel | null>(null);
  useEffect(() => {
    if (!handle) return;
    const { surface } = handle;
    const { tree } = model;
    const box = isAddressed ? boxNamed(model, names) : 0;
    const [left, width] = (isAddressed && part) || [tree.x[box] as number, tree.total[box] as number];
    // A tree that is new comes as it is; within one the way is shown.
    if (shown.current === model) surface.glideTo(left, width);
    else surface.moveTo(left, width);
    shown.current = model;
    // Of several boxes with the same names on the way the one with the cursor may be meant.
    const isThere = cursor > 0 && cursor < tree.count && sameNames(model, cursor, box);
    if (!isThere) onCursor(box);
    surface.scrollTo(Math.max(1, tree.depth[box] as number));
  }, [model, handle, isAddressed, names.join('\0'), part?.join('-')]);
}

function sameNames(model: GraphModel, a: number, b: number): boolean {
  const names = (box: number) =>
    boxesTo(model, box)
      .map((at) => nameOf(model, at))
      .join('\0');
  return names(a) === names(b);
}

/** Brings a box into sight: beside others where it is wide enough, else by zooming to its surroundings. */
function reveal({ surface }: GraphHandle, { tree }: GraphModel, box: number): void {
  const [x, total] = [tree.x[box] as number, tree.total[box] as number];
  const { width } = surface.place;
  const isNarrow = (total / surface.width) * width < 24;
  const isOut = x + total <= surface.left || x >= surface.left + surface.width;
  if (isNarrow) surface.moveTo(x - total, total * 3);
  else if (isOut) surface.moveTo(x + total / 2 - surface.width / 2, surface.width);
  surface.scrollTo(tree.depth[box] as number);
}

/** What a click does: a tail opens, a folded run too where it is in focus already; a box is zoomed to. */
function open(
  model: GraphModel,
  box: number,
  {
    isAddressed,
    handle,
    onCursor,
  }: { isAddressed: boolean; handle: GraphHandle | null; onCursor: (box: number) => void },
): void {
  const { tree } = model;
  if (box < 0) {
    const { left, total } = tailOf(model, box);
    onCursor(~box);
    if (isAddressed) zoomed.set([Math.floor(left), Math.ceil(total)]);
    else handle?.surface.glideTo(left, total);
    return;
  }
  onCursor(box);
  if (!isAddressed) {
    handle?.surface.glideTo(tree.x[box] as number, tree.total[box] as number);
    return;
  }
  const isFocused = box === boxNamed(model, focus.value) && zoomed.value === null;
  change(focusOn(model, isFocused ? Math.max(0, tree.parent[box] as number) : box));
}

/** What makes a box the focus. */
export function focusOn(model: GraphModel, box: number): Change[] {
  return [focus.to(boxesTo(model, box).map((at) => nameOf(model, at))), zoomed.to(null)];
}

/** Everything that can be done with a box. */
function itemsFor(model: GraphModel, box: number, pick: (box: number) => void): MenuItem[] {
  const { data, tree, folds } = model;
  const symbol = tree.symbol[box] as number;
  const name = nameOf(model, box);
  const isFunction = symbol < data.symbols.count;
  const isFolded = folds !== null && (folds.more[tree.origin[box] as number] as number) > 0;
  return [
    { text: 'Focus', key: 'Enter', run: () => pick(box) },
    ...(isFolded ? [{ text: 'Open what is folded', key: 'o', run: () => openRun(name) }] : []),
    ...(isFunction
      ? [
          { text: 'Callers and callees', key: 's', run: () => showSandwich(name) },
          { text: 'Hide calls through it', key: 'h', run: () => hide(name) },
        ]
      : []),
    { text: 'Copy name', run: () => copyText(name, name) },
    { text: 'Copy as text', key: 'y', run: () => copyText(textOf(model, box), `the path to ${name}`) },
  ];
}

export function hide(name: string): void {
  if (!hidden.value.includes(name)) change([hidden.to([...hidden.value, name]), focus.to([]), zoomed.to(null)]);
}

export function showSandwich(name: string): void {
  change([view.to('paths'), sandwich.to(name), zoomed.to(null)]);
}

/** Shows every function of the runs that begin with this one. */
export function openRun(name: string): void {
  if (!opened.value.includes(name)) opened.set([...opened.value, name]);
}
