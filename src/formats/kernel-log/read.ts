import type { CensusBuilder } from '../builder.ts';
import { hashBytes, viewOf } from '../byte-intern.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { feedLines, type LineConsumer } from '../lines.ts';
import type { ByteStream, FormatReader, SniffResult } from '../reader.ts';
import { OUTSIDE } from './caller.ts';
import { LogFollower } from './follow.ts';
import { parsePrintedFrame } from './frame.ts';
import { isInteresting } from './interest.ts';
import { type LogPrefix, LogPrefixShape, splitLogLine } from './line.ts';
import { SourcePrefixes } from './source-prefix.ts';
import { LogText, type Meaning } from './text.ts';
import { LogTraces } from './traces.ts';
import { isWrapped, unwrapped } from './wrapping.ts';

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const COLON = 0x3a;

/** Lines by which prefixes of an unknown form are told are none of these. */
const MEANINGLESS: ReadonlySet<Meaning['kind']> = new Set(['unrelated', 'unread', 'state']);
/** What begins in the middle of a line: `Workqueue: events f[   46.784177] binder: release`, `0000000000000000Call Trace:`. */
const GLUED = /(?<=.)(?:\[ *\d{1,7}\.\d{6}\](?:\[ *[TC]\d+\])? |Call [Tt]race:\s*$)/;

/** Lines that are met again and again. */
const KEPT: ReadonlySet<Meaning['kind']> = new Set(['frames', 'rip', 'task', 'start', 'end']);

