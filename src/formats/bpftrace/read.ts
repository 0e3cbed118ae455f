import type { CensusBuilder } from '../builder.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { feedLines, isBinary, SingleLines } from '../lines.ts';
import { type ByteStream, type FormatReader, MalformedInput, type ReaderOptions, type SniffResult } from '../reader.ts';
import { type BpfFrame, type MapValue, parseBucket, parseFrame, parseValue } from './grammar.ts';
import { BpfMaps } from './maps.ts';

/** bpftrace prints a map of its JSON on one line: with 4096 entries, which is its limit, some megabytes. */
const LONGEST_LINE = 64 << 20;
/** A key goes on for so many lines at most. */
const LONGEST_KEY = 4096;
/** A single line that looks like a frame may be anything. */
const FEWEST_FRAMES = 2;

const TEXT_SIGNS =
  /^Attach(?:ing|ed) \d+ probes?(?:\.\.\.)?[ \r]*$|@\w*\[(?:[^\]\n]{0,200}, ?)?\r?\n[ \t]*(?:0x[0-9a-f]{6,16}|\S.{0,500}\+\d+)/m;
/** No other tool prints offsets in decimal digits. */
const STACK_SIGNS = /^[ \t]+[A-Za-z_][\w.]{0,200}\+\d+\r?\n[ \t]+[A-Za-z_][\w.]{0,200}\+\d+\r?$/m;
const JSON_SIGNS = /^\{ ?"type": ?"(?:attached_probes|map|hist|stats|lhist|printf|lost_events|value)", ?"data":/m;

/**
 * What bpftrace prints of maps with stacks among their keys, as text and as JSON (`-f json`), and stacks that a script
 * prints itself. The output of the workload may be mixed in.
 *
 *     @[
 *         vfs_read+12
 *         ksys_read+34
 *     , db_bench]: 113
 */
export const bpftraceReader: FormatReader = {
  name: 'bpftrace',
  summary: 'maps and stacks that bpftrace printed, as text or JSON',
  carries: ['targets', 'process', 'argument', 'measures', 'losses', 'offsets', 'modules', 'user frames'],
  options: [{ name: 'sums', flag: '--sums', summary: "the numbers of bpftrace's maps are sums, not counts" }],

  sniff(head: Buffer): SniffResult {
    if (isBinary(head)) return 'no';
    const text = head.toString('latin1');
    return [TEXT_SIGNS, JSON_SIGNS, STACK_SIGNS].some((signs) => signs.test(text)) ? 'yes' : 'no';
  },

  async read(
    bytes: ByteStream,
    builder: CensusBuilder,
    diagnostics: Diagnostics,
    options: ReaderOptions,
  ): Promise<void> {
    const parser = new BpftraceParser(builder, diagnostics, options.sums === true);
    await feedLines(bytes, parser, diagnostics, LONGEST_LINE);
    parser.finish();
  },
};

/** An entry whose key goes over several lines. */
interface OpenEntry {
  readonly map: string;
  readonly line: number;
  readonly key: string[];
}

class BpftraceParser extends SingleLines {
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  readonly #maps: BpfMaps;
  #open: OpenEntry | null = null;
  /** An entry whose value is a histogram on the lines below, and what was counted in it. */
  #histogram: { readonly map: string; readonly key: string; count: number } | null = null;
  /** A stack that is printed by itself. */
  #frames: BpfFrame[] = [];
  #lost = 0;

  constructor(builder: CensusBuilder, diagnostics: Diagnostics, areSums: boolean) {
    super();
    this.#builder = builder;
    this.#diagnostics = diagnostics;
    this.#maps = new BpfMaps(builder, areSums);
  }

  protected override readLine(buffer: Buffer, start: number, newline: number): void {
    const line = buffer.toString('utf8', start, newline);
    const json = line.startsWith('{') ? recordIn(line) : null;
    if (json) this.#record(json);
    else this.#text(line.trimEnd());
  }

  finish(): void {
    this.#endStack();
    this.#endHistogram();
    if (this.#open) this.#giveUp(this.#open, 'the key has no end');
    const { census } = this.#builder;
    if (this.#maps.printed > 0) census.lose({ code: 'ring-buffer-full' }, this.#lost);
    this.#maps.finish();
    if (census.attributed === 0 && this.#maps.withoutStack > 0) throw new MalformedInput(NO_STACKS);
  }

  #text(line: string): void {
    if (this.#open) {
      this.#continue(this.#open, line);
      return;
    }
    if (this.#histogram) {
      const count = parseBucket(line);
      if (count >= 0) {
        this.#histogram.count += count;
        return;
      }
      this.#endHistogram();
    }
    const frame = parseFrame(line);
    if (frame && /^\s/.test(line)) {
      this.#frames.push(frame);
      return;
    }
    this.#endStack();
    if (line.includes('@')) this.#entry(line);
    else if (line.startsWith('Lost ')) this.#lost += Number(/^Lost (\d{1,15}) events$/.exec(line)?.[1] ?? 0);
    else if (line.includes('Map full; can')) this.#builder.census.warn({ code: 'maps-were-full' });
  }

  /** `@[`, `@x[comm, `, `@[comm]: 12`; other output may stand before it. */
  #entry(line: string): void {
    const bracket = startOfKey(line);
    if (bracket < 0) return;
    const map = /@\w*$/.exec(line.slice(Math.max(bracket - LONGEST_NAME, 0), bracket))?.[0] ?? '@';
    const rest = line.slice(bracket + 1);
    const whole = END.exec(rest);
    if (whole) this.#value(map, whole[1] ?? '', whole[2] ?? '');
    else if (rest === '' || /,$/.test(rest.trimEnd())) this.#open = { map, line: this.line, key: [rest] };
  }

  #continue(open: OpenEntry, line: string): void {
    const isFrame = parseFrame(line, true) !== null;
    const end = isFrame ? null : END.exec(line);
    if (end) {
      this.#open = null;
      this.#value(open.map, [...open.key, end[1] ?? ''].join('\n'), end[2] ?? '');
    } else if (isFrame || /^ ?,/.test(line)) {
      open.key.push(line);
      if (open.key.length > LONGEST_KEY) this.#giveUp(open, 'a key of too many lines');
    } else if (/^@\w*\[/.test(line)) {
      this.#giveUp(open, 'the key has no end');
      this.#text(line);
    }
    // Anything else was printed by somebody else meanwhile.
    else if (line.trim() !== '') this.#diagnostics.skip(this.line, line, 'not a line of a key');
  }

  #giveUp(open: OpenEntry, why: string): void {
    this.#diagnostics.skip(open.line, `${open.map}[${open.key.join(' ').trim()}`, why);
    this.#builder.census.lose({ code: 'trace-without-frames' }, 1);
    this.#open = null;
  }

  #value(map: string, key: string, text: string): void {
    if (text === '') {
      this.#histogram = { map, key, count: 0 };
      return;
    }
    const value = parseValue(text);
    if (value) this.#maps.entry(map, key, value);
    else if (/\+\d/.test(key)) this.#diagnostics.skip(this.line, text, 'neither a count nor a sum');
  }

  #endHistogram(): void {
    const histogram = this.#histogram;
    this.#histogram = null;
    if (histogram) this.#maps.entry(histogram.map, histogram.key, counted(histogram.count));
  }

  #endStack(): void {
    if (this.#frames.length >= FEWEST_FRAMES) this.#maps.stack(this.#frames);
    this.#frames = [];
  }

  /** A line of `bpftrace -f json`. */
  #record({ type, data }: JsonRecord): void {
    this.#endStack();
    if (type === 'printf' && typeof data === 'string') {
      for (const line of data.split('\n')) this.#text(line.trimEnd());
      this.#endStack();
      return;
    }
    if (typeof data !== 'object' || data === null) return;
    if (type === 'lost_events' && 'events' in data) this.#lost += Number(data.events) || 0;
    for (const [map, entries] of keyedMaps(type, data)) {
      for (const [key, value] of Object.entries(entries)) {
        const read = jsonValue(value);
        if (read) this.#maps.entry(map, key, read);
        else if (/\+\d/.test(key)) this.#diagnostics.skip(this.line, key.trim(), 'neither a count nor a sum');
      }
    }
  }
}

