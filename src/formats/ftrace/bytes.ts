const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const TAB = 9;
const BLANK = 0x20;
const ZERO = 0x30;
const EQUALS = 0x3d;
const GREATER = 0x3e;

/** A stack longer than this is none: the kernel keeps some thousand frames at most. */
const MAXIMUM_BLOCK = 1 << 18;
/** As much of a line as is looked at, in bytes. */
const LONGEST_TEXT = 4096;

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39;
}

/** ` => f`, with any indentation. */
export function isFrameLine(buffer: Buffer, at: number): boolean {
  let p = at;
  while (buffer[p] === BLANK || buffer[p] === TAB) p += 1;
  return buffer[p] === EQUALS && buffer[p + 1] === GREATER && (buffer[p + 2] as number) <= BLANK;
}

/** ` => `, read as a number. */
const ARROW = 0x203e3d20;

/** Where the frames end that begin at `start`; -1 where that is not here yet. */
export function endOfFrames(buffer: Buffer, view: DataView, start: number, end: number, isLast: boolean): number {
  const limit = Math.min(end, start + MAXIMUM_BLOCK);
  let p = start;
  while (p < limit) {
    if ((p + 4 > limit || view.getInt32(p, true) !== ARROW) && !isFrameLine(buffer, p)) return p;
    // Four bytes at a time: those of a newline become zero, and only of a zero the sum borrows into the highest bit.
    for (; p + 4 <= limit; p += 4) {
      const word = view.getInt32(p, true) ^ 0x0a0a0a0a;
      if (((word - 0x01010101) & ~word & -0x7f7f7f80) !== 0) break;
    }
    while (buffer[p] !== NEWLINE) p += 1;
    p += 1;
  }
  return isLast || p < end ? p : -1;
}

/** How many lines end in these bytes. */
export function countLines(buffer: Buffer, start: number, end: number): number {
  let lines = 0;
  for (let at = buffer.indexOf(NEWLINE, start); at >= 0 && at < end; at = buffer.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

/** A line, a character for each byte. */
export function text(buffer: Buffer, start: number, end: number): string {
  const stop = buffer[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
  return buffer.toString('latin1', start, Math.min(stop, start + LONGEST_TEXT));
}

/** Names in it, as they are meant. */
export function utf8(latin1: string): string {
  return /[\x80-\xff]/.test(latin1) ? Buffer.from(latin1, 'latin1').toString('utf8') : latin1;
}
