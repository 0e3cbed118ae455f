import { readAddress } from './kernel-elf.ts';

/**
 * The names of the symbols that a kernel keeps of itself (kernel/kallsyms.c, scripts/kallsyms.c), found in its
 * uncompressed image. There are tables of
 *
 * - `kallsyms_num_syms`, at a multiple of 8, and after it `kallsyms_names`: of each symbol, ascending, a length and so many
 *   tokens; lengths from 128 on take two bytes (since 6.1)
 * - `kallsyms_markers`: where in the names every 256th symbol begins, 32 bits each
 * - `kallsyms_token_table`: 256 strings, most of them parts of names that are common, those of digits the digits
 * - `kallsyms_token_index`: where in the table each string begins, 16 bits each
 *
 * in this order, with others before, between and after. Nothing points to them, so they are known by their contents.
 * The addresses are 32 bits each, `kallsyms_offsets`, with `kallsyms_relative_base` after them: right before the number
 * of symbols, or since 6.4 right after the index of the tokens. On x86 with per-CPU areas at 0 (until 6.14) a negative
 * offset counts down from one below the base, and another is the address itself; elsewhere all count up from the base.
 */
const TOKENS = 256;
const PER_MARKER = 256;
const ALIGNMENT = 8;
/** What the tokens of the digits look like. */
const DIGITS = Buffer.from([...'0123456789'].map((digit) => `${digit}\0`).join(''), 'latin1');
const FIRST_DIGIT = 0x30;
/** Bytes between the markers and the tokens: 3 for each symbol in 6.2 and 6.3. */
const MOST_BETWEEN = 4 << 20;
/** Bytes that the names after the last marker may take. */
const MOST_AFTER_MARKER = PER_MARKER * 130;
const MOST_SYMBOLS = 4 << 20;

/** A symbol: the letter that nm(1) gives its type, and its name. */
export interface EmbeddedSymbol {
  readonly type: string;
  readonly name: string;
}

/** The symbols of a kernel image with their addresses. */
export interface EmbeddedTable {
  readonly symbols: readonly EmbeddedSymbol[];
  /** Of each symbol, as a signed number; null where the offsets were not found. */
  readonly addresses: Float64Array | null;
}

/** Every symbol of a kernel image, ascending by address; none where the image holds none that can be found. */
export function embeddedSymbols(image: Buffer): readonly EmbeddedSymbol[] {
  return embeddedTable(image).symbols;
}

/** The same with their addresses. */
export function embeddedTable(image: Buffer): EmbeddedTable {
  for (let at = image.indexOf(DIGITS); at >= 0; at = image.indexOf(DIGITS, at + 1)) {
    const tokens = tokensAround(image, at);
    if (!tokens) continue;
    for (let markers = tokens.start & -ALIGNMENT; markers > tokens.start - MOST_BETWEEN; markers -= ALIGNMENT) {
      const found = isMarkers(image, markers) ? symbolsBefore(image, markers, tokens.strings) : null;
      if (found) return { symbols: found.symbols, addresses: addressesOf(image, found, tokens.end) };
    }
  }
  return { symbols: [], addresses: null };
}

/** The table of tokens that holds the digits at `digits`, if its index follows. */
function tokensAround(image: Buffer, digits: number): { start: number; end: number; strings: string[] } | null {
  for (let index = (digits + DIGITS.length) & -ALIGNMENT; index < digits + 4096; index += ALIGNMENT) {
    if (index + 2 * TOKENS > image.length) return null;
    const offsets = Array.from({ length: TOKENS }, (_, token) => image.readUInt16LE(index + 2 * token));
    const start = digits - (offsets[FIRST_DIGIT] ?? 0);
    if (offsets[0] !== 0 || start < 0) continue;
    const isIndex = offsets.every((offset, token) => token === 0 || image[start + offset - 1] === 0);
    if (!isIndex || offsets.some((offset, token) => token > 0 && offset <= (offsets[token - 1] ?? 0))) continue;
    const strings = offsets.map((at) => image.toString('latin1', start + at, image.indexOf(0, start + at)));
    return { start, end: index + 2 * TOKENS, strings };
  }
  return null;
}

