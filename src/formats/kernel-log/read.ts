import { type KeyId, NO_KEY } from '../../census/call-key.ts';
import { NO_TARGET, type TargetId } from '../../census/row-table.ts';
import type { Frame } from '../../census/stack-table.ts';
import type { CensusBuilder, PeeledStack } from '../builder.ts';
import { ByteIntern, hashBytes, viewOf } from '../byte-intern.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { LineTrie } from '../line-trie.ts';
import { feedLines, type LineConsumer } from '../lines.ts';
import type { ByteStream, FormatReader, SniffResult } from '../reader.ts';
import { parsePrintedFrame } from './frame.ts';
import { LogPrefixShape, splitLogLine } from './line.ts';
import { LogText, type Meaning, UNRELATED } from './text.ts';

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const BLANK = 32;
const COLON = 0x3a;

/** After so many unrelated lines in a row a trace whose end was not printed is over. */
const MAXIMUM_UNRELATED = 8;

const WITHOUT_FRAMES = { code: 'trace-without-frames' } as const;

/** Kernel logs with call traces, as dmesg, journalctl, syslog, a serial console and /dev/kmsg give them. */
export const dmesgReader: FormatReader = {
  name: 'dmesg',
  summary: 'kernel log with call traces (dmesg, journalctl -k, kern.log, console, /dev/kmsg)',

  sniff(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
    const text = head.toString('latin1');
    if (/^(?![^\S\n]*#).{0,200}Call [Tt]race:/m.test(text)) return 'yes';
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

/** What is being printed by one caller; logs with caller ids interleave several. */
class Caller {
  /** Where in the trie the open trace is; -1 while none is open. */
  node = -1;
  task: KeyId = NO_KEY;
  /** Line of a RIP printed before its trace, -1 where there is none. */
  rip = -1;
  unrelated = 0;
  /** What frames outside a trace are: nothing known yet, further parts of a report, or a trace that lost its beginning. */
  outside: 'unknown' | 'section' | 'torn' = 'unknown';
}

class DmesgParser implements LineConsumer {
  line = 0;
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  readonly #text: LogText;
  /** Texts of lines that mean something, with their newline. */
  readonly #texts = new ByteIntern();
  readonly #meanings: Meaning[] = [];
  readonly #trie = new LineTrie();
  /** By node: the stack it stands for. */
  readonly #stacks: (PeeledStack | undefined)[] = [];
  readonly #targets: TargetId[] = [];
  readonly #prefix = new LogPrefixShape();
  readonly #callers = new Map<string, Caller>([['', new Caller()]]);
  #caller = this.#callers.get('') as Caller;
  /** Traces whose beginning is missing. */
  #torn = 0;
  /** Lines the kernel could not print. */
  #dropped = 0;

  constructor(builder: CensusBuilder, diagnostics: Diagnostics) {
    this.#builder = builder;
    this.#diagnostics = diagnostics;
    builder.loseEmptyStacksAs(WITHOUT_FRAMES);
    this.#text = new LogText(builder.census);
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
    let { view, starts } = this.#texts;
    let { lastChildren, lines } = this.#trie;
    let at = start;
    while (at < end) {
      this.line += 1;
      const text = prefix.match(buffer, at, end);
      if (text >= 0) {
        const caller = this.#caller;
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
        } else if (text > at && !isInteresting(buffer[text] as number)) {
          at = buffer.indexOf(NEWLINE, text) + 1;
          if (!isRegisterLine(buffer, text)) caller.outside = endsInColon(buffer, at) ? 'section' : 'unknown';
          continue;
        }
      }
      const newline = buffer.indexOf(NEWLINE, at);
      this.#readLine(buffer, at, newline + 1, text);
      ({ view, starts } = this.#texts);
      ({ lastChildren, lines } = this.#trie);
      at = newline + 1;
    }
    return at;
  }

  finish(): void {
    for (const caller of this.#callers.values()) this.#close(caller);
    const { census } = this.#builder;
    census.lose({ code: 'trace-start-missing' }, this.#torn);
    if (this.#dropped > 0) census.note({ code: 'log-lines-dropped', lines: this.#dropped });
    this.#builder.inferTarget();
  }

  /** Handles a line that was not expected. `text` is where its text starts, -1 if its prefix has a new shape. */
  #readLine(buffer: Buffer, start: number, end: number, text: number): void {
    if (text >= 0) {
      const known = this.#texts.find(buffer, text, end, hashBytes(buffer, text, end));
      if (known >= 0) {
        this.#apply(known, this.#meanings[known] ?? UNRELATED);
        return;
      }
    }
    const stop = buffer[end - 2] === CARRIAGE_RETURN ? end - 2 : end - 1;
    const line = buffer.toString('latin1', start, Math.min(Math.max(stop, start), start + 4096));
    const prefix = splitLogLine(line);
    if (prefix.text !== text - start || prefix.caller !== '') this.#prefix.learn(buffer, start, prefix);
    this.#caller = this.#callerOf(prefix.caller);
    const content = line.slice(prefix.text);
    const meaning = this.#text.understand(content);
    if (meaning.kind === 'unrelated' || meaning.kind === 'state') {
      this.#pass(content, meaning);
      return;
    }
    if (meaning.kind === 'dropped') {
      this.#drop(meaning.messages);
      return;
    }
    const from = start + prefix.text;
    const hash = hashBytes(buffer, from, end);
    let id = this.#texts.find(buffer, from, end, hash);
    if (id < 0) {
      id = this.#texts.add(buffer, from, end, hash);
      this.#meanings[id] = meaning;
    }
    this.#apply(id, meaning);
  }

  #callerOf(id: string): Caller {
    let caller = this.#callers.get(id);
    if (!caller) {
      caller = new Caller();
      this.#callers.set(id, caller);
    }
    return caller;
  }

  #apply(line: number, meaning: Meaning): void {
    const caller = this.#caller;
    switch (meaning.kind) {
      case 'frames':
        if (caller.node >= 0) caller.node = this.#trie.child(caller.node, line);
        else if (meaning.frames.length > 0) this.#orphan(caller, meaning.frames);
        caller.unrelated = 0;
        return;
      case 'rip':
        if (caller.node >= 0) caller.node = this.#trie.child(caller.node, line);
        else caller.rip = line;
        return;
      case 'task':
        this.#close(caller);
        caller.task = meaning.task;
        caller.rip = -1;
        return;
      case 'start':
        this.#close(caller);
        caller.node = caller.rip >= 0 ? this.#trie.child(0, caller.rip) : 0;
        caller.rip = -1;
        if (meaning.frames.length > 0) caller.node = this.#trie.child(caller.node, line);
        return;
      case 'end':
        this.#close(caller);
        caller.rip = -1;
        return;
      case 'total':
        this.#close(caller);
        this.#builder.declareTotal(meaning.name, meaning.count, { code: 'not-printed' });
        return;
    }
  }

  #pass(content: string, meaning: Meaning): void {
    const caller = this.#caller;
    if (meaning.kind === 'state') return;
    if (caller.node < 0) {
      caller.outside = content.endsWith(':') ? 'section' : 'unknown';
      return;
    }
    if (content.charCodeAt(0) === BLANK && content.trim() !== '') {
      this.#diagnostics.skip(this.line, content, 'not a frame');
      return;
    }
    caller.unrelated += 1;
    const isSection = isReportSection(content);
    if (content.trim() === '' || caller.unrelated > MAXIMUM_UNRELATED || isSection) this.#close(caller);
    if (isSection) caller.outside = 'section';
  }

  /**
   * The kernel could not print some lines. An open trace is over, for the frames that follow may be another's; for
   * the same reason they are not counted as one that lost its beginning.
   */
  #drop(messages: number): void {
    for (const caller of this.#callers.values()) {
      this.#close(caller);
      caller.outside = 'section';
      caller.rip = -1;
    }
    this.#dropped += messages;
  }

  /** A frame outside any trace: the log begins in the middle of one, or lost its beginning. */
  #orphan(caller: Caller, frames: readonly Frame[]): void {
    if (caller.outside === 'section') return;
    if (caller.outside === 'unknown') this.#torn += 1;
    caller.outside = 'torn';
    const { symbols } = this.#builder.census;
    const text = frames.map((frame) => symbols.raw(frame.symbol)).join(' ');
    this.#diagnostics.skip(this.line, text, 'a frame of a call trace whose beginning is missing');
  }

  #close(caller: Caller): void {
    const { node, task } = caller;
    caller.node = -1;
    caller.unrelated = 0;
    caller.outside = 'unknown';
    if (node < 0) return;
    caller.task = NO_KEY;
    if (node === 0) {
      this.#builder.census.lose(WITHOUT_FRAMES, 1);
      return;
    }
    const stack = this.#stacks[node] ?? this.#resolve(node);
    this.#builder.add(stack, task, 1, this.#targets[node]);
  }

  #resolve(node: number): PeeledStack {
    const frames = this.#trie.path(node).flatMap((line) => {
      const meaning = this.#meanings[line];
      return meaning && 'frames' in meaning ? meaning.frames : [];
    });
    const stack = this.#builder.stack(frames, true);
    this.#stacks[node] = stack;
    const { symbols } = this.#builder.census;
    // A probe's handler called dump_stack: the innermost frame left is the function that was probed.
    const isProbe = stack.peeled?.symbols.some((symbol) => /kprobe|int3|ftrace|brk_handler/.test(symbols.name(symbol)));
    this.#targets[node] =
      isProbe && stack.innermost !== undefined ? this.#builder.targetId(symbols.name(stack.innermost)) : NO_TARGET;
    return stack;
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

/** Outside a trace only these lines matter: `Call Trace:`, `CPU: …`, `RIP: …`, `Total …`, `task:…`, `** … dropped`, frames. */
function isInteresting(first: number): boolean {
  return (
    first === 0x43 ||
    first === 0x52 ||
    first === 0x54 ||
    first === 0x74 ||
    first === BLANK ||
    first === 0x5b ||
    first === 0x3c ||
    first === 0x2a
  );
}

/** Headings of the further parts of a report, whose stacks are no calls: KASAN's, page owner's. */
function isReportSection(content: string): boolean {
  return /^(?:Allocated by|Freed by|Last potentially|Second to last|The buggy address|Memory state|Kernel Offset|page last|Uninit was)/.test(
    content,
  );
}

function endsInColon(buffer: Buffer, lineEnd: number): boolean {
  const last = buffer[lineEnd - 2];
  return last === COLON || (last === CARRIAGE_RETURN && buffer[lineEnd - 3] === COLON);
}
