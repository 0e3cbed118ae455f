import type { Frame } from '../census/stack-table.ts';
import { ByteIntern, hashBytes } from './byte-intern.ts';
import type { CensusBuilder, PeeledStack } from './census-builder.ts';
import type { Diagnostics } from './diagnostics.ts';
import { endsContext, parseMarker, parsePrintedFrame } from './kernel-frame.ts';
import { LogPrefixShape, splitLogLine } from './kernel-log-line.ts';
import { LineTrie } from './line-trie.ts';
import { feedLines, type LineConsumer } from './lines.ts';
import type { ByteStream, SniffResult, StackReader } from './reader.ts';

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const BLANK = 32;

/** After so many unrelated lines in a row a trace whose end was not printed is over. */
const MAXIMUM_UNRELATED = 8;

const TRACE_START = /^\s*Call [Tt]race:\s*(.*)$/;

/** Kernel logs with call traces, as dmesg, journalctl, syslog, a serial console and /dev/kmsg give them. */
export const dmesgReader: StackReader = {
  name: 'dmesg',
  summary: 'kernel log with call traces (dmesg, journalctl -k, kern.log, serial console, /dev/kmsg)',

  sniff(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
    const text = head.toString('latin1');
    if (/^(?!\s*#).{0,200}Call [Tt]race:/m.test(text)) return 'yes';
    const lines = text.split('\n').slice(0, 50);
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

/** What a line says; learnt once per distinct text. */
type Meaning =
  /** Frames of a trace, most often one; markers between contexts among them. */
  | { readonly kind: 'frames'; readonly frames: readonly Frame[] }
  /** `RIP: 0010:rb_insert_color+0x1/0x140`: where registers were saved. */
  | { readonly kind: 'rip'; readonly frames: readonly Frame[] }
  /** `CPU: 0 PID: 15 Comm: rcu_preempt Not tainted 6.1.0 #1`: who is about to be traced. */
  | { readonly kind: 'task'; readonly task: Task }
  | { readonly kind: 'start'; readonly frames: readonly Frame[] }
  | { readonly kind: 'end' }
  | { readonly kind: 'total'; readonly name: string; readonly count: number }
  /** Registers, code bytes, markers that bound nothing: part of a trace, and no frame. */
  | { readonly kind: 'state' }
  | { readonly kind: 'unrelated' };

interface Task {
  readonly comm: number;
  readonly pid: number;
  readonly cpu: number;
}

const NOBODY: Task = { comm: 0, pid: -1, cpu: -1 };
const STATE: Meaning = { kind: 'state' };
const UNRELATED: Meaning = { kind: 'unrelated' };
const END: Meaning = { kind: 'end' };

/** What is being printed by one caller; logs with caller ids interleave several. */
class Caller {
  /** Where in the trie the open trace is; -1 while none is open. */
  node = -1;
  task: Task = NOBODY;
  /** Line of a RIP printed before its trace, -1 where there is none. */
  rip = -1;
  unrelated = 0;
  /** The last lines were frames without a trace. */
  isOrphaned = false;
}

class DmesgParser implements LineConsumer {
  line = 0;
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  /** Texts of lines that mean something, with their newline. */
  readonly #texts = new ByteIntern();
  readonly #meanings: Meaning[] = [];
  readonly #trie = new LineTrie();
  /** By node: the stack it stands for. */
  readonly #stacks: (PeeledStack | undefined)[] = [];
  readonly #targets: number[] = [];
  /** By node: how many traces ended there. */
  readonly #ended: number[] = [];
  readonly #prefix = new LogPrefixShape();
  readonly #callers = new Map<string, Caller>([['', new Caller()]]);
  #caller = this.#callers.get('') as Caller;
  /** Traces whose beginning is missing. */
  #torn = 0;

  constructor(builder: CensusBuilder, diagnostics: Diagnostics) {
    this.#builder = builder;
    this.#diagnostics = diagnostics;
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
    let { bytes, starts } = this.#texts;
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
            let i = 0;
            while (i < length && bytes[from + i] === buffer[text + i]) i += 1;
            if (i === length && text + length <= end) {
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
          continue;
        }
      }
      const newline = buffer.indexOf(NEWLINE, at);
      this.#readLine(buffer, at, newline + 1, text);
      ({ bytes, starts } = this.#texts);
      ({ lastChildren, lines } = this.#trie);
      at = newline + 1;
    }
    return at;
  }

  finish(): void {
    for (const caller of this.#callers.values()) this.#close(caller);
    for (const [node, calls] of this.#ended.entries()) {
      const peeled = this.#stacks[node]?.peeled;
      if (calls && peeled && peeled.length > 0) this.#builder.countPeeled(peeled, calls);
    }
    this.#builder.census.lose('start of the trace missing', this.#torn);
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
    const meaning = this.#understand(content);
    if (meaning.kind === 'unrelated' || meaning.kind === 'state') {
      this.#pass(content, meaning);
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
        this.#builder.declareTotal(meaning.name, meaning.count, 'not printed');
        return;
    }
  }

  #pass(content: string, meaning: Meaning): void {
    const caller = this.#caller;
    caller.isOrphaned = false;
    if (caller.node < 0 || meaning.kind === 'state') return;
    if (content.charCodeAt(0) === BLANK && content.trim() !== '') {
      this.#diagnostics.skip(this.line, content, 'not a frame');
      return;
    }
    caller.unrelated += 1;
    if (content.trim() === '' || caller.unrelated > MAXIMUM_UNRELATED || isReportSection(content)) this.#close(caller);
  }

  /** A frame outside any trace: the log begins in the middle of one, or lost its beginning. */
  #orphan(caller: Caller, frames: readonly Frame[]): void {
    if (!caller.isOrphaned) this.#torn += 1;
    caller.isOrphaned = true;
    const { symbols } = this.#builder.census;
    const text = frames.map((frame) => symbols.raw(frame.symbol)).join(' ');
    this.#diagnostics.skip(this.line, text, 'a frame of a call trace whose beginning is missing');
  }

  #close(caller: Caller): void {
    const { node, task } = caller;
    caller.node = -1;
    caller.unrelated = 0;
    caller.isOrphaned = false;
    if (node < 0) return;
    caller.task = NOBODY;
    if (node === 0) {
      this.#builder.census.lose('call trace without frames', 1);
      return;
    }
    const peeled = this.#stacks[node] ?? this.#resolve(node);
    this.#ended[node] = (this.#ended[node] ?? 0) + 1;
    this.#builder.census.addRow(peeled.stack, this.#targets[node] ?? -1, task.comm, task.pid, task.cpu, -1, 0, 1);
  }

  #resolve(node: number): PeeledStack {
    const frames = this.#trie.path(node).flatMap((line) => {
      const meaning = this.#meanings[line];
      return meaning && 'frames' in meaning ? meaning.frames : [];
    });
    const stack = this.#builder.stack(frames);
    this.#stacks[node] = stack;
    const { symbols } = this.#builder.census;
    // A probe's handler called dump_stack: the innermost frame left is the function that was probed.
    const isProbe = stack.peeled.some((symbol) => /kprobe|int3|ftrace|brk_handler/.test(symbols.name(symbol)));
    this.#targets[node] =
      isProbe && stack.innermost !== undefined ? this.#builder.targetId(symbols.name(stack.innermost)) : -1;
    return stack;
  }

  #understand(content: string): Meaning {
    const start = TRACE_START.exec(content);
    if (start) return { kind: 'start', frames: this.#frames(start[1] ?? '') };
    const rip = /^\s*(?:RIP|EIP|PC|pc)\s*: ?(?:0010:|0000:|)(.*)$/.exec(content);
    if (rip) {
      const frames = this.#frames(rip[1] ?? '');
      return frames.length > 0 && !/^\s*pc/.test(content) ? { kind: 'rip', frames } : STATE;
    }
    const task = this.#task(content);
    if (task) return { kind: 'task', task };
    const total = /^Total (\S+): (\d{1,15})$/.exec(content.trim());
    if (total) return { kind: 'total', name: total[1] ?? '', count: Number(total[2]) };
    if (/^\s*(?:<\/TASK>|---\[ end trace)/.test(content)) return END;
    const frames = this.#frames(content);
    if (frames.length > 0) return { kind: 'frames', frames };
    // A marker that bounds nothing (`<IRQ>`, `<TASK>`) is part of the trace like a frame, so that it is expected next time.
    if (parseMarker(content)?.rest === '') return { kind: 'frames', frames };
    if (isStateLine(content)) return STATE;
    return UNRELATED;
  }

  /** The frames of a line: a marker between contexts, a function, or both. */
  #frames(text: string): Frame[] {
    const { symbols } = this.#builder.census;
    const frames: Frame[] = [];
    let rest = text;
    for (let marker = parseMarker(rest); marker; marker = parseMarker(rest)) {
      if (endsContext(marker.marker)) {
        frames.push({ symbol: symbols.intern(marker.marker, '', 'marker'), offset: -1 });
      }
      rest = marker.rest;
    }
    const printed = parsePrintedFrame(rest);
    if (printed) {
      const symbol = symbols.intern(printed.raw, printed.module, 'kernel');
      frames.push({ symbol, offset: printed.offset, unreliable: printed.unreliable });
    }
    return frames;
  }

  #task(content: string): Task | null {
    const { census } = this.#builder;
    const cpu =
      /^\s*CPU: (\d+) (?:UID: \d+ )?PID: (\d+) Comm: (.*?) (?:Not tainted|Tainted: [A-Z ]+|Kdump: \S+).*?(\d+\.\d+\.\S+)/.exec(
        content,
      ) ?? /^\s*CPU: (\d+) (?:UID: \d+ )?PID: (\d+) Comm: (.*)$/.exec(content);
    if (cpu) {
      const [, number, pid, comm = '', kernel] = cpu;
      if (kernel && !census.facts.kernels.includes(kernel)) census.facts.kernels.push(kernel);
      return { comm: census.stringId(comm), pid: Number(pid), cpu: Number(number) };
    }
    const task = /^\s*task:(.+?)\s+state:\S+.*?\bpid:\s*(\d+)/.exec(content);
    return task ? { comm: census.stringId(task[1] ?? ''), pid: Number(task[2]), cpu: -1 } : null;
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

/** Outside a trace only these lines matter: `Call Trace:`, `CPU: …`, `RIP: …`, `Total …`, `task:…`, and frames. */
function isInteresting(first: number): boolean {
  return (
    first === 0x43 ||
    first === 0x52 ||
    first === 0x54 ||
    first === 0x74 ||
    first === BLANK ||
    first === 0x5b ||
    first === 0x3c
  );
}

function isStateLine(content: string): boolean {
  return /^\s*(?:[A-Z]{1,2}[A-Z0-9]{0,2}\d*:|ORIG_[RE]AX:|EFLAGS:|Code:|RSP:|[xr]\d{1,2} ?:|pstate:|sp :|lr :|Hardware name:|Modules linked in:|Workqueue:|Call trace)/.test(
    content,
  );
}

/** Headings of the further parts of a report whose stacks are no calls. */
function isReportSection(content: string): boolean {
  return /^(?:Allocated by|Freed by|Last potentially|Second to last|The buggy address|Memory state|Kernel Offset)/.test(
    content,
  );
}
