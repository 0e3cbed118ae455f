// The canvas of a graph: what part of the tree is in sight, drawing it, and what pointers do.
import type { BoxTree } from '../data/layout.ts';
import { drawLabels, NO_BOX } from './labels.ts';
import { BoxPainter, levelAt, levelTop, type Picture, type Place } from './painter.ts';
import { entryAt, type Scene, SceneFinder } from './scene.ts';

/** What a surface tells. Boxes as in {@link Scene}: a box, a tail (`~` of its first box), or `NO_BOX`. */
export interface SurfaceEvents {
  /** The pointer is over another box. */
  readonly onHover: (box: number, at: { readonly x: number; readonly y: number }) => void;
  /** A box was clicked or touched. */
  readonly onPick: (box: number, how: 'mouse' | 'touch') => void;
  /** The part in sight has changed. */
  readonly onMove: () => void;
}

/** Where the pointer is, within the canvas and on the screen. */
interface PointerPlace {
  readonly x: number;
  readonly y: number;
  readonly at: { readonly x: number; readonly y: number };
}

export const ROW_HEIGHT = 20;
/** The least number of calls that fills the width. */
const FEWEST_CALLS = 1;
/** Pixels of the wheel that zoom by e. */
const WHEEL_ZOOM = 250;
/** A pointer that moved less than this has clicked. */
const CLICK = 5;
const ANIMATION_MS = 160;

export class Surface {
  /** Calls left of what is in sight. */
  left = 0;
  /** Calls in sight. */
  width = 1;
  /** Pixels the levels are scrolled by. */
  top = 0;
  hover = NO_BOX;
  cursor = NO_BOX;
  isActive = false;
  readonly #boxes: HTMLCanvasElement;
  readonly #text: HTMLCanvasElement;
  readonly #events: SurfaceEvents;
  readonly #finder = new SceneFinder();
  readonly #painter = new BoxPainter();
  readonly #pointers = new Map<number, { x: number; y: number }>();
  readonly #resizes: ResizeObserver;
  #picture: Picture | null = null;
  #scene: Scene | null = null;
  #size = { width: 0, height: 0 };
  #scale = 1;
  #frame = 0;
  #moved = 0;
  #pointer: PointerPlace | null = null;

