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

/** `comm  pid/tid [cpu] ` with any of the three missing. */
export function parsePerfTask(text: string): PerfTask {
  let left = text.trimEnd();
  let cpu = -1;
  const brackets = /(?:^|\s)\[(\d+)\](?:\s+[.\w]{4,6})?$/.exec(left);
  if (brackets) {
    cpu = Number(brackets[1]);
    left = left.slice(0, brackets.index).trimEnd();
  }
  let pid = -1;
  const number = /(?:^|\s)(-?\d+)(?:\/(-?\d+))?$/.exec(left);
  if (number) {
    pid = Number(number[1]);
    left = left.slice(0, number.index);
  }
  return { comm: left.trim(), pid, cpu };
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

/** An event line without a time stamp (`-F -time`): `perf   196 [000]          1 cycles: `. Null for any other line. */
const UNTIMED =
  /^(\S.*?\s+\d+(?:\/\d+)?(?:\s+\[\d+\])?|\s*\[\d+\]|\s+\S.*?\s+\d+(?:\/\d+)?(?:\s+\[\d+\])?)\s+((?:\d+\s+)?[A-Za-z_][\w./-]*(?::[^\s:]+)*:(?:\s.*)?)$/;

export function parseUntimed(line: string): { task: PerfTask; event: PerfEvent } | null {
  const parts = UNTIMED.exec(line);
  if (!parts) return null;
  const event = parsePerfEvent(parts[2] ?? '');
  return event && event.name !== '' ? { task: parsePerfTask(parts[1] ?? ''), event } : null;
}
