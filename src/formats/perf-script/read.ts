import { type KeyId, NO_KEY } from '../../census/call-key.ts';
import type { Frame } from '../../census/stack-table.ts';
import type { CensusBuilder, PeeledStack } from '../builder.ts';
import { ByteCache } from '../byte-cache.ts';
import { hashBytes, hashSample } from '../byte-intern.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { feedLines, type LineConsumer } from '../lines.ts';
import type { ByteStream, FormatReader } from '../reader.ts';
import {
  findTime,
  isBesideFrames,
  isDigit,
  type PerfFrame,
  type PerfHeader,
  parseEvent,
  parseFrame,
  parseInlineFrame,
  parseTask,
  parseUntimed,
} from './grammar.ts';
import { type KnownEvent, type Sample, SampleBooks } from './samples.ts';
import { sniffPerfScript } from './sniff.ts';

const NEWLINE = 10;
const TAB = 9;
const BLANK = 32;
const COLON = 0x3a;
const HASH = 0x23;
const CARRIAGE_RETURN = 13;
const CAPITAL_P = 0x50;

/** A stack longer than this is none: kernels stop at 127 frames by default. */
const MAXIMUM_BLOCK = 1 << 18;
/** Frames of one stack that stand between empty lines. */
const MAXIMUM_SPACED_FRAMES = 4096;

/**
 * The output of `perf script`: a header line for every sample, then a line for every frame, innermost first, then an
 * empty line. Which fields the header has depends on how it was recorded and on `-F`; grammar.ts lists them.
 *
 *     perf   196 [000]    18.873442:          1 mem:0xffffffff8e7ea5b0:x:
 *     	ffffffff8e7ea5b0 rb_insert_color+0x0 ([kernel.kallsyms])
 */
export const perfScriptReader: FormatReader = {
  name: 'perf-script',
  summary: 'output of perf script',
  carries: ['targets', 'process', 'pid', 'CPU', 'losses', 'offsets', 'modules', 'user frames'],
  sniff: sniffPerfScript,

  async read(bytes: ByteStream, builder: CensusBuilder, diagnostics: Diagnostics): Promise<void> {
    const parser = new PerfScriptParser(builder, diagnostics);
    await feedLines(bytes, parser, diagnostics);
    parser.finish();
  },
};

/** A stack as printed, learnt once. */
interface Block {
  readonly stack: PeeledStack;
  /** Number of lines. */
  readonly lines: number;
}

/** A sample whose stack has not begun right below its header: it may come after empty lines. */
interface OpenSample {
  readonly sample: Sample;
  readonly frames: Frame[];
}

/** Looks at lines one after the other, at headers and stacks by their bytes: most of them have come before. */
class PerfScriptParser implements LineConsumer {
  line = 0;
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  readonly #books: SampleBooks;
  readonly #blocks = new ByteCache<Block>();
  readonly #frames = new ByteCache<Frame>();
  readonly #tasks = new ByteCache<KeyId>();
  readonly #events = new ByteCache<KnownEvent>();
  readonly #untimed = new ByteCache<PerfHeader>();
  #open: OpenSample | null = null;
  /** Stacks whose header is missing in a file that has headers. */
  #headlessStacks = 0;
  #hasHeaders = false;

  constructor(builder: CensusBuilder, diagnostics: Diagnostics) {
    this.#builder = builder;
    this.#diagnostics = diagnostics;
    this.#books = new SampleBooks(builder);
  }

  skipLine(): void {
    this.line += 1;
  }