  /**
   * @param boxes the canvas of boxes, one pixel for one of the style: what is finer is not seen, and costs
   * @param text over it, as fine as the screen
   */
  constructor(boxes: HTMLCanvasElement, text: HTMLCanvasElement, events: SurfaceEvents) {
    this.#boxes = boxes;
    this.#text = text;
    this.#events = events;
    this.#resizes = new ResizeObserver(() => this.#resize());
    this.#resizes.observe(text);
    text.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    text.addEventListener('pointerdown', (event) => this.#onDown(event));
    text.addEventListener('pointermove', (event) => this.#onPointer(event));
    text.addEventListener('pointerup', (event) => this.#onUp(event));
    text.addEventListener('pointercancel', (event) => this.#pointers.delete(event.pointerId));
    text.addEventListener('pointerleave', ({ pointerType }) => {
      // A finger that is lifted leaves as well: what it touched stays.
      if (pointerType !== 'touch') this.#leave();
    });
    this.#resize();
  }

  end(): void {
    this.#resizes.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  /** Shows another picture; the part in sight stays as far as it can. */
  show(picture: Picture): void {
    this.#picture = picture;
    if (this.#frame === 0) this.moveTo(this.left, this.width);
  }

  get #tree(): BoxTree | null {
    return this.#picture?.tree ?? null;
  }

  get place(): Place {
    return { ...this.#size, top: this.top, rowHeight: ROW_HEIGHT };
  }

  /** Draws with the next frame, however often it is asked. */
  draw(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  /** Shows this part of the calls. */
  moveTo(left: number, width: number): void {
    const all = this.#tree?.total[0] ?? 1;
    this.width = Math.min(all, Math.max(width, Math.min(all, FEWEST_CALLS)));
    this.left = Math.min(all - this.width, Math.max(0, left));
    this.top = Math.max(0, Math.min(this.#lowest(), this.top));
    this.draw();
    this.#events.onMove();
  }

  /** {@link moveTo} in a few frames, where motion is wanted. */
  glideTo(left: number, width: number): void {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.moveTo(left, width);
      return;
    }
    const from = { left: this.left, width: this.width };
    const begin = performance.now();
    const step = (now: number) => {
      const part = Math.min(1, (now - begin) / ANIMATION_MS);
      const eased = 1 - (1 - part) ** 3;
      this.moveTo(from.left + (left - from.left) * eased, from.width + (width - from.width) * eased);
      if (part < 1) this.#glide = requestAnimationFrame(step);
    };
    cancelAnimationFrame(this.#glide);
    this.#glide = requestAnimationFrame(step);
  }

  #glide = 0;

  /** Makes the cursor's level visible. */
  scrollTo(level: number): void {
    const { height } = this.#size;
    const y = levelTop(level, this.place, false);
    const y0 = this.#picture?.isUpward ? (level - 1) * ROW_HEIGHT - this.top : y;
    if (y0 < 0) this.top += y0;
    else if (y0 + ROW_HEIGHT > height) this.top += y0 + ROW_HEIGHT - height;
    this.moveTo(this.left, this.width);
  }

  /** Zooms by a factor around a place. @param x pixels from the left; the middle unless told */
  zoom(factor: number, x = this.#size.width / 2): void {
    cancelAnimationFrame(this.#glide);
    const at = this.left + (x / this.#size.width) * this.width;
    this.moveTo(at - (at - this.left) * factor, this.width * factor);
  }

  /** Moves what is in sight by pixels. */
  pan(x: number, y: number): void {
    cancelAnimationFrame(this.#glide);
    this.top += this.#picture?.isUpward ? -y : y;
    this.moveTo(this.left + (x / this.#size.width) * this.width, this.width);
  }

  /** Where a box is on the screen; null where it is not in sight. */
  rectangle(box: number): DOMRect | null {
    const picture = this.#picture;
    if (!picture || box === NO_BOX) return null;
    const node = box < 0 ? ~box : box;
    const { x, total, depth } = picture.tree;
    const scale = this.#size.width / this.width;
    const left = Math.max(0, ((x[node] as number) - this.left) * scale);
    const right = Math.min(this.#size.width, ((x[node] as number) + (total[node] as number) - this.left) * scale);
    const y = levelTop(depth[node] as number, this.place, picture.isUpward);
    if (right < left || y < -ROW_HEIGHT || y > this.#size.height) return null;
    const canvas = this.#text.getBoundingClientRect();
    return new DOMRect(canvas.left + left, canvas.top + y, right - left, ROW_HEIGHT);
  }

  /** The box or tail at a place of the canvas. */
  boxAt(x: number, y: number): number {
    const scene = this.#scene;
    if (!scene || !this.#picture) return NO_BOX;
    const entry = entryAt(scene, levelAt(y, this.place, this.#picture.isUpward), Math.floor(x));
    const box = entry < 0 ? 0 : (scene.box[entry] as number);
    return box === 0 ? NO_BOX : box;
  }

  #lowest(): number {
    return Math.max(0, ((this.#tree?.levels ?? 1) - 1) * ROW_HEIGHT - this.#size.height);
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#text;
    if (width === 0 || height === 0) return;
    this.#size = { width, height };
    this.#scale = devicePixelRatio;
    this.#boxes.width = width;
    this.#boxes.height = height;
    this.#text.width = Math.round(width * this.#scale);
    this.#text.height = Math.round(height * this.#scale);
    this.#paint();
  }

  #paint(): void {
    const picture = this.#picture;
    const boxes = this.#boxes.getContext('2d', { alpha: false });
    const text = this.#text.getContext('2d');
    if (!picture || !boxes || !text || this.#size.width === 0) return;
    const { place } = this;
    const window = { left: this.left, width: this.width, pixels: place.width };
    const deepest = Math.ceil((place.height + place.top) / ROW_HEIGHT) + 1;
    const scene = this.#finder.find(picture.tree, window, deepest);
    this.#scene = scene;
    this.#painter.paint(boxes, scene, picture, place, 1);
    text.setTransform(this.#scale, 0, 0, this.#scale, 0, 0);
    text.clearRect(0, 0, place.width, place.height);
    drawLabels(text, scene, picture, place, this);
    // Another box may have come below a pointer that did not move.
    if (this.#pointer && this.boxAt(this.#pointer.x, this.#pointer.y) !== this.hover) this.#hoverOver(this.#pointer);
  }

  #hoverOver(pointer: PointerPlace): void {
    this.#pointer = pointer;
    const box = this.boxAt(pointer.x, pointer.y);
    if (box !== this.hover) {
      this.hover = box;
      this.draw();
    }
    this.#events.onHover(box, pointer.at);
  }

  #leave(): void {
    this.#pointer = null;
    this.hover = NO_BOX;
    this.draw();
    this.#events.onHover(NO_BOX, { x: 0, y: 0 });
  }

  /** With Ctrl the wheel zooms, as a pinch on a touch pad does; else it pans, where there is room, or scrolls the page. */
  #onWheel(event: WheelEvent): void {
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? ROW_HEIGHT : 1;
    const [x, y] = [event.deltaX * unit, event.deltaY * unit];
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(Math.exp(y / WHEEL_ZOOM), event.offsetX);
      return;
    }
    const [dx, dy] = event.shiftKey && x === 0 ? [y, 0] : [x, y];
    const before = [this.left, this.top];
    this.pan(dx, dy);
    if (this.left !== before[0] || this.top !== before[1]) event.preventDefault();
  }

  #onDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#text.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    if (this.#pointers.size === 1) this.#moved = 0;
  }

  #onPointer(event: PointerEvent): void {
    const pointer = this.#pointers.get(event.pointerId);
    const { offsetX: x, offsetY: y } = event;
    if (!pointer) {
      if (event.pointerType !== 'touch') this.#hoverOver({ x, y, at: { x: event.clientX, y: event.clientY } });
      return;
    }
    this.#moved += Math.abs(x - pointer.x) + Math.abs(y - pointer.y);
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const [before, now] = [Math.abs(pointer.x - other.x), Math.abs(x - other.x)];
      if (before > 8 && now > 8) this.zoom(before / now, (x + other.x) / 2);
      this.pan((pointer.x - x) / 2, (pointer.y - y) / 2);
    } else if (this.#moved >= CLICK) {
      this.pan(pointer.x - x, pointer.y - y);
    }
    pointer.x = x;
    pointer.y = y;
  }

  #onUp(event: PointerEvent): void {
    const wasAlone = this.#pointers.size === 1;
    if (!this.#pointers.delete(event.pointerId) || !wasAlone || this.#moved >= CLICK) return;
    const box = this.boxAt(event.offsetX, event.offsetY);
    const isTouch = event.pointerType === 'touch';
    if (box !== NO_BOX) this.#events.onPick(box, isTouch ? 'touch' : 'mouse');
    else if (isTouch) this.#leave();
  }
}
