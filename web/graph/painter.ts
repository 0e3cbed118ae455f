// Draws a scene. Boxes are not drawn one by one: of each level one row of pixels is filled and copied down, and all goes
// to the canvas at once. Without a GPU that takes a third of the time, bounded by the pixels and not by the boxes.
import { NODE } from '../data/columns.ts';
import type { BoxTree } from '../data/layout.ts';
import type { Palette } from './palette.ts';
import type { Scene } from './scene.ts';

/** What is drawn, and how. */
export interface Picture {
  readonly tree: BoxTree;
  readonly palette: Palette;
  /** What stands in a box: `enqueue_task_fair`. */
  readonly label: (box: number) => string;
  /** What stands at its right edge, where there is room; its share of `calls` unless told. */
  readonly aside?: (box: number) => string;
  /** By symbol: 1 where it is drawn in full colour; null: all are. */
  readonly isMarked: Uint8Array | null;
  /** Whether what the box stands for ends a context: what lies outside was interrupted. */
  readonly endsContext: (box: number) => boolean;
  /** Level 1 stands at the bottom, and levels grow upwards. */
  readonly isUpward: boolean;
  /** Callers lie further from the root than what they call. */
  readonly isOutward: boolean;
  /** Calls of which shares are. */
  readonly calls: number;
}

/** Where a picture is drawn, in pixels of the style. */
export interface Place {
  readonly width: number;
  readonly height: number;
  /** Pixels the levels are scrolled by. */
  readonly top: number;
  readonly rowHeight: number;
}

const BORDER_HEIGHT = 2;

/** The upper edge of a level. */
export function levelTop(level: number, { height, top, rowHeight }: Place, isUpward: boolean): number {
  return isUpward ? height - level * rowHeight + top : (level - 1) * rowHeight - top;
}

/** The level at a height. */
export function levelAt(y: number, { height, top, rowHeight }: Place, isUpward: boolean): number {
  return isUpward ? Math.ceil((height + top - y) / rowHeight) : Math.floor((y + top) / rowHeight) + 1;
}

/** Paints the boxes of scenes into one image of pixels. */
export class BoxPainter {
  #image: ImageData | undefined;
  #pixels = new Uint32Array(0);
  #row = new Uint32Array(0);
  #edge = new Uint32Array(0);
  /** First and last pixels of the boxes of a level that end a context. */
  readonly #borders: number[] = [];

  /** @param scale pixels of the canvas for one of the style */
  paint(context: CanvasRenderingContext2D, scene: Scene, picture: Picture, place: Place, scale: number): void {
    const width = Math.round(place.width * scale);
    const height = Math.round(place.height * scale);
    const image = this.#sized(width, height);
    const { palette, isUpward, isOutward } = picture;
    this.#pixels.fill(palette.paperPixel);
    const rowHeight = Math.round(place.rowHeight * scale);
    for (let level = 1; level < scene.levels; level++) {
      const y = Math.round(levelTop(level, place, isUpward) * scale);
      if (y <= -rowHeight || y >= height) continue;
      const hasBorder = this.#fill(scene, level, picture);
      const bottom = Math.min(height, y + rowHeight - 1);
      const isOuterEdge = (line: number) =>
        isUpward === isOutward ? line < y + BORDER_HEIGHT * scale : line >= y + rowHeight - 1 - BORDER_HEIGHT * scale;
      for (let line = Math.max(0, y); line < bottom; line++) {
        this.#pixels.set(hasBorder && isOuterEdge(line) ? this.#edge : this.#row, line * width);
      }
    }
    context.putImageData(image, 0, 0);
  }

  /** Fills the row of a level, and beside it the one of its outer edge. @returns whether the two differ */
  #fill({ from, box, left, right }: Scene, level: number, picture: Picture): boolean {
    const { tree, palette, isMarked, endsContext } = picture;
    const row = this.#row.fill(palette.paperPixel);
    const end = from[level + 1] as number;
    this.#borders.length = 0;
    for (let entry = from[level] as number; entry < end; entry++) {
      const node = box[entry] as number;
      const start = left[entry] as number;
      const after = right[entry] as number;
      const last = after - start > 3 ? after - 1 : after;
      if (node < 0) {
        row.fill(palette.tailPixel, start, last);
        continue;
      }
      const symbol = tree.symbol[node] as number;
      const isFaint =
        ((tree.flags[node] as number) & NODE.interrupted) !== 0 || (isMarked !== null && isMarked[symbol] === 0);
      row.fill(((isFaint ? palette.faint : palette.fills)[symbol] as number) || palette.tailPixel, start, last);
      if (endsContext(node)) this.#borders.push(start, last);
    }
    if (this.#borders.length === 0) return false;
    this.#edge.set(row);
    for (let i = 0; i < this.#borders.length; i += 2) {
      this.#edge.fill(palette.borderPixel, this.#borders[i], this.#borders[i + 1]);
    }
    return true;
  }

  #sized(width: number, height: number): ImageData {
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#image = new ImageData(width, height);
      this.#pixels = new Uint32Array(this.#image.data.buffer);
      this.#row = new Uint32Array(width);
      this.#edge = new Uint32Array(width);
    }
    return this.#image;
  }
}