/** What only a kernel log has: headings of stacks, /proc/PID/stack, arm32's backtraces, JSON of journalctl. */
const SIGNS =
  /^(?![ \t]*#)(?:.{0,200}(?:Call [Tt]race:|\bBacktrace: ?$|BUG: K(?:[A-Z]{1,4}SAN|FENCE): |unreferenced object 0x)|\[<0{1,16}>\] \w|Page allocated via order|.{0,100}\) from \[<[0-9a-f]+>\] \(|\{.{0,2000}"_TRANSPORT" ?: ?"kernel")/m;

/** Kernel logs with call traces, as dmesg, journalctl, syslog, a serial console and /dev/kmsg give them. */
export const dmesgReader: FormatReader = {
  name: 'dmesg',
  summary: 'kernel log with call traces (dmesg, journalctl -k, kern.log, console, /dev/kmsg)',
  carries: [
    'argument',
    'targets',
    'process',
    'pid',
    'CPU',
    'argument',
    'report',
    'losses',
    'offsets',
    'modules',
    'source lines',
    'unreliable frames',
    'inlined frames',
  ],

  sniff(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
    const text = head.toString('latin1');
    if (SIGNS.test(text)) return 'yes';
    const lines = text.split('\n', 50).filter((line) => line.trim() !== '');
    const prefixed = lines.filter((line) => splitLogLine(line).text >= 8).length;
    if (prefixed > 0 && lines.some(isLoggedFrame)) return 'yes';
    // A log may say much before its first trace.
    if (prefixed > lines.length / 2) return isWhole || head.length >= 1 << 16 ? 'yes' : 'more';
    return 'no';
  },

  async read(bytes: ByteStream, builder: CensusBuilder, diagnostics: Diagnostics): Promise<void> {
    const parser = new DmesgParser(builder, diagnostics);
    await feedLines(bytes, parser, diagnostics);
    parser.finish();
  },
};

function isLoggedFrame(line: string): boolean {
  return parsePrintedFrame(line.slice(splitLogLine(line).text)) !== null;
}

class DmesgParser implements LineConsumer {
  line = 0;
  readonly #text: LogText;
  readonly #traces: LogTraces;
  readonly #follower: LogFollower;
  readonly #prefix = new LogPrefixShape();
  readonly #sources = new SourcePrefixes();
  /** Somebody wants to know of every line that could matter. */
  readonly #isAttentive: boolean;

  constructor(builder: CensusBuilder, diagnostics: Diagnostics) {
    this.#traces = new LogTraces(builder);
    this.#text = new LogText(builder.census);
    this.#follower = new LogFollower(builder, diagnostics, this.#traces);
    this.#isAttentive = builder.asides !== null;
  }

  skipLine(): void {
    this.line += 1;
  }

  /**
   * The hot loop, long because a call a line would double its cost. Three ways for a line, from cheap to dear: the
   * line that followed last time, whose bytes are compared in place; a line of no interest; any other.
   */
  consume(buffer: Buffer, start: number, end: number): number {
    const prefix = this.#prefix;
    const input = viewOf(buffer);
    const { texts, trie } = this.#traces;
    let { view, starts } = texts;
    let { lastChildren, lines } = trie;
    const isAttentive = this.#isAttentive;
    let { caller } = this.#follower;
    let at = start;
    while (at < end) {
      this.line += 1;
      const text = prefix.match(buffer, at, end);
      if (text >= 0) {
        if (caller.node >= 0) {
          const expected = lastChildren[caller.node] as number;
          if (expected !== 0) {
            const line = lines[expected] as number;
            const from = starts[line] as number;
            const length = (starts[line + 1] as number) - from;
            // Four bytes at a time; the last four overlap those before. No line is shorter with its newline.
            const last = length - 4;
            let i = text + length <= end ? 0 : length;
            while (i < last && view.getInt32(from + i, true) === input.getInt32(text + i, true)) i += 4;
            if (i >= last && i < length && view.getInt32(from + last, true) === input.getInt32(text + last, true)) {
              caller.node = expected;
              caller.unrelated = 0;
              at = text + length;
              continue;
            }
          }
          if (isRegisterLine(buffer, text)) {
            at = buffer.indexOf(NEWLINE, text) + 1;
            continue;
          }
        } else if (text > at && prefix.isProven && !isAttentive && caller.kind === '' && !isInteresting(buffer, text)) {
          at = buffer.indexOf(NEWLINE, text) + 1;
          if (caller.outside <= OUTSIDE.heading) {
            caller.outside = endsInColon(buffer, at) ? OUTSIDE.heading : OUTSIDE.unknown;
          }
          continue;
        }
      }
      const newline = buffer.indexOf(NEWLINE, at);
      this.#readLine(buffer, at, newline + 1, text);
      ({ caller } = this.#follower);
      ({ view, starts } = texts);
      ({ lastChildren, lines } = trie);
      at = newline + 1;
    }
    return at;
  }

  finish(): void {
    this.#follower.finish();
  }

  /** Handles a line that was not expected. `text` is where its text starts, -1 if its prefix has a new shape. */
  #readLine(buffer: Buffer, start: number, end: number, text: number): void {
    const { texts } = this.#traces;
    if (text >= 0) {
      const known = texts.find(buffer, text, end, hashBytes(buffer, text, end));
      if (known >= 0) {
        this.#follower.line = this.line;
        this.#follower.apply(known, this.#traces.meaning(known));
        return;
      }
    }
    const stop = buffer[end - 2] === CARRIAGE_RETURN ? end - 2 : end - 1;
    const line = buffer.toString('latin1', start, Math.min(Math.max(stop, start), start + 4096));
    if (!isWrapped(line)) {
      const { prefix, isMeant } = this.#readText(buffer, start, end, line);
      if (prefix.text !== text - start || prefix.caller !== '') this.#prefix.learn(buffer, start, prefix);
      this.#prefix.prove(isMeant);
      return;
    }
    for (const plain of unwrapped(line)) this.#readPlain(plain);
  }

  /** Reads what follows a message that lost its line break. */
  #readGlued(line: string, from: number): void {
    const next = GLUED.exec(line.slice(from));
    if (next) this.#readPlain(line.slice(from + next.index));
  }

  /** A line that does not stand in the input as it is. */
  #readPlain(line: string): void {
    const bytes = Buffer.from(`${line}\n`, 'latin1');
    this.#readText(bytes, 0, bytes.length, line);
  }

  #readText(buffer: Buffer, start: number, end: number, line: string): { prefix: LogPrefix; isMeant: boolean } {
    let prefix = this.#sources.split(line);
    let meaning = this.#text.understand(line.slice(prefix.text));
    if (MEANINGLESS.has(meaning.kind) && this.#sources.learn(line, prefix.text)) {
      prefix = this.#sources.split(line);
      meaning = this.#text.understand(line.slice(prefix.text));
    }
    const follower = this.#follower;
    follower.line = this.line;
    follower.caller = follower.callerOf(prefix.caller);
    if (KEPT.has(meaning.kind)) {
      follower.apply(this.#traces.learn(buffer, start + prefix.text, end, meaning), meaning);
    } else follower.follow(meaning, line.slice(prefix.text));
    if (meaning.kind === 'dropped' && meaning.rest !== '') this.#readPlain(meaning.rest);
    const isMeant = !MEANINGLESS.has(meaning.kind);
    if (!isMeant) this.#readGlued(line, prefix.text);
    return { prefix, isMeant };
  }
}

/** `RAX: …`, `CS: …`, `CR2: …`, `Code: …`, `RIP: 0033:…` (user mode) by their first letters; not `RIP: 0010:`, `CPU:`. */
function isRegisterLine(buffer: Buffer, at: number): boolean {
  const second = buffer[at + 1];
  switch (buffer[at]) {
    case 0x52: // R: all but RIP of the kernel's code segment
      return second !== 0x49 || (buffer[at + 7] === 0x33 && buffer[at + 8] === 0x33);
    case 0x43: // Co, CS, CR
      return second === 0x6f || second === 0x53 || second === 0x52;
    case 0x44: // DR
    case 0x4f: // OR
      return second === 0x52;
    case 0x46: // FS
      return second === 0x53;
    default:
      return false;
  }
}

function endsInColon(buffer: Buffer, lineEnd: number): boolean {
  const last = buffer[lineEnd - 2];
  return last === COLON || (last === CARRIAGE_RETURN && buffer[lineEnd - 3] === COLON);
}
