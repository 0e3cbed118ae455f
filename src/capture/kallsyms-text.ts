/**
 * The text of /proc/kallsyms, searched as it is:
 *
 * ```
 * ffffffff81000000 T _stext
 * ffffffffc0201000 t ext4_sync_fs\t[ext4]
 * ```
 *
 * First come the symbols of the kernel's image, ascending (the kernel itself looks addresses up in them by halves), then
 * those of modules, module by module. Lines are known by the position of their first byte.
 */

const NEWLINE = 10;
const TAB = 9;
const BRACKET = 91;
const ADDRESS_DIGITS = 16;
/** 16 digits, space, type, space. */
const NAME_AT = 19;

/** The address at the start of a line, as a signed number. */
export function addressAt(text: Buffer, line: number): number {
  let high = 0;
  let low = 0;
  for (let i = 0; i < 8; i++) high = (high << 4) | digit(text[line + i] as number);
  for (let i = 8; i < 16; i++) low = (low << 4) | digit(text[line + i] as number);
  return high * 0x1_0000_0000 + (low >>> 0);
}

function digit(character: number): number {
  return character <= 57 ? character - 48 : character - 87;
}

/** Name and module of a line, '' for the kernel image. */
export function nameAt(text: Buffer, line: number): { name: string; module: string } {
  const at = line + NAME_AT;
  let nameEnd = at;
  while (nameEnd < text.length && text[nameEnd] !== NEWLINE && text[nameEnd] !== TAB) nameEnd++;
  let module = '';
  if (text[nameEnd] === TAB && text[nameEnd + 1] === BRACKET) {
    module = text.toString('latin1', nameEnd + 2, endOfLine(text, nameEnd) - 1);
  }
  return { name: text.toString('latin1', at, nameEnd), module };
}

/** Whether a line is of a function: text (t, T, w, W), and not the padding before one (`__pfx_…`, half of a 6.12's). */
export function isFunction(text: Buffer, line: number): boolean {
  const type = (text[line + 17] ?? 0) | 0x20;
  return (type === 0x74 || type === 0x77) && !isPadding(text, line + NAME_AT);
}

function isPadding(text: Buffer, at: number): boolean {
  // "__pfx_"
  return text[at] === 95 && text[at + 2] === 112 && text[at + 3] === 102 && text[at + 4] === 120 && text[at + 5] === 95;
}

/** The lines of functions from one position to another. */
export function* functionLines(text: Buffer, from: number, to: number): Generator<number> {
  for (let line = from; line < to; line = endOfLine(text, line) + 1) if (isFunction(text, line)) yield line;
}

/** The lines of a module's functions, which follow each other. */
export function* linesOfModule(text: Buffer, modulesAt: number, module: string): Generator<number> {
  const tag = Buffer.from(`\t[${module}]`, 'latin1');
  const first = text.indexOf(tag, modulesAt);
  if (first < 0) return;
  for (let line = startOfLine(text, first), end = 0; line < text.length; line = end + 1) {
    end = endOfLine(text, line);
    if (text.compare(tag, 0, tag.length, Math.max(end - tag.length, line), end) !== 0) return;
    if (isFunction(text, line)) yield line;
  }
}

/** The lines whose name begins with this text and goes on with a character that `ends` accepts. */
export function* linesNamed(
  text: Buffer,
  start: string,
  ends: (next: number | undefined) => boolean,
): Generator<number> {
  const wanted = Buffer.from(` ${start}`, 'latin1');
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const line = at + 1 - NAME_AT;
    if (ends(text[at + wanted.length]) && isFunction(text, line)) yield line;
  }
}

/** Whether this is what follows a whole name. */
export function endsName(next: number | undefined): boolean {
  return next === undefined || next === NEWLINE || next === TAB;
}

/** Where the modules' part begins. */
export function startOfModules(text: Buffer): number {
  return firstLine(text, 0, text.length, (line) => text.subarray(line, endOfLine(text, line)).includes(TAB));
}

/**
 * The line of the function an address lies in, among ascending lines that end at `to`; -1 below the first. Of several
 * names of one address, the first listed.
 */
export function functionLineBelow(text: Buffer, to: number, address: number): number {
  // Digits are compared as they stand: quicker than parsing them, and unsigned.
  const digits = Buffer.from(BigInt.asUintN(64, BigInt(address)).toString(16).padStart(ADDRESS_DIGITS, '0'), 'latin1');
  let line = firstLine(
    text,
    0,
    to,
    (candidate) => text.compare(digits, 0, ADDRESS_DIGITS, candidate, candidate + ADDRESS_DIGITS) > 0,
  );
  line = functionLineBefore(text, line);
  if (line < 0) return -1;
  const start = addressAt(text, line);
  for (;;) {
    const earlier = functionLineBefore(text, line);
    if (earlier < 0 || addressAt(text, earlier) !== start) return line;
    line = earlier;
  }
}

/** The last function that is listed before a line; -1 where there is none. */
export function functionLineBefore(text: Buffer, line: number): number {
  for (let at = line; at > 0; ) {
    at = startOfLine(text, at - 1);
    if (isFunction(text, at)) return at;
  }
  return -1;
}

/** The first function that is listed after a line and before `to`; -1 where there is none. */
export function functionLineAfter(text: Buffer, line: number, to: number): number {
  for (let at = endOfLine(text, line) + 1; at < to; at = endOfLine(text, at) + 1) if (isFunction(text, at)) return at;
  return -1;
}

/** The start of the line that a position is in. */
export function startOfLine(text: Buffer, position: number): number {
  return position === 0 ? 0 : text.lastIndexOf(NEWLINE, position - 1) + 1;
}

function endOfLine(text: Buffer, position: number): number {
  const end = text.indexOf(NEWLINE, position);
  return end < 0 ? text.length : end;
}

/** The first line between two positions that `holds`, where all the following do as well; `to` where none does. */
function firstLine(text: Buffer, from: number, to: number, holds: (line: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const line = startOfLine(text, (low + high) >>> 1);
    if (holds(line)) high = line;
    else low = endOfLine(text, line) + 1;
  }
  return Math.min(low, to);
}
