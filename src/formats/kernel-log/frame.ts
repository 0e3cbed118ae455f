/** A frame as the kernel prints it: `enqueue_entity+0x195/0x5a0 [sched]`. */
export interface PrintedFrame {
  readonly raw: string;
  /** Bytes from the start of the function, -1 where none is printed. */
  readonly offset: number;
  readonly module: string;
  /** Printed with a question mark. */
  readonly unreliable: boolean;
}

/**
 * `[<ffffffff810a1b2c>] ? f.isra.0+0x1/0x2 [module abcdef012345] (P)`: the bracketed address is old style (before
 * 4.10), the build id after the module optional since 5.15, the letters in parentheses arm64's since 6.8.
 */
const FRAME =
  /^\s*(?:\[<[0-9a-f]+>\]\s+){0,2}(\?\s+)?([^\s+/()[\]<>?][^\s+/]*)\+0x([0-9a-f]{1,8})\/0x[0-9a-f]+(?:\s+\[([^\s\]]+)(?:\s+[0-9a-f]+)?\])?(?:\s+\([A-Za-z0-9:]+\))*\s*$/;

/** `[<ffffffffc03160c8>] 0xffffffffc03160c8` and `0xffffffffc03160c8`: no symbol was found. */
const UNRESOLVED = /^\s*(?:\[<[0-9a-f]+>\]\s+)?(\?\s+)?(0x[0-9a-f]{8,16})\s*$/;

/** Reads one frame; null for any other text. */
export function parsePrintedFrame(text: string): PrintedFrame | null {
  const frame = FRAME.exec(text);
  if (frame) {
    const [, unsure, raw = '', offset = '0', module = ''] = frame;
    // A 32-bit column holds the offset; a larger one is damage.
    const bytes = Number.parseInt(offset, 16);
    if (bytes > 0x7fffffff) return null;
    return { raw, offset: bytes, module, unreliable: unsure !== undefined };
  }
  const unresolved = UNRESOLVED.exec(text);
  if (!unresolved) return null;
  return { raw: unresolved[2] ?? '', offset: -1, module: '', unreliable: unresolved[1] !== undefined };
}

/**
 * The marker in front of or in place of a frame, as newer (`<IRQ>`, `</IRQ>`, `<TASK>`) and older kernels (`<EOI>`,
 * `<<EOE>>`, `<NMI>`) print them, and the rest of the line.
 */
const MARKER = /^\s*(<<?\/?[A-Za-z#][A-Za-z#0-9]*>>?)\s*/;

export function parseMarker(text: string): { marker: string; rest: string } | null {
  const found = MARKER.exec(text);
  return found ? { marker: found[1] ?? '', rest: text.slice(found[0].length) } : null;
}

/** Whether what follows this marker was interrupted by what came before it. */
export function endsContext(marker: string): boolean {
  return /^<\/(?!TASK)|^<EOI>$|^<<?EOE>>?$/.test(marker);
}