/** Whether a table of markers may begin here: 0, and then growing by what 256 names take. */
function isMarkers(image: Buffer, at: number): boolean {
  if (at < 0 || at + 16 > image.length || image.readUInt32LE(at) !== 0) return false;
  const steps = [4, 8, 12].map((next) => image.readUInt32LE(at + next) - image.readUInt32LE(at + next - 4));
  return steps.every((step) => step >= 2 * PER_MARKER && step <= MOST_AFTER_MARKER);
}

interface FoundNames {
  readonly symbols: readonly EmbeddedSymbol[];
  /** Where the number of symbols stands. */
  readonly countAt: number;
}

function symbolsBefore(image: Buffer, markers: number, tokens: readonly string[]): FoundNames | null {
  let last = markers;
  // The markers end where what follows is no larger, or much larger.
  while (last + 8 <= image.length) {
    const step = image.readUInt32LE(last + 4) - image.readUInt32LE(last);
    if (step < 2 * PER_MARKER || step > MOST_AFTER_MARKER) break;
    last += 4;
  }
  const latest = (markers - image.readUInt32LE(last)) & -ALIGNMENT;
  for (let names = latest; names >= ALIGNMENT && names > latest - MOST_AFTER_MARKER; names -= ALIGNMENT) {
    const count = image.readUInt32LE(names - ALIGNMENT);
    if (count === 0 || count > MOST_SYMBOLS || Math.ceil(count / PER_MARKER) !== (last - markers) / 4 + 1) continue;
    const symbols = decoded(image, names, count, markers, tokens);
    if (symbols) return { symbols, countAt: names - ALIGNMENT };
  }
  return null;
}

/** Of so many symbols the addresses must ascend. */
const MOSTLY = 0.98;

function addressesOf(image: Buffer, { symbols, countAt }: FoundNames, afterTokens: number): Float64Array | null {
  const count = symbols.length;
  const size = (4 * count + ALIGNMENT - 1) & -ALIGNMENT;
  // The base may lie right after the offsets, which are padded or not.
  for (const at of [afterTokens, countAt - ALIGNMENT - size, countAt - ALIGNMENT - 4 * count]) {
    for (const baseAt of [at + size, at + 4 * count]) {
      if (at < 0 || baseAt + 8 > image.length) continue;
      const base = readAddress(image, baseAt);
      // Kernels lie in the upper half.
      if (base >= 0) continue;
      const addresses = addressesFrom(image, at, count, base);
      if (addresses) return addresses;
    }
  }
  return null;
}

function addressesFrom(image: Buffer, at: number, count: number, base: number): Float64Array | null {
  const offsets = new Int32Array(count);
  let negative = 0;
  for (let i = 0; i < count; i++) {
    const offset = image.readInt32LE(at + 4 * i);
    offsets[i] = offset;
    if (offset < 0) negative++;
  }
  const countsDown = negative * 2 > count;
  const addresses = Float64Array.from(offsets, (offset) => {
    if (!countsDown) return base + (offset >>> 0);
    return offset < 0 ? base - 1 - offset : offset;
  });
  let ascending = 1;
  for (let i = 1; i < count; i++) {
    const [before, here] = [addresses[i - 1] as number, addresses[i] as number];
    // Where some are absolute these come first or last.
    if (here >= before || before >= 0 !== here >= 0) ascending++;
  }
  return ascending >= MOSTLY * count ? addresses : null;
}

/** The symbols whose names begin here; null where they do not fit the markers. */
function decoded(
  image: Buffer,
  names: number,
  count: number,
  markers: number,
  tokens: readonly string[],
): EmbeddedSymbol[] | null {
  const symbols: EmbeddedSymbol[] = [];
  let at = names;
  for (let index = 0; index < count; index++) {
    if (index % PER_MARKER === 0 && image.readUInt32LE(markers + (index / PER_MARKER) * 4) !== at - names) return null;
    let length = image[at++] ?? 0;
    if (length & 0x80) length = (length & 0x7f) | ((image[at++] ?? 0) << 7);
    if (at + length > markers) return null;
    let text = '';
    for (const end = at + length; at < end; at++) text += tokens[image[at] ?? 0];
    symbols.push({ type: text.charAt(0), name: text.slice(1) });
  }
  return symbols;
}