  consume(buffer: Buffer, start: number, end: number, isLast: boolean): number {
    let at = start;
    while (at < end) {
      const first = buffer[at];
      if (first === NEWLINE) {
        this.line += 1;
        at += 1;
        continue;
      }
      const newline = buffer.indexOf(NEWLINE, at);
      // A process may be called #.
      const isComment = first === HASH && !findTime(buffer, at, newline);
      if (isComment || first === CARRIAGE_RETURN || (first === BLANK && isEmpty(buffer, at, newline))) {
        this.line += 1;
        if (isComment) this.#books.comment(latin1(buffer, at, newline).trimEnd());
        at = newline + 1;
        continue;
      }
      // A sample is read as a whole, with its frames; if they are not all here yet, it waits for more.
      const isComplete = newline + 1 < end || isLast;
      if (!isComplete) return at;
      const isStack = isFrame(buffer, at);
      let stackEnd = newline + 1;
      // Below a header a tab says enough.
      if (isStack || (stackEnd < end && (buffer[stackEnd] === TAB || isFrame(buffer, stackEnd)))) {
        stackEnd = endOfFrames(buffer, newline, end);
        if (stackEnd < 0 && !isLast && end - at < MAXIMUM_BLOCK) return at;
        if (stackEnd < 0) stackEnd = end;
      }
      at = isStack ? this.#headless(buffer, at, stackEnd) : this.#sample(buffer, at, newline, stackEnd);
    }
    return at;
  }

  finish(): void {
    this.#closeSample();
    this.#books.finish();
    this.#builder.census.lose({ code: 'event-line-missing' }, this.#headlessStacks);
  }

  /** Reads the sample whose header is [at, newline) and whose frames are (newline, framesEnd); returns what follows it. */
  #sample(buffer: Buffer, at: number, newline: number, framesEnd: number): number {
    this.#closeSample();
    this.line += 1;
    const hasFrames = framesEnd > newline + 1;
    const sample = this.#timed(buffer, at, newline, hasFrames) ?? this.#untimedHeader(buffer, at, newline, hasFrames);
    if (!sample) {
      const text = latin1(buffer, at, newline).trimEnd();
      if (this.#books.record(text)) return newline + 1;
      this.#diagnostics.skip(this.line, text, 'not an event line of perf script');
      if (hasFrames) this.#headlessStacks += 1;
      this.line += countLines(buffer, newline + 1, framesEnd);
      return framesEnd;
    }
    this.#hasHeaders = true;
    if (!hasFrames) {
      const frame = sample.rest === '' ? null : parseInlineFrame(sample.rest);
      if (frame) this.#books.add(this.#builder.stack([this.#books.frame(frame)]), sample);
      else this.#open = { sample, frames: [] };
      return framesEnd;
    }
    const hash = hashSample(buffer, newline + 1, framesEnd);
    const known = this.#blocks.get(buffer, newline + 1, framesEnd, hash);
    if (known) {
      this.line += known.lines;
      this.#books.add(known.stack, sample);
      return framesEnd;
    }
    const { frames, lines, end } = this.#readFrames(buffer, newline + 1, framesEnd);
    const block = { stack: this.#builder.stack(frames), lines };
    // The frames may end without an empty line: what follows them is another sample.
    if (end === framesEnd) this.#blocks.keep(buffer, newline + 1, framesEnd, hash, block);
    this.#books.add(block.stack, sample);
    return end;
  }

  /** Reads a header with a time stamp, in place; null for any other text. */
  #timed(buffer: Buffer, at: number, newline: number, hasFrames: boolean): Sample | null {
    for (let time = findTime(buffer, at, newline); time; time = findTime(buffer, at, newline, time.end)) {
      let p = skipBlanks(buffer, time.end);
      let period = -1;
      let digits = p;
      let number = 0;
      while (isDigit(buffer[digits])) number = number * 10 + (buffer[digits++] as number) - 0x30;
      if (digits > p && isBlank(buffer[digits])) {
        period = number;
        p = skipBlanks(buffer, digits);
      }
      const colon = endOfEvent(buffer, p, newline);
      if (colon >= 0) {
        if (buffer[p] === CAPITAL_P && latin1(buffer, p, colon).startsWith('PERF_RECORD_')) return null;
        const event = this.#event(buffer, p, colon);
        const rest = hasFrames ? '' : latin1(buffer, colon + 1, newline);
        return this.#books.sample(this.#task(buffer, at, time.start), event, period, rest);
      }
      const text = latin1(buffer, time.end, newline).trimEnd();
      const event = parseEvent(text) ?? (parseInlineFrame(text) ? { name: '', period, rest: text } : null);
      if (event) {
        const task = this.#task(buffer, at, time.start);
        return this.#books.sample(task, this.#books.event(event.name), event.period, event.rest);
      }
    }
    return null;
  }

