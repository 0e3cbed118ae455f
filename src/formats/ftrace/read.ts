import { NO_KEY } from '../../census/call-key.ts';
import type { Frame } from '../../census/stack-table.ts';
import type { CensusBuilder } from '../builder.ts';
import { ByteCache } from '../byte-cache.ts';
import { hashBytes, hashSample, viewOf } from '../byte-intern.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { feedLines, type LineConsumer } from '../lines.ts';
import { type ByteStream, type FormatReader, MalformedInput } from '../reader.ts';
import { countLines, endOfFrames, isDigit, isFrameLine, text, utf8 } from './bytes.ts';
import { type Block, type Context, FtraceCalls, type Meaning } from './calls.ts';
import { type FtraceFrame, parseContent, parseFrame, parseRecordHead, parseRemark, type Remark } from './grammar.ts';
import { sniffFtrace } from './sniff.ts';

const NEWLINE = 10;
const BLANK = 0x20;
const HASH = 0x23;
const OPEN_PARENTHESIS = 0x28;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const LESS = 0x3c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LETTER_U = 0x75;

/** Of ten, by exponent: times have up to nine decimals. */
const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/**
 * Text of the kernel's function tracer and of its events with stacks: tracefs' `trace`, `trace_pipe`, `snapshot`, and
 * what `trace-cmd report` prints. grammar.ts shows the lines.
 *
 *             bash-140     [001] d..2.    52.443379: enqueue_task_fair <-wake_up_new_task
 *             bash-140     [001] d..2.    52.443690: <stack trace>
 *      => enqueue_task_fair
 *      => wake_up_new_task
 */
export const ftraceReader: FormatReader = {
  name: 'ftrace',
  summary: "the kernel's trace, trace_pipe, snapshot, and trace-cmd report, with stacks",
  carries: ['targets', 'process', 'pid', 'CPU', 'losses', 'offsets', 'modules', 'user frames'],
  sniff: sniffFtrace,

  async read(bytes: ByteStream, builder: CensusBuilder, diagnostics: Diagnostics): Promise<void> {
    const parser = new FtraceParser(builder, diagnostics);
    await feedLines(bytes, parser, diagnostics);
    parser.finish();
  },
};

/** Looks at records and stacks by their bytes: most have come before. */
class FtraceParser implements LineConsumer {
  line = 0;
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  readonly #calls: FtraceCalls;
  readonly #contexts = new ByteCache<Context>();
  readonly #meanings = new ByteCache<Meaning>();
  readonly #blocks = new ByteCache<Block>();
  readonly #frames = new ByteCache<Frame>();
  /** Where the last record had the bracket of its CPU. */
  #bracket = -1;
  #tracer = 'trace';
  /** Entries that the headers of `trace` tell of. */
  #inBuffer = 0;
  #written = 0;
  /** Entries that `trace_pipe` says were overwritten. */
  #overwritten = 0;
  #headlessStacks = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  readonly #nobody: Context;
  /** The buffer that is read. */
  #view = viewOf(Buffer.alloc(0));
  /** The context of the last record in it, and where it stands. */
  #lastHead = -1;
  #lastLength = 0;
  #lastContext: Context;

  constructor(builder: CensusBuilder, diagnostics: Diagnostics) {
    this.#builder = builder;
    this.#diagnostics = diagnostics;
    this.#calls = new FtraceCalls(builder);
    this.#nobody = this.#calls.context(NO_KEY, -1);
    this.#lastContext = this.#nobody;
  }

  skipLine(): void {
    this.line += 1;
  }

  consume(buffer: Buffer, start: number, end: number, isLast: boolean): number {
    this.#view = viewOf(buffer);
    this.#lastHead = -1;
    let at = start;
    while (at < end) {
      const next = this.#record(buffer, at, end, isLast);
      if (next < 0) return at;
      at = next;
    }
    return at;
  }

