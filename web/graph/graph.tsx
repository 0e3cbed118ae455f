import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { theme } from '../app/state.ts';
import { shownTheme } from '../app/theme.ts';
import { Card, type CardPlace } from './card.tsx';
import { NO_BOX } from './labels.ts';
import { endsContext, type GraphModel, labelOf } from './model.ts';
import { type Palette, paletteOf } from './palette.ts';
import { ROW_HEIGHT, Surface } from './surface.ts';

/** A graph is not made lower than this many levels. */
const FEWEST_LEVELS = 4;
/** Pixels of its upper and lower border. */
const BORDERS = 2;

/** What a graph's owner gets to steer it by. */
export interface GraphHandle {
  readonly surface: Surface;
  readonly element: HTMLElement;
}

interface GraphProps {
  readonly model: GraphModel;
  readonly isMarked: Uint8Array | null;
  /** Level 1 stands at the bottom. */
  readonly isUpward: boolean;
  /** What the graph is, for who cannot see it. */
  readonly title: string;
  readonly cursor: number;
  readonly onCursor: (box: number) => void;
  /** A box or tail was clicked. */
  readonly onPick: (box: number) => void;
  readonly onMenu: (box: number, place: { readonly x: number; readonly y: number }) => void;
  readonly onMove: () => void;
  /** What can be done with a box that was touched. */
  readonly actions: (box: number) => ComponentChildren;
  readonly handle: (handle: GraphHandle | null) => void;
}

/** Boxes on a canvas, and text over them: moving, zooming, the card of the box below the pointer. */
export function Graph(props: GraphProps) {
  const { model, isMarked, isUpward, title, cursor } = props;
  const element = useRef<HTMLDivElement>(null);
  const boxes = useRef<HTMLCanvasElement>(null);
  const text = useRef<HTMLCanvasElement>(null);
  const surface = useRef<Surface | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [hover, setHover] = useState<{ readonly box: number; readonly place: CardPlace } | null>(null);
  const palette = usePalette(model);

  useLayoutEffect(() => {
    if (!boxes.current || !text.current || !element.current) return undefined;
    const own = new Surface(boxes.current, text.current, {
      onHover: (box, at) => setHover(box === NO_BOX ? null : { box, place: at }),
      onPick: (box, how) => {
        element.current?.focus({ preventScroll: true });
        pick(latest.current, box, how, setHover);
      },
      onMove: () => latest.current.onMove(),
    });
    surface.current = own;
    latest.current.handle({ surface: own, element: element.current });
    return () => {
      latest.current.handle(null);
      own.end();
    };
  }, []);

  useLayoutEffect(() => {
    const label = (box: number) => labelOf(model, box);
    const ends = (box: number) => endsContext(model, box);
    const { tree, calls, direction } = model;
    const isOutward = direction === 'callers';
    surface.current?.show({ tree, palette, label, isMarked, endsContext: ends, isUpward, isOutward, calls });
    setHover(null);
  }, [model, palette, isMarked, isUpward]);

  useLayoutEffect(() => {
    if (!surface.current) return;
    surface.current.cursor = cursor;
    surface.current.draw();
  }, [cursor, model]);

  return (
    <div
      ref={element}
      class="graph"
      role="application"
      aria-roledescription="graph"
      aria-label={title}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: an application is walked through by keys
      tabIndex={0}
      style={{ maxHeight: `${Math.max(FEWEST_LEVELS, model.tree.levels - 1) * ROW_HEIGHT + BORDERS}px` }}
      onFocus={() => activate(surface.current, true)}
      onBlur={() => activate(surface.current, false)}
      onContextMenu={(event) => {
        openMenu(event, surface.current, latest.current);
        setHover(null);
      }}
    >
      <canvas ref={boxes} class="graph-boxes" />
      <canvas ref={text} class="graph-text" />
      {hover && hover.box < model.tree.count && (
        <Card
          model={model}
          box={hover.box}
          place={hover.place}
          actions={hover.place === null ? props.actions(hover.box) : null}
        />
      )}
    </div>
  );
}

/** A click does what there is to do; a finger first sees the card, and does with the second touch. */
function pick(
  { cursor, onCursor, onPick }: GraphProps,
  box: number,
  how: 'mouse' | 'touch',
  setHover: (hover: { readonly box: number; readonly place: CardPlace } | null) => void,
): void {
  const isSecond = box === cursor;
  if (how === 'mouse' || box < 0 || isSecond) {
    setHover(null);
    onPick(box);
    return;
  }
  onCursor(box);
  setHover({ box, place: null });
}

function activate(surface: Surface | null, isActive: boolean): void {
  if (!surface) return;
  surface.isActive = isActive;
  surface.draw();
}

/** By the mouse at the box below it, by the keyboard at the cursor. */
function openMenu(event: MouseEvent, surface: Surface | null, { cursor, onMenu }: GraphProps): void {
  if (!surface) return;
  event.preventDefault();
  const isByMouse = event.target instanceof HTMLCanvasElement && event.button === 2;
  const box = isByMouse ? surface.boxAt(event.offsetX, event.offsetY) : cursor;
  if (box === NO_BOX || box < 0) return;
  const rectangle = surface.rectangle(box);
  const place =
    isByMouse || !rectangle ? { x: event.clientX, y: event.clientY } : { x: rectangle.left + 8, y: rectangle.bottom };
  onMenu(box, place);
}

/** Colours, taken from the style again when the theme changes. */
function usePalette({ data, groupNames }: GraphModel): Palette {
  const [system, setSystem] = useState(0);
  useEffect(() => {
    const media = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setSystem((count) => count + 1);
    media.addEventListener('change', follow);
    return () => media.removeEventListener('change', follow);
  }, []);
  const chosen = theme.value;
  const shown = shownTheme();
  return useMemo(
    () => paletteOf(data, groupNames.length, document.documentElement),
    [data, groupNames.length, shown, chosen, system],
  );
}
