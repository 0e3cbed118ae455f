import type { SymbolSpace } from '../../census/symbol-table.ts';

/** A frame of bpftrace: `vfs_read+12`, offsets in decimal digits. */
export interface BpfFrame {
  /** The name; the address where only that is printed. */
  readonly raw: string;
  /** Bytes from the start of the function, -1 where not printed. */
  readonly offset: number;
  /** Kernel module, or file of a program; '' where none is printed. */
  readonly module: string;
  /** Whose it is by its address or its file; null where neither is printed: names of both look alike. */
  readonly space: SymbolSpace | null;
}

const LARGEST = 0x7fffffff;
/** A line that could be a frame; longer ones are something else's output. */
const LONGEST_FRAME = 1024;

/** Kernel's names have no blanks; those of C++ have, and brackets too. */
const NAME = /^[^\s*]+$|[(<:]/;
/** `    f+12`, with debug information `    f+12 (fs/read_write.c:450)`, of a module `    f+12 ([ext4])`. */
const PLAIN = /^\s*(\S.*?)\+(\d{1,10})(?:\s+(?:\((.*)\)|\[([\w-]+)\]))?\s*$/;
/** kstack(perf): `\tffffffff8e7ea5b0 f+12 ([kernel])`. */
const PERF = /^\s+([0-9a-f]{8,16}) (\S.*?)(?:\+(\d{1,10}))?(?: \((.*)\))?$/;
/** No symbol was found: `    0xffffffffc0318083`; kstack(raw): `ffffffffc0318083` without blanks before it. */
const ADDRESS = /^\s*(?:0x([0-9a-f]{6,16})|([0-9a-f]{12,16}))(?:\+\d+)?(?:\s+\((.*)\))?\s*$/;
/** What a function is that has no name, in a place of its own. */
const UNKNOWN = /^\s+(\[unknown\]|\?\?)\s*$/;

/** Reads a line of a stack; null for any other. Within a key the indentation may have been lost. */
export function parseFrame(line: string, isInKey = false): BpfFrame | null {
  if (line.length > LONGEST_FRAME || !(isInKey || /^\s|^[0-9a-f]{12,16}$/.test(line))) return null;
  const perf = PERF.exec(line.trimEnd());
  if (perf) {
    const [, address = '', name = '', offset, place = ''] = perf;
    const space = spaceOf(address);
    return { raw: /^0x/.test(name) ? `0x${address}` : name, offset: numberIn(offset), module: moduleIn(place), space };
  }
  const address = ADDRESS.exec(line);
  if (address) {
    const digits = address[1] ?? address[2] ?? '';
    return { raw: `0x${digits}`, offset: -1, module: moduleIn(address[3] ?? ''), space: spaceOf(digits) };
  }
  const plain = PLAIN.exec(line);
  if (plain) {
    const [, raw = '', offset, place = '', module] = plain;
    if (!NAME.test(raw)) return null;
    const space =
      module !== undefined || /^\[/.test(place) ? 'kernel' : /^\//.test(place) || /::|\(/.test(raw) ? 'user' : null;
    return { raw, offset: numberIn(offset), module: module ?? moduleIn(place), space };
  }
  return UNKNOWN.test(line) ? { raw: '[unknown]', offset: -1, module: '', space: null } : null;
}

/** Addresses of programs are never in the upper half. */
function spaceOf(address: string): SymbolSpace {
  return address.length === 16 && /^[89a-f]/.test(address) ? 'kernel' : 'user';
}

function numberIn(digits: string | undefined): number {
  const value = Number(digits ?? -1);
  return value <= LARGEST ? value : -1;
}

/** `[ext4]` and `/usr/lib/libc.so.6` are where a function lives; `[kernel]`, `fs/x.c:12` and `inlined` tell nothing of it. */
function moduleIn(place: string): string {
  if (/^\[?kernel/.test(place) || /:\d+$/.test(place) || /^inlined/.test(place)) return '';
  return place.replace(/^\[(.*)\]$/, '$1').replace(/\+0x[0-9a-f]+$/, '');
}

/** What an entry of a map is told apart by. */
export interface MapKey {
  /** Innermost frame first, in the order in which they are printed. */
  readonly stacks: readonly (readonly BpfFrame[])[];
  /** What else there is, in order. */
  readonly others: readonly string[];
}

/**
 * Reads a key as it stands between brackets, and in a string of JSON: `\n    f+1\n    g+2\n, db_bench`. A stack begins
 * with a line end and has a line for each frame.
 */
export function parseKey(text: string): MapKey {
  const stacks: BpfFrame[][] = [];
  const others: string[] = [];
  let open: BpfFrame[] | null = null;
  for (const line of text.split('\n')) {
    const frame = parseFrame(line, true);
    if (frame) {
      if (open) open.push(frame);
      else {
        open = [frame];
        stacks.push(open);
      }
      continue;
    }
    if (line.trim() !== '') open = null;
    for (const part of line.split(',')) if (part.trim() !== '') others.push(part.trim());
  }
  return { stacks, others };
}

/** The value of an entry: how often, or a sum; null where it is neither. */
export interface MapValue {
  /** The number as it is printed: of `count()`, `sum()` and the like. -1 where the count is told apart from the sum. */
  readonly number: number;
  /** How often, where that is told: of `stats()`, `hist()`. */
  readonly count: number;
  /** What was added up, where that is told. */
  readonly sum: number;
}

const STATS = /^count (\d{1,16}), average -?\d+, total (-?\d{1,16})$/;
/** `[4K, 8K)             3 |@@@@@@@      |` */
const BUCKET = /^\s*[[(].{1,60}[\])]\s+(\d{1,16}) \|[@ ]*\|\s*$/;

/** Reads what stands behind a key: `12`, `count 5, average 3, total 15`. */
export function parseValue(text: string): MapValue | null {
  const stats = STATS.exec(text);
  if (stats) return { number: -1, count: Number(stats[1]), sum: Number(stats[2]) };
  return /^-?\d{1,16}$/.test(text) ? { number: Number(text), count: -1, sum: -1 } : null;
}

/** How many a line of a histogram counts; -1 for any other line. */
export function parseBucket(line: string): number {
  const match = line.length > 200 ? null : BUCKET.exec(line);
  return match ? Number(match[1]) : -1;
}

/** What a map's numbers are by its name: `@bytes` are no counts. '' where the name does not tell. */
export function unitOf(map: string): string | null {
  for (const [pattern, unit] of UNITS) if (pattern.test(map)) return unit;
  return null;
}

const word = (words: string) => new RegExp(`(?:^|_)(?:${words})(?:_|$)`, 'i');
const UNITS: readonly (readonly [RegExp, string])[] = [
  [word('bytes|size|sizes|len|length'), 'bytes'],
  [word('ns|nsecs?|nanoseconds'), 'nanoseconds'],
  [word('us|usecs?|microseconds'), 'microseconds'],
  [word('ms|msecs?|milliseconds'), 'milliseconds'],
  [word('pages'), 'pages'],
  [word('time|times|latency|lat|delta|duration|sum|total|elapsed'), ''],
];
