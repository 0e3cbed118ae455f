import { type KeyId, NO_KEY } from '../../census/call-key.ts';
import { NO_TARGET, type TargetId } from '../../census/row-table.ts';
import type { Frame } from '../../census/stack-table.ts';
import { normaliseSymbol } from '../../census/symbol-name.ts';
import type { CensusBuilder, PeeledStack } from '../builder.ts';
import { ByteIntern, hashBytes, hashSample } from '../byte-intern.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { feedLines, type LineConsumer } from '../lines.ts';
import type { ByteStream, FormatReader, SniffResult } from '../reader.ts';
import { parsePerfFrame } from './frame.ts';
import { isDigit, type PerfEvent, parsePerfEvent, parsePerfTask, parseUntimed, splitAtTime } from './header.ts';

const NEWLINE = 10;
const TAB = 9;
const BLANK = 32;
const COLON = 0x3a;
const HASH = 0x23;
const CARRIAGE_RETURN = 13;

/** A stack longer than this is none: kernels stop at 127 frames by default. */
const MAXIMUM_BLOCK = 1 << 18;

/** Texts remembered at once, in bytes: inputs with very many distinct stacks are read a little slower, not with more memory. */
const MAXIMUM_CACHE = 24 << 20;

/** Events that measure time or work, not calls: their period is no number of calls. */
const MEASURES =
  /^(?:cpu-clock|task-clock|cycles|instructions|ref-cycles|bus-cycles|slots|cpu_core\/|cpu_atom\/|cpu\/)/;

/**
 * The output of `perf script`: a line for every event, then a line for every frame, innermost first, then an empty
 * line. Which fields the event line has depends on how it was recorded and on `-F`.
 *
 *     perf   196 [000]    18.873442:          1 mem:0xffffffff8e7ea5b0:x:
 *     	ffffffff8e7ea5b0 rb_insert_color+0x0 ([kernel.kallsyms])
 */
export const perfScriptReader: FormatReader = {
  name: 'perf-script',
  summary: 'output of perf script',

  sniff(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
    const text = head.toString('latin1');
    const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
    let frames = 0;
    for (const [i, line] of lines.entries()) {
      if (line === '' || line.startsWith('#')) continue;
      // Two frames below each other are enough even where no event line is printed (-F ip,sym).
      frames = /^\t\s*[0-9a-f]{1,16} \S/.test(line) && parsePerfFrame(line) ? frames + 1 : 0;
      if (frames === 2) return 'yes';
      const event = parseHeader(line);
      if (!event) continue;
      // An event, then an indented address; or, without call chains, the address behind the event.
      if (/^\s+[0-9a-f]{1,16}\s+\S/.test(lines[i + 1] ?? '') || /^[0-9a-f]{8,16}\s+\S/.test(event.rest)) return 'yes';
      if (event.name !== '' && /^\t\S+(?:\+0x[0-9a-f]+)?(?: \(.*\))?$/.test(lines[i + 1] ?? '')) return 'yes';
    }
    const isHeaderOnly = lines.slice(0, -1).every((line) => line === '' || line.startsWith('#'));
    return !isWhole && isHeaderOnly && /^# (?:captured on|hostname|perf version|cmdline) ?:/m.test(text)
      ? 'more'
      : 'no';
  },

  async read(bytes: ByteStream, builder: CensusBuilder, diagnostics: Diagnostics): Promise<void> {
    const parser = new PerfScriptParser(builder, diagnostics);
    await feedLines(bytes, parser, diagnostics);
    parser.finish();
  },
};

function parseHeader(line: string): PerfEvent | null {
  const bytes = Buffer.from(line, 'latin1');
  const parts = splitAtTime(bytes, 0, bytes.length);
  if (!parts) return parseUntimed(line, false)?.event ?? null;
  return parsePerfEvent(line.slice(parts.rest));
}

/** A stack as printed, learnt once. */
interface Block {
  readonly stack: PeeledStack;
  /** Number of lines. */
  readonly lines: number;
}

interface KnownEvent {
  readonly name: string;
  /** The period says how often the event happened, and the event is a call. */
  readonly countsCalls: boolean;
}

class PerfScriptParser implements LineConsumer {
  line = 0;
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  #blockTexts = new ByteIntern();
  #blocks: Block[] = [];
  #frameTexts = new ByteIntern();
  #frames: (Frame | null)[] = [];
  readonly #taskTexts = new ByteIntern();
  readonly #tasks: KeyId[] = [];
  readonly #eventTexts = new ByteIntern();
  readonly #events: KnownEvent[] = [];
  #withoutStack = 0;
  /** Stacks whose event line is missing in a file that has event lines. */
  #headlessStacks = 0;
  #hasEvents = false;

