/** Whose event it was, as the left part of an event line says. */
export interface PerfTask {
  /** '' where not printed. Names may contain blanks: `Web Content`. */
  readonly comm: string;
  /** -1 where not printed. */
  readonly pid: number;
  readonly cpu: number;
}

/** Where the parts of an event line are; byte positions. */
export interface PerfEventLine {
  /** The task ends here; it starts with the line. */
  readonly taskEnd: number;
  /** Here follow the period, if printed, the event, and what the event's own format prints. */
  readonly rest: number;
}

const DOT = 0x2e;
const COLON = 0x3a;

/**
 * Finds the time stamp (`18.873442:`, microseconds or nanoseconds) in the bytes of an event line, and so its parts;
 * null where the line has none.
 */
export function splitAtTime(buffer: Buffer, start: number, end: number): PerfEventLine | null {
  for (let colon = buffer.indexOf(COLON, start); colon >= 0 && colon < end; colon = nextColon(buffer, colon, end)) {
    let p = colon - 1;
    while (p > start && isDigit(buffer[p])) p -= 1;
    const decimals = colon - 1 - p;
    if (buffer[p] !== DOT || decimals < 3 || decimals > 9) continue;
    const dot = p;
    p -= 1;
    while (p >= start && isDigit(buffer[p])) p -= 1;
    if (p === dot - 1) continue;
    if (p < start || buffer[p] === 0x20 || buffer[p] === 0x09) return { taskEnd: p + 1, rest: colon + 1 };
  }
  return null;
}

function nextColon(buffer: Buffer, after: number, end: number): number {
  for (let i = after + 1; i < end; i++) if (buffer[i] === COLON) return i;
  return -1;
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** `comm  pid/tid [cpu] ` with any of the three missing. A name that ends in a number, without a pid behind it, cannot be told from one with. */
export function parsePerfTask(text: string): PerfTask {
  let left = text.trimEnd();
  let cpu = -1;
  const brackets = /(?:^|\s)\[(\d+)\](?:\s+[.\w]{4,6})?$/.exec(left);
  if (brackets) {
    cpu = columnValue(brackets[1]);
    left = left.slice(0, brackets.index).trimEnd();
  }
  let pid = -1;
  const number = /(?:^|\s)(-?\d+)(?:\/(-?\d+))?$/.exec(left);
  if (number) {
    pid = columnValue(number[1]);
    left = left.slice(0, number.index);
  }
  return { comm: left.trim(), pid, cpu };
}

/** Numbers go into 32-bit columns; a larger one is damage. */
function columnValue(digits: string | undefined): number {
  const value = Number(digits);
  return value >= 0 && value <= 0x7fffffff ? value : -1;
}

/** `[period] event:` and what follows it. */
export interface PerfEvent {
  /** '' where not printed. */
  readonly name: string;
  /** -1 where not printed. */
  readonly period: number;
  readonly rest: string;
}

const EVENT = /^\s*(?:(\d+)\s+)?([A-Za-z_][^\s]*?):(?:\s+(.*))?$/;

/** The part after the time stamp; null if there is no event in it. */
export function parsePerfEvent(text: string): PerfEvent | null {
  const event = EVENT.exec(text);
  if (event) {
    return { name: event[2] ?? '', period: event[1] === undefined ? -1 : Number(event[1]), rest: event[3] ?? '' };
  }
  const bare = /^\s*(\d+)?\s*$/.exec(text);
  return bare ? { name: '', period: bare[1] === undefined ? -1 : Number(bare[1]), rest: '' } : null;
}

/** An event's name with its period, as it can stand anywhere in a line without a time stamp. */
const EVENT_INSIDE = /(?<=^|\s)(?:\d+\s+)?[A-Za-z_][^\s]*:(?=\s|$)/g;
const TASK_WITH_NUMBER = /^\s*(?:\S.*\s)?(?:-?\d+(?:\/-?\d+)?|\[\d+\])\s*$/;
/** A process name, at most 15 bytes of it and padding, with or without numbers. */
const TASK_ALONE = /^\s{0,15}\S.{0,16}(?:\s+-?\d+(?:\/-?\d+)?)?(?:\s+\[\d+\])?\s*$/;

/**
 * Reads an event line without a time stamp (`-F -time`): `perf   196 [000]          1 cycles: `; null for any other.
 * Where a stack follows, the event, the numbers or all but the process name may be missing too.
 */
export function parseUntimed(line: string, hasFrames: boolean): { task: PerfTask; event: PerfEvent } | null {
  let found: { left: string; event: PerfEvent } | null = null;
  for (const { index } of line.matchAll(EVENT_INSIDE)) {
    const left = line.slice(0, index);
    const event = parsePerfEvent(line.slice(index));
    if (!event || event.name === '') continue;
    if (TASK_WITH_NUMBER.test(left)) return { task: parsePerfTask(left), event };
    // A name such as `Web: 1` looks like an event too: the one with nothing behind it is the event.
    if (hasFrames && left.length <= 16 && (!found || event.rest === '')) found = { left, event };
  }
  if (found) return { task: parsePerfTask(found.left), event: found.event };
  return hasFrames && TASK_ALONE.test(line)
    ? { task: parsePerfTask(line), event: { name: '', period: -1, rest: '' } }
    : null;
}
