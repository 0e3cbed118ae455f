/**
 * The text of /proc/kallsyms, searched as it is:
 *
 * ```
 * ffffffff81000000 T _stext
 * ffffffffc0201000 t ext4_sync_fs\t[ext4]
 * ```
 *
 * First come the symbols of the kernel's image, ascending (the kernel itself looks addresses up in them by halves),
 * then those of modules, module by module. Lines are known by the position of their first byte.
 */

const NEWLINE = 10;
const TAB = 9;
const DOLLAR = 36;
const BRACKET = 91;
const ADDRESS_DIGITS = 16;
/** 16 digits, space, type, space. */
const NAME_AT = 19;

/** The address at the start of a line, as a signed number. */
export function addressAt(text: Uint8Array, line: number): number {
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
    module = text.toString('latin1', nameEnd + 2, Math.min(nextLine(text, nameEnd) - 1, text.length) - 1);
  }
  return { name: text.toString('latin1', at, nameEnd), module };
}

/**
 * Whether a line is of a function: text (t, T, w, W), and neither the padding before one (`__pfx_…`, half of a 6.12's)
 * nor a mark of the assembler's between code and data (`$x`, `$d`, in modules of arm64).
 */
export function isFunction(text: Uint8Array, line: number): boolean {
  const type = (text[line + 17] ?? 0) | 0x20;
  return (type === 0x74 || type === 0x77) && text[line + NAME_AT] !== DOLLAR && !isPadding(text, line + NAME_AT);
}

function isPadding(text: Uint8Array, at: number): boolean {
  // "__pfx_"
  return text[at] === 95 && text[at + 2] === 112 && text[at + 3] === 102 && text[at + 4] === 120 && text[at + 5] === 95;
}

/** The lines of functions from one position to another. */
export function* functionLines(text: Uint8Array, from: number, to: number): Generator<number> {
  for (let line = from; line < to; line = nextLine(text, line)) if (isFunction(text, line)) yield line;
}

/** Where the lines of a module begin and end: they follow each other. */
export function linesOfModule(text: Buffer, modulesAt: number, module: string): [number, number] {
  const tag = `\t[${module}]`;
  const found = text.indexOf(tag, modulesAt, 'latin1');
  if (found < 0) return [modulesAt, modulesAt];
  const first = startOfLine(text, found);
  const isOther = (line: number) => !text.toString('latin1', line, nextLine(text, line)).trimEnd().endsWith(tag);
  return [first, firstLine(text, first, text.length, isOther)];
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

/** The lines of functions whose name ends so; the text begins within the name. */
export function* linesEnding(text: Buffer, end: string): Generator<number> {
  const wanted = Buffer.from(end, 'latin1');
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const line = startOfLine(text, at);
    if (endsName(text[at + wanted.length]) && at > line + NAME_AT && isFunction(text, line)) yield line;
  }
}

/** Whether this is what follows a whole name. */
export function endsName(next: number | undefined): boolean {
  return next === undefined || next === NEWLINE || next === TAB;
}

/** Where the modules' part begins. */
export function startOfModules(text: Buffer): number {
  return firstLine(text, 0, text.length, (line) => text.subarray(line, nextLine(text, line)).includes(TAB));
}

/** The start of the line that a position is in. Short ways are walked sooner than a function is called for them. */
export function startOfLine(text: Uint8Array, position: number): number {
  let at = position;
  while (at > 0 && text[at - 1] !== NEWLINE) at--;
  return at;
}

/** The start of the next line, or after the end. */
export function nextLine(text: Uint8Array, position: number): number {
  let at = position;
  while (at < text.length && text[at] !== NEWLINE) at++;
  return at + 1;
}

/** The first line between two positions that `holds`, where all the following do as well; `to` where none does. */
export function firstLine(text: Uint8Array, from: number, to: number, holds: (line: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const line = startOfLine(text, (low + high) >>> 1);
    if (holds(line)) high = line;
    else low = nextLine(text, line);
  }
  return Math.min(low, to);
}

/** The digits of an address, as they stand in the text. */
export function digitsOf(address: number): string {
  return BigInt.asUintN(64, BigInt(address)).toString(16).padStart(ADDRESS_DIGITS, '0');
}