  constructor(builder: CensusBuilder, diagnostics: Diagnostics) {
    this.#builder = builder;
    this.#diagnostics = diagnostics;
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
      if (first === TAB) {
        // Frames without an event line: the event line was lost, or none is printed at all.
        let framesEnd = endOfFrames(buffer, buffer.indexOf(NEWLINE, at), end);
        if (framesEnd < 0) {
          if (!isLast && end - at < MAXIMUM_BLOCK) return at;
          framesEnd = Math.min(end, lastLineEnd(buffer, at + MAXIMUM_BLOCK, end));
        }
        at = this.#headless(buffer, at, framesEnd);
        continue;
      }
      if (first === HASH || first === CARRIAGE_RETURN) {
        this.line += 1;
        this.#aside(buffer.toString('latin1', at, Math.min(newline, at + 4096)).trimEnd());
        at = newline + 1;
        continue;
      }
      // An event is read as a whole, with its frames; if they are not all here yet, it waits for more.
      const isComplete = newline + 1 < end || isLast;
      if (!isComplete) return at;
      let frames = newline + 1;
      if (isFrameStart(buffer, frames, end)) {
        frames = endOfFrames(buffer, newline, end);
        if (frames < 0) {
          if (!isLast && end - at < MAXIMUM_BLOCK) return at;
          frames = Math.min(end, lastLineEnd(buffer, at + MAXIMUM_BLOCK, end));
        }
      }
      at = this.#event(buffer, at, newline, frames);
    }
    return at;
  }

  finish(): void {
    this.#builder.census.lose({ code: 'sample-without-stack' }, this.#withoutStack);
    this.#builder.census.lose({ code: 'event-line-missing' }, this.#headlessStacks);
  }

  /** Reads the event whose line is [at, newline) and whose frames are (newline, framesEnd); returns what follows it. */
  #event(buffer: Buffer, at: number, newline: number, framesEnd: number): number {
    this.line += 1;
    const parts = splitAtTime(buffer, at, newline);
    let task: KeyId | undefined;
    let event: KnownEvent | undefined;
    let period = 1;
    let rest = '';
    if (parts) {
      task = this.#task(buffer, at, parts.taskEnd);
      let p = skipBlanks(buffer, parts.rest);
      let digits = p;
      let number = 0;
      while (isDigit(buffer[digits])) number = number * 10 + (buffer[digits++] as number) - 0x30;
      if (digits > p && (buffer[digits] === BLANK || buffer[digits] === NEWLINE)) {
        period = number;
        p = skipBlanks(buffer, digits);
      }
      const colon = endOfEvent(buffer, p, newline);
      if (colon >= 0) {
        event = this.#knownEvent(buffer, p, colon);
        if (framesEnd === newline + 1) rest = latin1(buffer, colon + 1, newline);
      } else if (p >= newline || buffer[p] === CARRIAGE_RETURN) event = NO_EVENT;
      else if (this.#record(latin1(buffer, p, newline))) return framesEnd;
    } else {
      const line = latin1(buffer, at, newline).trimEnd();
      if (this.#record(line)) return framesEnd;
      const untimed = parseUntimed(line, framesEnd > newline + 1);
      if (untimed) {
        task = this.#builder.task(untimed.task);
        event = eventOf(untimed.event.name);
        period = untimed.event.period < 0 ? 1 : untimed.event.period;
        rest = untimed.event.rest;
      }
    }
    if (task === undefined || !event) {
      this.#diagnostics.skip(this.line, latin1(buffer, at, newline), 'not an event line of perf script');
      this.line += countLines(buffer, newline + 1, framesEnd);
      return framesEnd;
    }
    this.#hasEvents = true;
    const calls = event.countsCalls && Number.isSafeInteger(period) ? Math.max(1, period) : 1;
    if (framesEnd === newline + 1) {
      this.#inlineFrame(rest, task, event, calls);
      return framesEnd;
    }
    const hash = hashSample(buffer, newline + 1, framesEnd);
    let id = this.#blockTexts.find(buffer, newline + 1, framesEnd, hash);
    if (id < 0) {
      const read = this.#readFrames(buffer, newline + 1, framesEnd);
      if (read.end < framesEnd) {
        // The frames ended without an empty line: what follows them is another event.
        this.#add(this.#builder.stack(read.frames), task, event, calls);
        return read.end;
      }
      if (this.#blockTexts.length > MAXIMUM_CACHE) this.#forgetBlocks();
      id = this.#blockTexts.add(buffer, newline + 1, framesEnd, hash);
      this.#blocks[id] = { stack: this.#builder.stack(read.frames), lines: read.lines };
    } else this.line += this.#blocks[id]?.lines ?? 0;
    this.#add((this.#blocks[id] as Block).stack, task, event, calls);
    return framesEnd;
  }

  /** Reads frames that no event line precedes; returns where they end. */
  #headless(buffer: Buffer, at: number, framesEnd: number): number {
    if (this.#hasEvents) {
      this.line += 1;
      this.#diagnostics.skip(this.line, latin1(buffer, at, buffer.indexOf(NEWLINE, at)), 'a frame without an event');
      this.line += countLines(buffer, at, framesEnd) - 1;
      this.#headlessStacks += 1;
      return framesEnd;
    }
    const { frames, end } = this.#readFrames(buffer, at, framesEnd);
    this.#add(this.#builder.stack(frames), NO_KEY, NO_EVENT, 1);
    return end;
  }

  /** `-g` was not given: the one frame stands on the event's line, if at all. */
  #inlineFrame(rest: string, task: KeyId, event: KnownEvent, calls: number): void {
    const frame = /^\s*[0-9a-f]{8,16}\s/.test(rest) ? this.#frame(` ${rest}`) : null;
    if (frame) this.#add(this.#builder.stack([frame]), task, event, calls);
    else this.#withoutStack += calls;
  }

  #add(peeled: PeeledStack, task: KeyId, event: KnownEvent, calls: number): void {
    const target = peeled.innermost === undefined ? NO_TARGET : this.#targetOf(event.name, peeled);
    this.#builder.add(peeled, task, calls, target);
  }

  /** A breakpoint or probe on a function is named by the function; any other event is its own target. */
  #targetOf(event: string, peeled: PeeledStack): TargetId {
    return this.#builder.census.target(this.#targetName(event, peeled));
  }

  #targetName(event: string, peeled: PeeledStack): string {
    const { symbols } = this.#builder.census;
    const innermost = peeled.innermost === undefined ? '' : symbols.name(peeled.innermost);
    if (event.startsWith('mem:') && innermost !== '') return innermost;
    // `probe:vfs_write`, a second one on it `probe:vfs_write_1`, and what tracefs names by itself `kprobes:p_vfs_write_0`.
    const probe = /^(?:probe\w*:|kprobes:[pr]_)(\w+)$/.exec(event)?.[1];
    if (probe !== undefined && innermost !== '') {
      if ([probe, probe.replace(/(?:__return)?(?:_\d+)?$/, '')].some((name) => normaliseSymbol(name) === innermost)) {
        return innermost;
      }
    }
    return event === '' ? 'samples' : event;
  }

  #readFrames(buffer: Buffer, start: number, end: number): { frames: Frame[]; lines: number; end: number } {
    const frames: Frame[] = [];
    let lines = 0;
    let at = start;
    while (at < end) {
      const first = buffer[at];
      if (first === NEWLINE || first === CARRIAGE_RETURN) {
        lines += 1;
        this.line += 1;
        at = buffer.indexOf(NEWLINE, at) + 1;
        continue;
      }
      if (first !== TAB && first !== BLANK) break;
      const newline = buffer.indexOf(NEWLINE, at);
      lines += 1;
      this.line += 1;
      const frame = this.#knownFrame(buffer, at, newline);
      if (frame) frames.push(frame);
      at = newline + 1;
    }
    return { frames, lines, end: at };
  }

  #knownFrame(buffer: Buffer, at: number, newline: number): Frame | null {
    const hash = hashBytes(buffer, at, newline);
    const known = this.#frameTexts.find(buffer, at, newline, hash);
    if (known >= 0) return this.#frames[known] ?? null;
    const text = latin1(buffer, at, newline).trimEnd();
    const frame = this.#frame(text);
    if (!frame) {
      if (!SOURCE_LINE.test(text)) this.#diagnostics.skip(this.line, text, 'not a frame of perf script');
      return null;
    }
    if (this.#frameTexts.length > MAXIMUM_CACHE) {
      this.#frameTexts = new ByteIntern();
      this.#frames = [];
    }
    this.#frames[this.#frameTexts.add(buffer, at, newline, hash)] = frame;
    return frame;
  }

  #frame(text: string): Frame | null {
    const parsed = parsePerfFrame(text);
    if (!parsed) return null;
    // The bytes were read as latin1; names are UTF-8.
    const raw = utf8(parsed.raw);
    return {
      symbol: this.#builder.census.symbols.intern(raw, utf8(parsed.module), parsed.space),
      offset: parsed.offset,
    };
  }

  #task(buffer: Buffer, start: number, end: number): KeyId {
    const hash = hashBytes(buffer, start, end);
    let id = this.#taskTexts.find(buffer, start, end, hash);
    if (id < 0) {
      id = this.#taskTexts.add(buffer, start, end, hash);
      this.#tasks[id] = this.#builder.task(parsePerfTask(buffer.toString('utf8', start, end)));
    }
    return this.#tasks[id] as KeyId;
  }

  #knownEvent(buffer: Buffer, start: number, end: number): KnownEvent {
    const hash = hashBytes(buffer, start, end);
    let id = this.#eventTexts.find(buffer, start, end, hash);
    if (id < 0) {
      id = this.#eventTexts.add(buffer, start, end, hash);
      this.#events[id] = eventOf(latin1(buffer, start, end));
    }
    return this.#events[id] as KnownEvent;
  }

  /** `PERF_RECORD_LOST lost 12` and other records that are no samples; false for any other text. */
  #record(text: string): boolean {
    const record = /^PERF_RECORD_(\w+)(?:.*\blost (\d+))?/.exec(text);
    if (!record) return false;
    if (record[1]?.startsWith('LOST')) this.#builder.census.lose({ code: 'ring-buffer-full' }, Number(record[2] ?? 1));
    return true;
  }

  /** Comments say what was recorded where. */
  #aside(line: string): void {
    const { facts } = this.#builder.census;
    const [, key = '', value = ''] = /^# ([\w ]+?) : (.*)$/.exec(line) ?? [];
    if (key === 'os release' && !facts.kernels.includes(value)) facts.kernels.push(value);
    if (key === 'nrcpus online') facts.cpus = Number(value) || null;
    if (key === 'cmdline') facts.commands.push(value.trim().split(/\s+/));
  }

  #forgetBlocks(): void {
    this.#blocks = [];
    this.#blockTexts = new ByteIntern();
  }
}

