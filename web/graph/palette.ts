// Colours of boxes, as the style has them.
import type { PageData } from '../data/columns.ts';

/** Colours as a canvas takes them. */
export interface Palette {
  readonly paper: string;
  readonly ink: string;
  readonly muted: string;
  /** Of what is drawn over a fill. */
  readonly label: string;
  readonly link: string;
  /** The same as pixels: R, G, B, A from the lowest byte on. */
  readonly paperPixel: number;
  readonly tailPixel: number;
  readonly borderPixel: number;
  /** By symbol, groups after the functions; and mixed with the paper. */
  readonly fills: Uint32Array;
  readonly faint: Uint32Array;
  /** By symbol: what its label is drawn in. */
  readonly isDark: Uint8Array;
  readonly groupLabel: string;
}

type Rgb = readonly [red: number, green: number, blue: number];

/** How much of a fill is left where it is not looked for, or was interrupted. */
const FAINT = 0.2;
const GROUP: Rgb = [0x3f, 0x4a, 0x55];
const TAIL: Rgb = [0xa4, 0xac, 0xb4];

/** @param groups how many group boxes there may be */
export function paletteOf({ symbols, families }: PageData, groups: number, root: Element): Palette {
  const style = getComputedStyle(root);
  const text = (name: string) => style.getPropertyValue(name).trim();
  const paper = rgb(text('--paper'));
  const colours = families.map((family) => rgb(text(`--${family}`)));
  const count = symbols.count + groups;
  const fills = new Uint32Array(count);
  const faint = new Uint32Array(count);
  const isDark = new Uint8Array(count);
  for (let symbol = 0; symbol < count; symbol++) {
    const isGroup = symbol >= symbols.count;
    const colour = isGroup ? GROUP : (colours[symbols.family[symbol] as number] ?? GROUP);
    fills[symbol] = pixel(colour);
    faint[symbol] = pixel(mixed(colour, paper, FAINT));
    isDark[symbol] = isGroup ? 1 : 0;
  }
  return {
    paper: text('--paper'),
    ink: text('--ink'),
    muted: text('--muted'),
    label: text('--label'),
    link: text('--link'),
    paperPixel: pixel(paper),
    tailPixel: pixel(TAIL),
    borderPixel: pixel(rgb(text('--context'))),
    fills,
    faint,
    isDark,
    groupLabel: '#ffffff',
  };
}

/** `#77aadd` or `#7ad`; grey for what is no such colour. */
function rgb(text: string): Rgb {
  const [, digits = ''] = /^#((?:[\da-f]{3}){1,2})$/i.exec(text) ?? [];
  const size = digits.length / 3;
  if (size === 0) return [0x88, 0x88, 0x88];
  const part = (i: number) => Number.parseInt(digits.slice(i * size, (i + 1) * size).repeat(3 - size), 16);
  return [part(0), part(1), part(2)];
}

function mixed(colour: Rgb, paper: Rgb, share: number): Rgb {
  const part = (i: 0 | 1 | 2) => Math.round(colour[i] * share + paper[i] * (1 - share));
  return [part(0), part(1), part(2)];
}

function pixel([red, green, blue]: Rgb): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
