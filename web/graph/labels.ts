// Text over the boxes, and the outlines of the box with the cursor and the one below the pointer.
import { NODE } from '../data/columns.ts';
import { printable } from '../text/copy.ts';
import { grouped, percent } from '../text/numbers.ts';
import { levelTop, type Picture, type Place } from './painter.ts';
import type { Scene } from './scene.ts';

/** Labels of boxes narrower than this are left out. */
const NARROWEST = 26;
const PADDING = 5;
const FONT = '12px ui-monospace, "DejaVu Sans Mono", monospace';
/** What is drawn of a label at least. */
const FEWEST_LETTERS = 3;

/** Boxes that are outlined; -1: none. */
export interface Outlined {
  readonly cursor: number;
  readonly hover: number;
  /** The graph has the focus of the keyboard. */
  readonly isActive: boolean;
}

/** Draws labels and outlines, in pixels of the style; the context is scaled to them. */
export function drawLabels(
  context: CanvasRenderingContext2D,
  scene: Scene,
  picture: Picture,
  place: Place,
  outlined: Outlined,
): void {
  const { tree, palette, isMarked } = picture;
  context.font = FONT;
  context.textBaseline = 'middle';
  const letter = context.measureText('0').width;
  for (let level = 1; level < scene.levels; level++) {
    const y = levelTop(level, place, picture.isUpward);
    if (y <= -place.rowHeight || y >= place.height) continue;
    const middle = y + (place.rowHeight - 1) / 2;
    for (let entry = scene.from[level] as number; entry < (scene.from[level + 1] as number); entry++) {
      const left = scene.left[entry] as number;
      const width = (scene.right[entry] as number) - left;
      if (width < NARROWEST) continue;
      const box = scene.box[entry] as number;
      const letters = Math.floor((width - 2 * PADDING) / letter);
      if (letters < FEWEST_LETTERS) continue;
      if (box < 0) {
        context.fillStyle = palette.label;
        const text = `+${grouped(tailSize(picture, box))}`;
        if (text.length <= letters) context.fillText(text, left + PADDING, middle);
        continue;
      }
      const symbol = tree.symbol[box] as number;
      const isInterrupted = ((tree.flags[box] as number) & NODE.interrupted) !== 0;
      const isFaint = isInterrupted || (isMarked !== null && isMarked[symbol] === 0);
      const ink = isFaint ? palette.muted : palette.isDark[symbol] ? palette.groupLabel : palette.label;
      context.fillStyle = ink;
      // Marks that turn the direction would turn the share as well.
      const name = printable(picture.label(box).slice(0, letters + 1));
      context.fillText(shortened(name, letters), left + PADDING, middle);
      const share = picture.aside?.(box) ?? percent((tree.total[box] as number) / picture.calls);
      if (letters < name.length + share.length + 3) continue;
      context.globalAlpha = 0.7;
      context.fillText(share, left + width - PADDING - share.length * letter, middle);
      context.globalAlpha = 1;
    }
  }
  outline(context, scene, picture, place, outlined.hover, palette.ink, 1);
  outline(context, scene, picture, place, outlined.cursor, palette.ink, outlined.isActive ? 3 : 2);
}

/** How many boxes a tail stands for. */
export function tailSize({ tree }: Picture, tail: number): number {
  const first = ~tail;
  return (tree.first[(tree.parent[first] as number) + 1] as number) - first;
}

function shortened(name: string, letters: number): string {
  return name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
}

function outline(
  context: CanvasRenderingContext2D,
  scene: Scene,
  { tree, isUpward }: Picture,
  place: Place,
  box: number,
  colour: string,
  line: number,
): void {
  const node = box < 0 ? ~box : box;
  if (box === NO_BOX || node === 0) return;
  const level = tree.depth[node] as number;
  if (level >= scene.levels) return;
  for (let entry = scene.from[level] as number; entry < (scene.from[level + 1] as number); entry++) {
    if (scene.box[entry] !== box) continue;
    const left = scene.left[entry] as number;
    const width = Math.max(line + 1, (scene.right[entry] as number) - left - 1);
    const y = levelTop(level, place, isUpward);
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect(left + line / 2, y + line / 2, width - line, place.rowHeight - 1 - line);
  }
}

/** No box and no tail. */
export const NO_BOX = -2147483648;