  /** Reads a header without a time stamp; null for any other text. */
  #untimedHeader(buffer: Buffer, at: number, newline: number, hasFrames: boolean): Sample | null {
    const hash = hashBytes(buffer, at, newline);
    let header = hasFrames ? this.#untimed.get(buffer, at, newline, hash) : undefined;
    if (!header) {
      const text = buffer.toString('utf8', at, Math.min(newline, at + LONGEST_TEXT)).trimEnd();
      if (/(?:^|\s)PERF_RECORD_/.test(text)) return null;
      header = parseUntimed(text, hasFrames) ?? undefined;
      if (!header) return null;
      if (hasFrames) this.#untimed.keep(buffer, at, newline, hash, header);
    }
    const { task, event } = header;
    return this.#books.sample(this.#builder.task(task), this.#books.event(event.name), event.period, event.rest);
  }

  /** Reads frames that no header stands above; returns where they end. */
  #headless(buffer: Buffer, at: number, framesEnd: number): number {
    if (this.#hasHeaders && !this.#open) {
      this.line += 1;
      this.#diagnostics.skip(this.line, latin1(buffer, at, buffer.indexOf(NEWLINE, at)), 'a frame without an event');
      this.line += countLines(buffer, at, framesEnd) - 1;
      this.#headlessStacks += 1;
      return framesEnd;
    }
    const { frames, end } = this.#readFrames(buffer, at, framesEnd);
    if (this.#open) {
      // Where empty lines stand between header and stack, they may stand between frames as well.
      const room = MAXIMUM_SPACED_FRAMES - this.#open.frames.length;
      this.#open.frames.push(...frames.slice(0, room));
    } else this.#books.add(this.#builder.stack(frames), this.#books.sample(NO_KEY, this.#books.event(''), -1, ''));
    return end;
  }

  /** Books the sample whose stack was still to come. */
  #closeSample(): void {
    if (!this.#open) return;
    const { sample, frames } = this.#open;
    this.#open = null;
    if (frames.length > 0) this.#books.add(this.#builder.stack(frames), sample);
    else this.#books.addWithoutStack(sample);
  }

  #readFrames(buffer: Buffer, start: number, end: number): { frames: Frame[]; lines: number; end: number } {
    const frames: Frame[] = [];
    let lines = 0;
    let at = start;
    while (at < end) {
      const newline = buffer.indexOf(NEWLINE, at);
      const frame = isEmpty(buffer, at, newline) ? 'no frame' : this.#frame(buffer, at, newline);
      if (frame === 'no frame') break;
      if (frame) frames.push(frame);
      lines += 1;
      this.line += 1;
      at = newline + 1;
    }
    return { frames, lines, end: at };
  }

  /** A frame of a stack; null for a line that belongs beside it. */
  #frame(buffer: Buffer, at: number, newline: number): Frame | null | 'no frame' {
    const hash = hashBytes(buffer, at, newline);
    const known = this.#frames.get(buffer, at, newline, hash);
    if (known) return known;
    const text = latin1(buffer, at, newline).trimEnd();
    const parsed = parseFrame(text);
    const isIndented = buffer[at] === TAB || buffer[at] === BLANK;
    if (parsed && !isHeader(buffer, at, newline, isIndented)) {
      return this.#frames.keep(buffer, at, newline, hash, this.#books.frame(parsed));
    }
    if (!isIndented || isHeader(buffer, at, newline, false)) return 'no frame';
    if (isBesideFrames(text)) return null;
    this.#diagnostics.skip(this.line + 1, text, 'not a frame of perf script');
    return this.#books.frame(UNREAD);
  }

  #task(buffer: Buffer, start: number, end: number): KeyId {
    const hash = hashBytes(buffer, start, end);
    return (
      this.#tasks.get(buffer, start, end, hash) ??
      this.#tasks.keep(buffer, start, end, hash, this.#builder.task(parseTask(buffer.toString('utf8', start, end))))
    );
  }

  #event(buffer: Buffer, start: number, end: number): KnownEvent {
    const hash = hashBytes(buffer, start, end);
    return (
      this.#events.get(buffer, start, end, hash) ??
      this.#events.keep(buffer, start, end, hash, this.#books.event(latin1(buffer, start, end)))
    );
  }
}