/** Names of maps are short. */
const LONGEST_NAME = 128;

/** Where the bracket of the last map stands that begins in a line: `... finished 100 ops @x[`; -1 where none does. */
function startOfKey(line: string): number {
  for (let at = line.lastIndexOf('@'); at >= 0; at = at === 0 ? -1 : line.lastIndexOf('@', at - 1)) {
    let end = at + 1;
    while (/\w/.test(line.charAt(end))) end += 1;
    if (line[end] === '[' && !/[\w"']/.test(line.charAt(at - 1))) return end;
  }
  return -1;
}

/** Where a key ends, and the value behind it. */
const END = /^(.*)\]: ?(.*)$/;

const NO_STACKS = 'no map has a stack among its keys; @[kstack] = count() counts by stack';

interface JsonRecord {
  readonly type: string;
  readonly data: unknown;
}

function recordIn(line: string): JsonRecord | null {
  if (!/^\{ ?"type":/.test(line)) return null;
  try {
    const { type, data } = JSON.parse(line) as { type?: unknown; data?: unknown };
    return typeof type === 'string' ? { type, data } : null;
  } catch {
    return null;
  }
}

/** The maps of a record that have keys. */
function keyedMaps(type: string, data: object): [string, object][] {
  if (!/^(?:map|hist|lhist|stats)$/.test(type)) return [];
  return Object.entries(data).filter(
    (entry): entry is [string, object] => typeof entry[1] === 'object' && entry[1] !== null && !Array.isArray(entry[1]),
  );
}

/** A number, `{"count": 1, "average": 2, "total": 2}`, or `[{"min": 2, "max": 3, "count": 1}, …]`. */
function jsonValue(value: unknown): MapValue | null {
  if (Array.isArray(value)) {
    return counted(
      value.reduce((sum: number, bucket) => sum + (Number((bucket as { count?: unknown })?.count) || 0), 0),
    );
  }
  if (typeof value === 'object' && value !== null) {
    const { count, total } = value as { count?: unknown; total?: unknown };
    return typeof count === 'number' ? { number: -1, count, sum: Number(total) || 0 } : null;
  }
  return typeof value === 'number' && Number.isSafeInteger(value) ? { number: value, count: -1, sum: -1 } : null;
}

/** The entry of a histogram: how often is told, and no sum. */
function counted(count: number): MapValue {
  return { number: -1, count, sum: -1 };
}
