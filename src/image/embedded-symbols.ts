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

/** Every symbol of a kernel image, ascending by address; none where the image holds none that can be found. */
export function embeddedSymbols(image: Buffer): EmbeddedSymbol[] {
  for (let at = image.indexOf(DIGITS); at >= 0; at = image.indexOf(DIGITS, at + 1)) {
    const tokens = tokensAround(image, at);
    if (!tokens) continue;
    for (let markers = tokens.start & -ALIGNMENT; markers > tokens.start - MOST_BETWEEN; markers -= ALIGNMENT) {
      const symbols = isMarkers(image, markers) ? symbolsBefore(image, markers, tokens.strings) : [];
      if (symbols.length > 0) return symbols;
    }
  }
  return [];
}

/** The table of tokens that holds the digits at `digits`, if its index follows. */
function tokensAround(image: Buffer, digits: number): { start: number; strings: string[] } | null {
  for (let index = (digits + DIGITS.length) & -ALIGNMENT; index < digits + 4096; index += ALIGNMENT) {
    if (index + 2 * TOKENS > image.length) return null;
    const offsets = Array.from({ length: TOKENS }, (_, token) => image.readUInt16LE(index + 2 * token));
    const start = digits - (offsets[FIRST_DIGIT] ?? 0);
    if (offsets[0] !== 0 || start < 0) continue;
    const isIndex = offsets.every((offset, token) => token === 0 || image[start + offset - 1] === 0);
    if (!isIndex || offsets.some((offset, token) => token > 0 && offset <= (offsets[token - 1] ?? 0))) continue;
    return { start, strings: offsets.map((at) => image.toString('latin1', start + at, image.indexOf(0, start + at))) };
  }
  return null;
}

/** Whether a table of markers may begin here: 0, and then growing by what 256 names take. */
function isMarkers(image: Buffer, at: number): boolean {
  if (at < 0 || at + 16 > image.length || image.readUInt32LE(at) !== 0) return false;
  const steps = [4, 8, 12].map((next) => image.readUInt32LE(at + next) - image.readUInt32LE(at + next - 4));
  return steps.every((step) => step >= 2 * PER_MARKER && step <= MOST_AFTER_MARKER);
}

function symbolsBefore(image: Buffer, markers: number, tokens: readonly string[]): EmbeddedSymbol[] {
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
    if (symbols) return symbols;
  }
  return [];
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