/** Keeps the place of a frame that could not be read: its caller must not be taken for it. */
const UNREAD: PerfFrame = { raw: '[unknown]', offset: -1, module: '', space: 'kernel' };

/** Whether a line that could be a frame is a header; of a line that has the form of a frame only a time stamp says so. */
function isHeader(buffer: Buffer, at: number, newline: number, looksLikeFrame: boolean): boolean {
  if (findTime(buffer, at, newline)) return true;
  return !looksLikeFrame && parseUntimed(latin1(buffer, at, newline), false) !== null;
}

/** Whether a line is a frame. */
function isFrame(buffer: Buffer, at: number): boolean {
  const first = buffer[at];
  if (first !== TAB && first !== BLANK && !startsWithAddress(buffer, at)) return false;
  const newline = buffer.indexOf(NEWLINE, at);
  return !isHeader(buffer, at, newline, false) && parseFrame(latin1(buffer, at, newline)) !== null;
}

/** Hexadecimal digits up to a blank: `ffffffff8103d0ca native_write_msr_safe`, its indentation lost. */
function startsWithAddress(buffer: Buffer, at: number): boolean {
  let p = at;
  for (; p < at + 16; p++) {
    const byte = buffer[p] as number;
    if (!isDigit(byte) && (byte < 0x61 || byte > 0x66)) break;
  }
  return p > at && isBlank(buffer[p]);
}

const EMPTY_LINE = Buffer.from('\n\n');
const EMPTY_LINE_CRLF = Buffer.from('\n\r\n');

/** How far away an empty line is looked for, in bytes: most stacks are shorter, and where empty lines are missing every sample looks. */
const NEAR = 1 << 13;

/**
 * The end of the frames that follow the newline, their last newline included; -1 if the bytes end before they do. An
 * empty line ends them, or any line that cannot be a frame.
 */
function endOfFrames(buffer: Buffer, newline: number, end: number): number {
  const empty = buffer[newline - 1] === CARRIAGE_RETURN ? EMPTY_LINE_CRLF : EMPTY_LINE;
  const found = buffer.subarray(newline, Math.min(end, newline + NEAR)).indexOf(empty);
  if (found >= 0) return newline + found + 1;
  const limit = Math.min(end, newline + MAXIMUM_BLOCK);
  let at = newline + 1;
  while (at < limit) {
    const first = buffer[at];
    if (first !== TAB && first !== BLANK && !startsWithAddress(buffer, at)) return at;
    at = buffer.indexOf(NEWLINE, at) + 1;
  }
  return at < end ? at : -1;
}

/** The colon that ends an event's name: one before a blank or the end of the line; -1 where there is none. */
function endOfEvent(buffer: Buffer, start: number, newline: number): number {
  for (let i = start; i < newline; i++) {
    const byte = buffer[i];
    if (byte === BLANK || byte === TAB) return -1;
    if (byte === COLON && isBlank(buffer[i + 1])) return i === start ? -1 : i;
  }
  return -1;
}

/** A blank or what ends a line. */
function isBlank(byte: number | undefined): boolean {
  return byte === BLANK || byte === TAB || byte === NEWLINE || byte === CARRIAGE_RETURN;
}

function isEmpty(buffer: Buffer, at: number, newline: number): boolean {
  let p = at;
  while (p < newline && isBlank(buffer[p])) p += 1;
  return p >= newline;
}

function skipBlanks(buffer: Buffer, at: number): number {
  let p = at;
  while (buffer[p] === BLANK || buffer[p] === TAB) p += 1;
  return p;
}

function countLines(buffer: Buffer, start: number, end: number): number {
  let lines = 0;
  for (let at = buffer.indexOf(NEWLINE, start); at >= 0 && at < end; at = buffer.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

/** As much of a line as is looked at, in bytes. */
const LONGEST_TEXT = 4096;

function latin1(buffer: Buffer, start: number, end: number): string {
  return buffer.toString('latin1', start, Math.min(end, start + LONGEST_TEXT));
}
