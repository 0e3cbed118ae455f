import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { GraphModel } from './model.ts';
import { SceneFinder } from './scene.ts';
import type { Surface } from './surface.ts';

interface MiniMapProps {
  readonly model: GraphModel;
  readonly isUpward: boolean;
  readonly surface: Surface | null;
  /** Gets a function that draws the frame around what is in sight again. */
  readonly follow: (draw: () => void) => void;
}

const HEIGHT = 44;
const LOWEST_ROW = 2;

/** The whole tree, small, with a frame around what is in sight; dragging the frame moves it. */
export function MiniMap({ model, isUpward, surface, follow }: MiniMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const paint = () => canvas.current && drawWhole(canvas.current, model, isUpward);
    paint();
    const resizes = new ResizeObserver(paint);
    if (canvas.current) resizes.observe(canvas.current);
    return () => resizes.disconnect();
  }, [model, isUpward]);
  useEffect(() => {
    const place = () => {
      if (!frame.current || !surface) return;
      const all = model.tree.total[0] || 1;
      frame.current.style.left = `${(surface.left / all) * 100}%`;
      frame.current.style.width = `${(surface.width / all) * 100}%`;
      frame.current.hidden = surface.width >= all;
    };
    follow(place);
    place();
  }, [model, surface]);
  const move = (event: PointerEvent) => {
    if (event.buttons !== 1 || !canvas.current || !surface) return;
    const { left, width } = canvas.current.getBoundingClientRect();
    const at = ((event.clientX - left) / width) * (model.tree.total[0] as number);
    surface.moveTo(at - surface.width / 2, surface.width);
  };
  return (
    <div
      class="mini-map"
      aria-hidden="true"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        move(event);
      }}
      onPointerMove={move}
    >
      <canvas ref={canvas} />
      <div ref={frame} class="mini-frame" />
    </div>
  );
}

function drawWhole(canvas: HTMLCanvasElement, { tree, data }: GraphModel, isUpward: boolean): void {
  const width = canvas.clientWidth;
  if (width === 0) return;
  canvas.width = width;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d');
  if (!context) return;
  const style = getComputedStyle(document.documentElement);
  const colours = data.families.map((family) => style.getPropertyValue(`--${family}`));
  const whole = { left: 0, width: tree.total[0] as number, pixels: width };
  const scene = new SceneFinder().find(tree, whole, tree.levels);
  // Of very deep stacks only the inner part is shown: it is where they differ.
  const rowHeight = Math.max(LOWEST_ROW, HEIGHT / Math.max(1, scene.levels - 1));
  const levels = Math.min(scene.levels, Math.ceil(HEIGHT / rowHeight) + 1);
  for (let level = 1; level < levels; level++) {
    const y = isUpward ? HEIGHT - level * rowHeight : (level - 1) * rowHeight;
    for (let entry = scene.from[level] as number; entry < (scene.from[level + 1] as number); entry++) {
      const box = scene.box[entry] as number;
      const symbol = tree.symbol[box < 0 ? ~box : box] as number;
      const family = box < 0 ? undefined : data.symbols.family[symbol];
      context.fillStyle = family === undefined ? '#a4acb4' : (colours[family] ?? '#a4acb4');
      const left = scene.left[entry] as number;
      context.fillRect(left, y, (scene.right[entry] as number) - left, Math.ceil(rowHeight));
    }
  }
}