  /** Reads the line at `at`, and its stack; returns what follows, -1 where the end of the stack is not here yet. */
  #record(buffer: Buffer, at: number, end: number, isLast: boolean): number {
    if (buffer[at] !== HASH) {
      const stamp = this.#repeatsHead(buffer, at, end) ? at + this.#lastLength : this.#head(buffer, at, end);
      if (stamp > 0) {
        const content = this.#time(buffer, stamp, end);
        if (content >= 0) return this.#content(buffer, content, end, isLast, this.#lastContext);
      }
      if (isFrameLine(buffer, at)) return this.#headless(buffer, at, end, isLast);
    }
    return this.#other(buffer, at, end, isLast);
  }

  /** Whether a line begins like the last record: a stack follows its record, and a task calls again. */
  #repeatsHead(buffer: Buffer, at: number, end: number): boolean {
    const from = this.#lastHead;
    const length = this.#lastLength;
    if (from < 0 || at + length >= end || buffer[at + length] !== BLANK) return false;
    const view = this.#view;
    // Four bytes at a time; the last four overlap those before. No head is shorter.
    const last = length - 4;
    let i = 0;
    while (i < last && view.getInt32(from + i, true) === view.getInt32(at + i, true)) i += 4;
    return i >= last && view.getInt32(from + last, true) === view.getInt32(at + last, true);
  }

  /** Reads the context at the start of a line in place, where it is of the common form; returns its end, -1 for any other line. */
  #head(buffer: Buffer, at: number, end: number): number {
    let bracket = at + this.#bracket;
    if (this.#bracket < 0 || buffer[bracket] !== OPEN_BRACKET || buffer[bracket - 1] !== BLANK || bracket + 16 > end) {
      bracket = this.#findBracket(buffer, at, end);
      if (bracket < 0) return -1;
    }
    let p = bracket + 1;
    while (isDigit(buffer[p])) p += 1;
    if (buffer[p] !== CLOSE_BRACKET || p < bracket + 3) return -1;
    p += 1;
    // Flags never begin with a digit, a time stamp always does.
    if (buffer[p] === BLANK && !isDigit(buffer[p + 1]) && buffer[p + 1] !== BLANK) {
      p += 1;
      while (p < end && (buffer[p] as number) > BLANK) p += 1;
    }
    const hash = hashBytes(buffer, at, p);
    const context = this.#contexts.get(buffer, at, p, hash) ?? this.#learn(buffer, at, p, hash);
    if (!context) return -1;
    this.#lastHead = at;
    this.#lastLength = p - at;
    this.#lastContext = context;
    return p;
  }

  /** The bracket before a CPU: `[001]` behind a blank, a process number before it. */
  #findBracket(buffer: Buffer, at: number, end: number): number {
    const limit = Math.min(end, at + 128);
    for (let p = at + 1; p < limit && buffer[p] !== NEWLINE; p++) {
      if (buffer[p] === OPEN_BRACKET && buffer[p - 1] === BLANK && isDigit(buffer[p + 1])) {
        this.#bracket = p - at;
        return p;
      }
    }
    return -1;
  }

  #learn(buffer: Buffer, at: number, end: number, hash: number): Context | null {
    // Any time does. What has brackets further in, such as what the wakeup tracer prints, is another form.
    const head = parseRecordHead(`${text(buffer, at, end)} 1.000000: `);
    if (head?.contextEnd !== end - at) return null;
    return this.#contexts.keep(buffer, at, end, hash, this.#context(head.comm, head.pid, head.cpu));
  }

  /** The idle task of a CPU is called so by the kernel, and by every other tool. */
  #context(printed: string, pid: number, cpu: number): Context {
    const comm = printed === '<idle>' && cpu >= 0 ? `swapper/${cpu}` : printed;
    return this.#calls.context(this.#builder.task({ comm: utf8(comm), pid, cpu }), cpu);
  }

  /** Reads `   52.443379: ` in place; returns where the content begins, -1 for anything else. */
  #time(buffer: Buffer, at: number, end: number): number {
    let p = at;
    while (buffer[p] === BLANK) p += 1;
    const from = p;
    let seconds = 0;
    for (; isDigit(buffer[p]); p++) seconds = seconds * 10 + (buffer[p] as number) - ZERO;
    if (p === from) return -1;
    if (buffer[p] === DOT) {
      const dot = p;
      let fraction = 0;
      for (p += 1; isDigit(buffer[p]); p++) fraction = fraction * 10 + (buffer[p] as number) - ZERO;
      if (buffer[p] === COLON)
        this.#tookPlaceAt(seconds + fraction / (POWERS[p - dot - 1] ?? Number.POSITIVE_INFINITY));
    } else if (buffer[p] === LETTER_U && buffer[p + 1] === 0x73) p += buffer[p + 2] === COLON ? 2 : 3;
    if (buffer[p] !== COLON) return -1;
    p += 1;
    while (p < end && buffer[p] === BLANK) p += 1;
    return p;
  }

  #tookPlaceAt(seconds: number): void {
    if (seconds < this.#first) this.#first = seconds;
    if (seconds > this.#last) this.#last = seconds;
  }

  #content(buffer: Buffer, at: number, end: number, isLast: boolean, context: Context): number {
    let p = at;
    if (buffer[p] === LESS) {
      const isUser = buffer[p + 1] === LETTER_U;
      if (isUser || (buffer[p + 1] === 0x73 && buffer[p + 6] === BLANK)) {
        return this.#stack(buffer, buffer.indexOf(NEWLINE, p), end, isLast, context, isUser);
      }
    }
    // The name of an event ends in a colon, and a function's record has none before its first blank.
    while (p < end && (buffer[p] as number) > BLANK && buffer[p] !== COLON) p += 1;
    let meaning: Meaning | null = null;
    let newline = -1;
    if (buffer[p] === COLON) {
      // What a probe lies on stands in parentheses: it tells events of one name apart.
      let stop = p + 1;
      if (buffer[p + 1] === BLANK && buffer[p + 2] === OPEN_PARENTHESIS) {
        for (stop = p + 3; buffer[stop] !== NEWLINE && buffer[stop - 1] !== 0x29; stop++);
      }
      meaning = this.#meaning(buffer, at, stop);
      newline = buffer.indexOf(NEWLINE, stop);
      // `function:             f <-- g` of trace-cmd.
      if (meaning.kind === 'event' && meaning.name === 'function') meaning = this.#meaning(buffer, at, newline);
    } else {
      newline = buffer.indexOf(NEWLINE, p);
      meaning = this.#meaning(buffer, at, newline);
    }
    if (meaning.kind === 'stack' || meaning.kind === 'user-stack') {
      return this.#stack(buffer, newline, end, isLast, context, meaning.kind === 'user-stack');
    }
    this.line += 1;
    this.#calls.event(meaning, context);
    return newline + 1;
  }

  #meaning(buffer: Buffer, start: number, end: number): Meaning {
    const hash = hashBytes(buffer, start, end);
    const known = this.#meanings.get(buffer, start, end, hash);
    if (known) return known;
    const meaning = this.#calls.meaning(parseContent(utf8(text(buffer, start, end)).trimEnd(), this.#tracer));
    return this.#meanings.keep(buffer, start, end, hash, meaning);
  }

  /** Reads the stack whose heading ends at `newline`; returns what follows it, -1 where its end is not here yet. */
  #stack(buffer: Buffer, newline: number, end: number, isLast: boolean, context: Context, isUser: boolean): number {
    const stop = endOfFrames(buffer, this.#view, newline + 1, end, isLast);
    if (stop < 0) return -1;
    this.line += 1;
    const block = this.#block(buffer, newline + 1, stop);
    if (isUser) this.#calls.userStack(block, context);
    else this.#calls.stack(block, context);
    return stop;
  }

  /** Frames without a heading: the file begins in the middle, or the heading was lost. */
  #headless(buffer: Buffer, at: number, end: number, isLast: boolean): number {
    const stop = endOfFrames(buffer, this.#view, at, end, isLast);
    if (stop < 0) return -1;
    this.#diagnostics.skip(this.line + 1, text(buffer, at, buffer.indexOf(NEWLINE, at)), 'a frame without a record');
    this.#headlessStacks += 1;
    this.line += countLines(buffer, at, stop);
    return stop;
  }

  #block(buffer: Buffer, start: number, end: number): Block {
    const hash = hashSample(buffer, start, end);
    const known = this.#blocks.get(buffer, start, end, hash);
    if (known) {
      this.line += known.lines;
      return known;
    }
    const frames: Frame[] = [];
    const from = this.line;
    let isWhole = true;
    for (let at = start; at < end; ) {
      const newline = buffer.indexOf(NEWLINE, at);
      this.line += 1;
      const frame = this.#frame(buffer, at, newline);
      if (frame) frames.push(frame);
      else isWhole = false;
      at = newline + 1;
    }
    const block = this.#calls.block(frames, this.line - from);
    // Lines that cannot be read are told of each time.
    return isWhole ? this.#blocks.keep(buffer, start, end, hash, block) : block;
  }

  #frame(buffer: Buffer, at: number, newline: number): Frame | null {
    const hash = hashBytes(buffer, at, newline);
    const known = this.#frames.get(buffer, at, newline, hash);
    if (known) return known;
    const line = utf8(text(buffer, at, newline));
    const parsed = parseFrame(line);
    if (parsed) return this.#frames.keep(buffer, at, newline, hash, this.#calls.frame(parsed));
    this.#diagnostics.skip(this.line, line, 'not a frame of ftrace');
    return this.#calls.frame(UNREAD);
  }

  /** Lines of a less common form: latency format, no context, comments. */
  #other(buffer: Buffer, at: number, end: number, isLast: boolean): number {
    const newline = buffer.indexOf(NEWLINE, at);
    const line = text(buffer, at, newline).trimEnd();
    const head = buffer[at] === HASH ? null : parseRecordHead(line);
    if (head) {
      if (head.seconds !== null) this.#tookPlaceAt(head.seconds);
      const context = this.#context(head.comm, head.pid, head.cpu);
      return this.#content(buffer, at + head.content, end, isLast, context);
    }
    const remark = parseRemark(line.trimStart());
    if (remark) this.#remark(remark);
    // Without `context-info` there is nothing but the content.
    else if (/^(?:<(?:user )?stack trace>|[^\s:]+ <-\S+)/.test(line)) {
      return this.#content(buffer, at, end, isLast, this.#nobody);
    } else this.#diagnostics.skip(this.line + 1, line, 'not a record of ftrace');
    this.line += 1;
    return newline + 1;
  }

  #remark(remark: Remark): void {
    const { census } = this.#builder;
    const { facts } = census;
    switch (remark.kind) {
      case 'lost':
        if (remark.entries < 0) census.warn({ code: 'trace-entries-lost' });
        else this.#overwritten += remark.entries;
        break;
      case 'entries':
        this.#inBuffer += remark.inBuffer;
        this.#written += remark.written;
        if (remark.cpus > 0) facts.cpus = remark.cpus;
        break;
      case 'tracer':
        if (/^function_graph|^fgraph/.test(remark.name)) throw new MalformedInput(GRAPH);
        this.#tracer = remark.name === 'nop' ? this.#tracer : remark.name;
        break;
      case 'kernel':
        if (!facts.kernels.includes(remark.release)) facts.kernels.push(remark.release);
        break;
      case 'cpus':
        facts.cpus = remark.cpus;
        break;
      case 'nothing':
        break;
    }
  }

  finish(): void {
    const { census } = this.#builder;
    const calls = this.#calls;
    calls.finish();
    if (!calls.hasCalls && calls.entries > 0) throw new MalformedInput(NO_STACKS);
    census.lose({ code: 'trace-start-missing' }, this.#headlessStacks);
    this.#account('trace-overrun', this.#overwritten + Math.max(0, this.#written - this.#inBuffer));
    this.#account('not-listed', Math.max(0, this.#inBuffer - calls.entries));
    if (this.#last > this.#first) census.facts.durationSeconds = Number((this.#last - this.#first).toFixed(6));
  }

  /** Books entries of the trace buffer that are not in the file as the calls they most probably were. */
  #account(code: 'trace-overrun' | 'not-listed', entries: number): void {
    if (entries === 0) return;
    const calls = Math.max(1, Math.floor(entries * this.#calls.callsPerEntry));
    this.#builder.census.lose({ code }, calls);
    this.#builder.census.note({ code: 'trace-entries-estimated', entries, calls });
  }
}

const GRAPH =
  'function_graph tells what functions call, and whocalls asks who calls them: the function tracer with options/func_stack_trace does';
const NO_STACKS =
  'no record has a stack; echo 1 > /sys/kernel/tracing/options/stacktrace, or trace-cmd record -T, takes them with events';

/** Keeps the place of a frame that could not be read: its caller must not be taken for it. */
const UNREAD: FtraceFrame = { raw: '[unknown]', offset: -1, module: '', space: 'kernel' };