/** Below a frame with `-F +srcline`: `  fair.c:500`, `  ??:0`, `  [kernel.kallsyms][ffffffff8e7ea5b0]`. */
const SOURCE_LINE = /^\s+(?:\S+:\d+(?: \(discriminator \d+\))?|\S*\[[0-9a-f]+\])$/;

const NO_EVENT: KnownEvent = { name: '', countsCalls: false };

function eventOf(name: string): KnownEvent {
  return { name, countsCalls: !MEASURES.test(name) };
}

/** Whether a line is the first frame of a stack: indented, and no event line of a right-aligned process name. */
function isFrameStart(buffer: Buffer, at: number, end: number): boolean {
  if (at >= end) return false;
  if (buffer[at] === TAB) return true;
  if (buffer[at] !== BLANK) return false;
  const newline = buffer.indexOf(NEWLINE, at);
  if (splitAtTime(buffer, at, newline)) return false;
  const text = latin1(buffer, at, newline);
  return parsePerfFrame(text) !== null && parseUntimed(text, false) === null;
}

const EMPTY_LINE = Buffer.from('\n\n');
const EMPTY_LINE_CRLF = Buffer.from('\n\r\n');

/** The end of the frames that follow the newline, their last newline included; -1 if no empty line has come yet. */
function endOfFrames(buffer: Buffer, newline: number, end: number): number {
  const empty = buffer[newline - 1] === CARRIAGE_RETURN ? EMPTY_LINE_CRLF : EMPTY_LINE;
  // A bounded view: where empty lines are missing altogether, every event would search the whole buffer.
  const at = buffer.subarray(newline, Math.min(end, newline + MAXIMUM_BLOCK)).indexOf(empty);
  return at < 0 ? -1 : newline + at + 1;
}

function lastLineEnd(buffer: Buffer, before: number, end: number): number {
  return before >= end ? end : buffer.lastIndexOf(NEWLINE, before) + 1;
}

/** The colon that ends an event's name: one before a blank or the end of the line; -1 where there is none. */
function endOfEvent(buffer: Buffer, start: number, newline: number): number {
  for (let i = start; i < newline; i++) {
    const byte = buffer[i];
    if (byte === BLANK) return -1;
    if (byte === COLON) {
      const next = buffer[i + 1];
      if (next === BLANK || next === NEWLINE || next === CARRIAGE_RETURN || next === TAB) return i;
    }
  }
  return -1;
}

function skipBlanks(buffer: Buffer, at: number): number {
  let p = at;
  while (buffer[p] === BLANK) p += 1;
  return p;
}

function countLines(buffer: Buffer, start: number, end: number): number {
  let lines = 0;
  for (let at = buffer.indexOf(NEWLINE, start); at >= 0 && at < end; at = buffer.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

/** At most 4 KiB of a line as text. */
function latin1(buffer: Buffer, start: number, end: number): string {
  return buffer.toString('latin1', start, Math.min(end, start + 4096));
}

function utf8(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}
