// The graph of differences, on the canvas of all graphs.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useKeys } from '../app/keys.ts';
import { shownCensus } from '../app/selected.ts';
import { theme } from '../app/state.ts';
import { shownTheme } from '../app/theme.ts';
import { NO_BOX } from '../graph/labels.ts';
import { type Palette, paletteOf } from '../graph/palette.ts';
import { ROW_HEIGHT, Surface } from '../graph/surface.ts';
import { type Step, step } from '../graph/walk.ts';
import { type DifferenceTree, STEPS, stepOf } from './difference-tree.ts';
import { changeText, figure, type Rate, rateText, signed } from './rates.ts';
import { zoomPath } from './state.ts';

interface GraphProps {
  readonly model: DifferenceTree;
  /** What is looked for; null: nothing. */
  readonly matches: ((name: string) => boolean) | null;
  readonly rate: Rate;
}

/** Callers outwards from the sites; blue boxes have fewer calls, orange ones more. */
export function DifferenceGraph({ model, matches, rate }: GraphProps) {
  const { tree, nameOf, base, other } = model;
  const element = useRef<HTMLDivElement>(null);
  const boxes = useRef<HTMLCanvasElement>(null);
  const text = useRef<HTMLCanvasElement>(null);
  const surface = useRef<Surface | null>(null);
  const [cursor, setCursor] = useState(0);
  const [hover, setHover] = useState<{ readonly box: number; readonly x: number; readonly y: number } | null>(null);
  const palette = useDifferencePalette(model);
  const shownModel = useRef<DifferenceTree | null>(null);
  const latest = useRef({ model, cursor });
  latest.current = { model, cursor };

  const pick = useCallback((box: number) => {
    const { model: now } = latest.current;
    if (box < 0) {
      const first = ~box;
      surface.current?.glideTo(now.tree.x[first] as number, tailWidth(now, first));
      return;
    }
    setCursor(box);
    const path = pathTo(now, box);
    const isZoomed = path.join('\0') === zoomPath.value.join('\0');
    zoomPath.set(isZoomed ? path.slice(0, -1) : path);
  }, []);

  useLayoutEffect(() => {
    if (!boxes.current || !text.current) return undefined;
    const own = new Surface(boxes.current, text.current, {
      onHover: (box, at) => setHover(box === NO_BOX ? null : { box, ...at }),
      onPick: (box) => {
        element.current?.focus({ preventScroll: true });
        pick(box);
      },
      onMove: () => undefined,
    });
    surface.current = own;
    return () => own.end();
  }, [pick]);

  useLayoutEffect(() => {
    const isMarked = matches && Uint8Array.from({ length: tree.count }, (_, box) => (matches(nameOf(box)) ? 1 : 0));
    surface.current?.show({
      tree,
      palette,
      label: nameOf,
      aside: (box) => {
        const [a, b] = [base[box] as number, other[box] as number];
        return `${signed(Number((b - a).toPrecision(6)), rate)} (${changeText(a, b)})`;
      },
      isMarked,
      endsContext: () => false,
      isUpward: false,
      isOutward: true,
      calls: tree.total[0] as number,
    });
    setHover(null);
  }, [model, palette, matches, rate]);

  const zoom = zoomPath.value.join('\0');
  useLayoutEffect(() => {
    const box = boxOf(model, zoomPath.value);
    const [left, width] = [tree.x[box] as number, tree.total[box] as number];
    // A tree that is new comes as it is; within one the way is shown.
    if (shownModel.current === model) surface.current?.glideTo(left, width);
    else surface.current?.moveTo(left, width);
    shownModel.current = model;
    setCursor(box);
  }, [model, zoom]);

  useLayoutEffect(() => {
    if (!surface.current) return;
    surface.current.cursor = cursor > 0 ? cursor : NO_BOX;
    surface.current.draw();
  }, [cursor, model]);

  useKeys(
    useMemo(() => {
      const within = () => element.current;
      const walk = (how: Step) => () => {
        const { model: now, cursor: at } = latest.current;
        const next = at <= 0 ? (now.tree.first[0] as number) : step(now.tree, at, how);
        setCursor(next);
        surface.current?.scrollTo(now.tree.depth[next] as number);
      };
      return {
        title: 'In the graph of differences',
        bindings: [
          { keys: ['ArrowDown'], does: 'the heaviest caller, outwards', run: walk('out'), within },
          { keys: ['ArrowUp'], does: 'the function called, inwards', run: walk('in'), within },
          { keys: ['ArrowLeft'], does: 'the one to the left', run: walk('left'), within },
          { keys: ['ArrowRight'], does: 'the one to the right', run: walk('right'), within },
          {
            keys: ['Enter', ' '],
            does: 'zoom to the box; again: out to its parent',
            run: () => latest.current.cursor > 0 && pick(latest.current.cursor),
            within,
          },
          { keys: ['+', '='], does: 'zoom in', run: () => surface.current?.zoom(1 / 1.4), within },
          { keys: ['-'], does: 'zoom out', run: () => surface.current?.zoom(1.4), within },
          { keys: ['0'], does: 'all of it', run: () => zoomPath.set([]), within },
        ],
      };
    }, [pick]),
  );

  const told = cursor > 0 && cursor < tree.count ? cursor : 0;
  return (
    <figure class="difference-graph">
      <figcaption>
        <Legend />
        <Crumbs />
      </figcaption>
      <div
        ref={element}
        class="graph"
        role="application"
        aria-roledescription="graph"
        aria-label={`Paths from the sites outwards, coloured by difference, ${rateText(rate)}: arrows walk, Enter zooms`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application is walked through by keys
        tabIndex={0}
        style={{ maxHeight: `${Math.max(4, tree.levels - 1) * ROW_HEIGHT + 2}px` }}
        onFocus={() => activate(surface.current, true)}
        onBlur={() => activate(surface.current, false)}
      >
        <canvas ref={boxes} class="graph-boxes" />
        <canvas ref={text} class="graph-text" />
        {hover && <Card model={model} rate={rate} {...hover} />}
      </div>
      <p class="told" aria-live="polite">
        {told > 0 ? sentence(model, told, rate) : ''}
      </p>
    </figure>
  );
}

function activate(surface: Surface | null, isActive: boolean): void {
  if (!surface) return;
  surface.isActive = isActive;
  surface.draw();
}

function sentence({ base, other, nameOf }: DifferenceTree, box: number, rate: Rate): string {
  const [a, b] = [base[box] as number, other[box] as number].map((value) => Number(value.toPrecision(12)));
  const [from, to] = [a ?? 0, b ?? 0];
  return `${nameOf(box)}: ${figure(from, rate)} to ${figure(to, rate)} ${rateText(rate)}, ${signed(Number((to - from).toPrecision(12)), rate)} (${changeText(from, to)})`;
}

function Card({
  model,
  rate,
  box,
  x,
  y,
}: {
  readonly model: DifferenceTree;
  readonly rate: Rate;
  readonly box: number;
  readonly x: number;
  readonly y: number;
}) {
  const width = Math.min(360, innerWidth - 16);
  const style = {
    left: `${Math.max(8, Math.min(x + 14, innerWidth - width - 8))}px`,
    top: `${y + 150 > innerHeight ? y - 90 : y + 14}px`,
    width: `${width}px`,
  };
  return (
    <div class="card" style={style}>
      {box < 0 ? <p>Boxes too narrow to draw: click to open.</p> : <p>{sentence(model, box, rate)}</p>}
    </div>
  );
}

function Legend() {
  const steps = Array.from({ length: 2 * STEPS + 1 }, (_, i) => i - STEPS);
  return (
    <p class="difference-legend">
      <span>gone</span>
      {steps.map((one) => (
        <i key={one} class={`tint ${one === 0 ? 'same' : `${one < 0 ? 'fewer' : 'more'}-${Math.abs(one)}`}`} />
      ))}
      <span>new</span>
      <span class="muted">Width is what both sides have together; blue has fewer calls than before, orange more.</span>
    </p>
  );
}

function Crumbs() {
  const path = zoomPath.value;
  if (path.length === 0) return null;
  return (
    <nav class="breadcrumb" aria-label="Zoomed to">
      <ol>
        <li>
          <button type="button" onClick={() => zoomPath.set([])}>
            all
          </button>
        </li>
        {path.map((name, i) => (
          <li key={`${i}${name}`}>
            <button type="button" disabled={i === path.length - 1} onClick={() => zoomPath.set(path.slice(0, i + 1))}>
              <code>{name}</code>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function pathTo({ tree, nameOf }: DifferenceTree, box: number): string[] {
  const path: string[] = [];
  for (let at = box; at > 0; at = tree.parent[at] as number) path.unshift(nameOf(at));
  return path;
}

/** The box that names lead to, as far as they do. */
function boxOf({ tree, nameOf }: DifferenceTree, path: readonly string[]): number {
  let box = 0;
  for (const name of path) {
    let next = 0;
    for (let child = tree.first[box] as number; child < (tree.first[box + 1] as number); child++) {
      if (nameOf(child) === name) next = child;
    }
    if (next === 0) return box;
    box = next;
  }
  return box;
}

/** What a tail's boxes have together. */
function tailWidth({ tree }: DifferenceTree, first: number): number {
  const end = tree.first[(tree.parent[first] as number) + 1] as number;
  return (tree.x[end - 1] as number) + (tree.total[end - 1] as number) - (tree.x[first] as number);
}

/** Every box has its own colour, by the step of its change. */
function useDifferencePalette({ tree, base, other }: DifferenceTree): Palette {
  const { data } = shownCensus.value;
  const [system, setSystem] = useState(0);
  useEffect(() => {
    const media = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setSystem((count) => count + 1);
    media.addEventListener('change', follow);
    return () => media.removeEventListener('change', follow);
  }, []);
  const shown = shownTheme();
  const chosen = theme.value;
  return useMemo(() => {
    const root = document.documentElement;
    const style = getComputedStyle(root);
    const pixels = new Map<number, number>();
    for (let one = -STEPS; one <= STEPS; one++) {
      const name = one === 0 ? '--same' : `--${one < 0 ? 'fewer' : 'more'}-${Math.abs(one)}`;
      pixels.set(one, pixelOf(style.getPropertyValue(name).trim()));
    }
    const plain = paletteOf(data as NonNullable<typeof data>, 0, root);
    const fills = Uint32Array.from({ length: tree.count }, (_, box) => {
      return pixels.get(stepOf(base[box] as number, other[box] as number)) ?? 0;
    });
    const faint = fills.map((fill) => mixed(fill, plain.paperPixel, 0.25));
    return { ...plain, fills, faint, isDark: new Uint8Array(tree.count) };
  }, [tree, base, other, data, shown, chosen, system]);
}

/** `share` of the first pixel, and the rest of the second. */
function mixed(one: number, other: number, share: number): number {
  const part = (at: number) => Math.round(((one >>> at) & 255) * share + ((other >>> at) & 255) * (1 - share));
  return ((255 << 24) | (part(16) << 16) | (part(8) << 8) | part(0)) >>> 0;
}

/** A colour `#e9ecef` as a pixel: R, G, B, A from the lowest byte on. */
function pixelOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
