import type { Frame } from '../../census/stack-table.ts';
import type { SymbolTable } from '../../census/symbol-table.ts';
import { Cursor } from './cursor.ts';
import { type Place, takePlaces } from './place.ts';

/** A frame as the kernel prints it: `enqueue_entity+0x195/0x5a0 [sched]`, with what symbolising scripts add. */
export interface PrintedFrame {
  readonly raw: string;
  /** Bytes from the start of the function, -1 where none is printed. */
  readonly offset: number;
  readonly module: string;
  /** Printed with a question mark, or said to be unreliable. */
  readonly unreliable: boolean;
  /**
   * A doubted address behind the end of the function (`? __pfx_hrtimer_wakeup+0x10/0x10`): that of the function that
   * follows, which lay on the stack or in a register. Nobody returns there.
   */
  readonly isPointer: boolean;
  /** The compiler put the function into the one of the next frame. */
  readonly inlined: boolean;
  /** Where in the source it was; null where nothing is printed. */
  readonly place: Place | null;
  /** arm32 prints two functions a line: this one was called by the frame. '' everywhere else. */
  readonly callee: string;
  /** `[<0>]` before it, in older kernels `[<0000000000000000>]`: a line of /proc/PID/stack. */
  readonly hasZeroAddress: boolean;
}

/**
 * Addresses before a frame: `[<ffffffff810a1b2c>]` (before 4.10; arm32, s390x, riscv), twice in ppc64's
 * `[c000000010f930b0] [c000000008068df8]`, hidden in `[<0>]`, `[<(____ptrval____)>]`, `[<00000000abcdef01>]`.
 */
const ADDRESS = /\s*\[(?:<(?:[0-9a-f]{1,16}|\(_*ptrval_*\))>|[0-9a-f]{8,16})\]:?\s*/y;

/** `f+0x1/0x2`; scripts may leave the size out. A dot in front marks ppc64's entry points. */
const FUNCTION = /\.?([^\s+/()[\]<>?,;="'][^\s+/,;="']*)\+0x([0-9a-f]{1,8})(?:\/0x([0-9a-f]+))?(?=[\s)]|$)/y;
/** A function without offset: a place must follow. */
const BARE_FUNCTION = /([A-Za-z_][\w.$]*)(?=\s+\S)/y;
/** No symbol was found: `0xffffffffc03160c8`. */
const UNRESOLVED = /0x[0-9a-f]{1,16}(?=[\s)]|$)/y;

/**
 * What may follow a function: a module (`[ext4]`, with its build id since 5.15, a list of two) or `[inline]`,
 * `(unreliable)`, the letters arm64 prints since 6.8 (`(P)`, `(CF)`).
 */
const MODULE = /\s+\[([^\s\][<>]+)(?:\s+[^\s\][<>]+)?\]/y;
const REMARK = /\s+\((unreliable|[A-Za-z0-9:]{1,4})\)/y;
/** `decode_stacktrace.sh` prints a module without brackets behind the place. */
const BARE_MODULE = /\s+([A-Za-z_][\w-]*)(?=\s*$)/y;

/** arm32: `(f) from [<80de0574>] (g+0x28/0x2c)`, `f from g+0x28/0x2c`; the callee may have its module. */
const CALLEE = /\s*\(?([A-Za-z_][\w.$]*)(?:\s+\[[^\]\s]+\])?\)?\s+from\s+/y;

const LARGEST_OFFSET = 0x7fffffff;

/** What nearly all frames are: they are read with one expression. */
const PLAIN = /^ *(\? )?([\w$][\w.$]*)\+0x([0-9a-f]{1,7})\/0x([0-9a-f]+)(?: \[(?!inline\])([\w-]+)\])?$/;

/** Reads one frame; null for any other text. */
export function parsePrintedFrame(text: string): PrintedFrame | null {
  const plain = PLAIN.exec(text);
  if (plain) {
    return {
      raw: plain[2] ?? '',
      offset: Number.parseInt(plain[3] ?? '', 16),
      module: plain[5] ?? '',
      unreliable: plain[1] !== undefined,
      isPointer: plain[1] !== undefined && plain[3] === plain[4],
      inlined: false,
      place: null,
      callee: '',
      hasZeroAddress: false,
    };
  }
  const cursor = new Cursor(text);
  // s390x puts the innermost frame in parentheses: `([<000003ff8086d036>] my_probe+0x36/0x1000 [mymod])`.
  const isBracketed = cursor.take(/\s*\((?=\[<)/y) !== null;
  const hasZeroAddress = takeAddresses(cursor);
  const callee = cursor.take(CALLEE)?.[1] ?? '';
  if (callee !== '') takeAddresses(cursor);
  // `(g+0x28/0x2c)` of arm32.
  const isCaller = callee !== '' && cursor.take(/\(/y) !== null;
  const frame = readFunction(cursor);
  if (!frame) return null;
  if (isBracketed || isCaller) cursor.take(/\s*\)/y);
  return cursor.isAtEnd() ? { ...frame, callee, hasZeroAddress } : null;
}

function readFunction(cursor: Cursor): Omit<PrintedFrame, 'callee' | 'hasZeroAddress'> | null {
  cursor.take(/\s*/y);
  const isDoubted = cursor.take(/\?\s*/y) !== null;
  const known = cursor.take(FUNCTION);
  const unresolved = known ? null : cursor.take(UNRESOLVED);
  const bare = known || unresolved ? null : cursor.take(BARE_FUNCTION);
  const raw = known?.[1] ?? unresolved?.[0] ?? bare?.[1];
  const offset = known ? Number.parseInt(known[2] ?? '0', 16) : -1;
  // A 32-bit column holds the offset; a larger one is damage.
  if (raw === undefined || offset > LARGEST_OFFSET) return null;
  const { isPlaced, isDoubted: isCalledUnreliable, ...rest } = readRest(cursor);
  const unreliable = isDoubted || isCalledUnreliable;
  const isPointer = unreliable && known?.[3] !== undefined && known[2] === known[3];
  return bare && !isPlaced ? null : { raw, offset, unreliable, isPointer, ...rest };
}

/** What stands behind a function, in any order. */
function readRest(cursor: Cursor) {
  let module = '';
  let isDoubted = false;
  let inlined = false;
  let places: readonly Place[] | null = null;
  for (;;) {
    const inModule = cursor.take(MODULE);
    const remark = inModule ? null : cursor.take(REMARK);
    if (inModule?.[1] === 'inline') inlined = true;
    else if (inModule) module ||= inModule[1] ?? '';
    else if (remark) isDoubted ||= remark[1] === 'unreliable';
    else if (places === null) {
      places = takePlaces(cursor);
      if (places === null) break;
      module ||= cursor.take(BARE_MODULE)?.[1] ?? '';
    } else break;
  }
  return { module, isDoubted, inlined, place: places?.at(-1) ?? null, isPlaced: places !== null };
}

/** A printed frame as it goes into a stack. */
export function internFrame(symbols: SymbolTable, printed: PrintedFrame): Frame {
  const { raw, module, offset, unreliable, inlined, place } = printed;
  const symbol = symbols.intern(raw, module, 'kernel', place?.file ?? '', place?.line ?? 0);
  return { symbol, offset, unreliable, inlined };
}

/** Reads addresses in brackets. @returns whether one was `[<0>]` */
function takeAddresses(cursor: Cursor): boolean {
  let isZero = false;
  for (let address = cursor.take(ADDRESS); address; address = cursor.take(ADDRESS)) isZero ||= /<0+>/.test(address[0]);
  return isZero;
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
