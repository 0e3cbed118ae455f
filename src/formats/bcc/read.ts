import { placesOf } from '../../atlas/places.ts';
import { systemOfTracepoint } from '../../atlas/tracepoints.ts';
import type { CallKey } from '../../census/call-key.ts';
import { type Frame, NO_OFFSET, UNREAD_FRAME } from '../../census/stack-table.ts';
import type { CensusBuilder } from '../builder.ts';
import { CountedStacks, type Sum } from '../counted-stacks.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { feedLines, SingleLines } from '../lines.ts';
import { type ByteStream, type FormatReader, MalformedInput } from '../reader.ts';
import {
  type BccFrame,
  parseAllocations,
  parseCommand,
  parseCount,
  parseFrame,
  parseHead,
  parseRole,
  parseTask,
  type Tool,
  type TraceRecord,
  traceRecords,
} from './grammar.ts';
import { sniffBcc } from './sniff.ts';

/** More frames than any of these tools takes (127). */
const MOST_FRAMES = 1024;

/**
 * Stacks as bcc's tools print them: stackcount, profile, offcputime, wakeuptime, offwaketime, memleak and trace. What
 * they print with `-f` are folded stacks, which have a reader of their own.
 *
 *       submit_bio
 *       ext4_writepages
 *         tar [15069]
 *         113
 */
export const bccReader: FormatReader = {
  name: 'bcc',
  summary: "stacks of bcc's stackcount, profile, offcputime, wakeuptime, memleak and trace",
  carries: ['targets', 'process', 'pid', 'CPU', 'argument', 'measures', 'losses', 'offsets', 'modules', 'user frames'],
  sniff: sniffBcc,

  async read(bytes: ByteStream, builder: CensusBuilder, diagnostics: Diagnostics): Promise<void> {
    const parser = new BccParser(builder, diagnostics);
    await feedLines(bytes, parser, diagnostics);
    parser.finish();
  },
};

/** More functions without stacks are not named. */
const MOST_NAMED = 20;

/** Below which no head stands: the lines that stackcount prints are told by themselves. */
const HEADLESS: Tool = { name: 'stackcount', measure: '', target: '' };

class BccParser extends SingleLines {
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  #stacks: CountedStacks;
  #tool: Tool | null = HEADLESS;
  #frames: BccFrame[] = [];
  /** How many of the frames the kernel's are, where a line of dashes tells. */
  #kernelFrames = -1;
  #task: Partial<CallKey> = {};
  #argument = '';
  #allocations: { readonly bytes: number; readonly allocations: number } | null = null;
  #record: TraceRecord | null = null;
  #recordOf: (line: string) => TraceRecord | null = () => null;
  #tables = 0;
  /** Records of one run of trace. */
  #traced = { stacks: 0, withoutStack: 0, names: new Set<string>() };
  /** Records of runs that took no stacks. */
  #leftOut = 0;

  constructor(builder: CensusBuilder, diagnostics: Diagnostics) {
    super();
    builder.loseEmptyStacksAs({ code: 'no-stack' });
    this.#builder = builder;
    this.#diagnostics = diagnostics;
    this.#stacks = new CountedStacks(builder);
  }

  protected override readLine(buffer: Buffer, start: number, newline: number): void {
    const line = buffer.toString('utf8', start, newline).trimEnd();
    // A listing of memleak goes on where its stacks follow each other.
    const head = this.#tool?.name === 'memleak' && /^\s/.test(line) ? null : (parseHead(line) ?? parseCommand(line));
    if (head) this.#begin(head, line);
    if (head && /^\S/.test(line)) return;
    if (line === '' || line === '^C') this.#endRecord();
    else if (this.#tool?.name === 'memleak') this.#ofMemleak(line);
    else if (this.#tool?.name === 'trace') this.#ofTrace(line);
    else if (/^\S/.test(line)) this.#outside(line);
    else if (this.#tool) this.#ofTable(line, this.#tool);
  }

  finish(): void {
    this.#end();
    const { census } = this.#builder;
    if (census.total === 0 && this.#leftOut > 0) throw new MalformedInput(NO_STACKS);
    if (this.#tables > 1) census.note({ code: 'listed-again', listings: this.#tables });
  }

  /** A tool begins, or memleak lists anew what is still allocated. */
  #begin(head: Tool, line: string): void {
    // What memleak listed before is what was allocated then: most of it is in the new listing.
    if (head.name === 'memleak' && this.#tool?.name === 'memleak') {
      this.#endRecord();
      this.#stacks = new CountedStacks(this.#builder);
    }
    this.#end();
    this.#tool = head;
    if (head.name === 'memleak') this.#tables += 1;
    if (head.name === 'trace') this.#recordOf = traceRecords(line);
  }

  #end(): void {
    this.#endRecord();
    if (this.#frames.length > 0) this.#incomplete();
    if (this.#tool?.name === 'profile' && this.#stacks.size > 0) {
      this.#builder.census.note({ code: 'samples-counted', events: [this.#tool.target] });
    }
    this.#stacks.book(this.#tool?.target ?? '');
    const { stacks, withoutStack, names } = this.#traced;
    if (stacks > 0) this.#builder.census.lose({ code: 'event-without-stack' }, withoutStack);
    else if (withoutStack > 0) {
      const events = [...names].slice(0, MOST_NAMED);
      this.#builder.census.note({ code: 'events-left-out', events, records: withoutStack });
      this.#leftOut += withoutStack;
    }
    this.#traced = { stacks: 0, withoutStack: 0, names: new Set() };
  }

  /** Text at the beginning of a line: times of intervals, warnings, and what people write around an output. */
  #outside(line: string): void {
    if (/^WARNING: hash table full/.test(line)) this.#builder.census.warn({ code: 'maps-were-full' });
    if (/^(?:\d\d:\d\d:\d\d|\^C|\[\.\.\.|\.\.\.|WARN)/.test(line)) return;
    this.#end();
    this.#tool = null;
  }

  /** stackcount, profile, offcputime, wakeuptime, offwaketime: a stack, a task, a number. */
  #ofTable(line: string, tool: Tool): void {
    const count = parseCount(line);
    if (count >= 0) {
      this.#entry(count, tool);
      return;
    }
    const task = parseTask(line);
    if (task) {
      this.#task = task;
      return;
    }
    const role = parseRole(line);
    if (role) {
      // The stack of wakeuptime is the waker's, that of offwaketime counts as the target's.
      const { role: name, ...own } = role;
      const isOwner = name === (tool.name === 'wakeuptime' ? 'waker' : 'target');
      if (isOwner) this.#task = own;
      else this.#argument = `${name} ${role.comm}`;
      return;
    }
    if (/^\s+--?(?:\s+--?)?$/.test(line)) {
      // offwaketime prints the waker's stack first.
      if (tool.name === 'offwaketime' && /-\s+-/.test(line)) this.#frames = [];
      else this.#kernelFrames = this.#frames.length;
      return;
    }
    const frame = parseFrame(line);
    if (frame && this.#frames.length < MOST_FRAMES) this.#frames.push(frame);
  }

  /** A stack with its number. */
  #entry(count: number, tool: Tool): void {
    // Older versions print the name of the task below the stack and nothing else.
    const isNamed = this.#task.comm !== undefined || tool.name === 'stackcount';
    const last = isNamed ? undefined : this.#frames.pop();
    const key: Partial<CallKey> = {
      ...(last && { comm: last.raw }),
      ...this.#task,
      ...(this.#argument !== '' && { argument: this.#argument }),
    };
    const frames = this.#own(this.#frames);
    if (tool.measure === '') this.#stacks.add(frames, key, count);
    else {
      const { census } = this.#builder;
      const unit = 'microseconds';
      census.note({ code: 'no-sample-counts', value: tool.measure, unit, every: 0 });
      const sum: Sum = [census.measure({ name: tool.measure, unit, of: tool.name }), count];
      this.#stacks.add(frames, key, 1, [sum]);
    }
    this.#clear();
  }

  #ofMemleak(line: string): void {
    const allocations = parseAllocations(line);
    if (allocations) {
      this.#endRecord();
      this.#allocations = allocations;
      return;
    }
    if (/^\S/.test(line)) {
      this.#outside(line);
      return;
    }
    const frame = this.#allocations ? parseFrame(line) : null;
    if (frame && this.#frames.length < MOST_FRAMES) this.#frames.push(frame);
  }

  #ofTrace(line: string): void {
    const record = /^\S/.test(line) ? this.#recordOf(line) : null;
    if (record) {
      this.#endRecord();
      this.#record = record;
      return;
    }
    const times = /^\s*-->COUNT (\d{1,9})$/.exec(line)?.[1];
    if (times !== undefined) this.#endRecord(Number(times));
    else if (/^\S/.test(line)) this.#outside(line);
    else if (this.#record) {
      const frame = parseFrame(line);
      // `        -14`: no stack could be taken.
      if (frame && !/^-\d+$/.test(frame.raw) && this.#frames.length < MOST_FRAMES) this.#frames.push(frame);
    }
  }

  /** An allocation or a record of trace is over. */
  #endRecord(count = 1): void {
    const { census } = this.#builder;
    if (this.#allocations) {
      const { bytes, allocations } = this.#allocations;
      const sum: Sum = [census.measure({ name: 'bytes', unit: 'bytes', of: 'memleak' }), bytes];
      this.#stacks.add(this.#own(this.#frames), {}, allocations, [sum]);
      this.#clear();
    } else if (this.#record) {
      const { called, comm, pid, cpu } = this.#record;
      // With -A the number stands behind an empty line.
      if (this.#frames.length === 0) {
        this.#traced.withoutStack += count;
        this.#traced.names.add(called || 'tcpdrop');
      } else {
        this.#traced.stacks += count;
        const system = this.#frames.slice(0, 2).some(({ raw }) => raw === called)
          ? undefined
          : systemOfTracepoint(called);
        const target = system === undefined ? called || this.#probed() : `${system}:${called}`;
        const task = this.#builder.task({ comm, pid, cpu });
        this.#builder.call(this.#own(this.#frames), task, count, this.#builder.targetId(target));
      }
      this.#clear();
    }
  }

  /** What tcpdrop probes: a function, or, in newer versions, a tracepoint whose frames name it. */
  #probed(): string {
    const [first] = this.#frames;
    const tracepoint = /^__traceiter_(\w+)$/.exec(first?.raw ?? '')?.[1];
    return tracepoint === undefined
      ? (first?.raw ?? '')
      : `${systemOfTracepoint(tracepoint) ?? 'events'}:${tracepoint}`;
  }

  #incomplete(): void {
    const [first] = this.#frames;
    this.#diagnostics.skip(this.line, first?.raw ?? '', 'a stack without a number');
    this.#builder.census.lose({ code: 'trace-without-frames' }, 1);
    this.#clear();
  }

  #clear(): void {
    this.#frames = [];
    this.#kernelFrames = -1;
    this.#task = {};
    this.#argument = '';
    this.#allocations = null;
    this.#record = null;
  }

  #own(printed: readonly BccFrame[]): Frame[] {
    const { symbols } = this.#builder.census;
    const kernel = this.#kernelFrames >= 0 ? this.#kernelFrames : this.#kernelPart(printed);
    return printed.flatMap(({ raw, offset, module }, i) => {
      if (raw === '[Missed Kernel Stack]') {
        return printed.length === 1
          ? []
          : [{ symbol: symbols.intern(UNREAD_FRAME), offset: NO_OFFSET, unreliable: true }];
      }
      if (raw === '[Missed User Stack]') return [];
      return [{ symbol: symbols.intern(raw, module, i < kernel ? 'kernel' : 'user'), offset }];
    });
  }

  /** How many of the innermost frames are the kernel's, where no line of dashes tells. */
  #kernelPart(frames: readonly BccFrame[]): number {
    // Where places or addresses are printed, some frame of the kernel has one.
    const told = frames.findLastIndex(({ space }) => space === 'kernel') + 1;
    if (told > 0) return told;
    if (frames.some(({ space }) => space === 'user')) return 0;
    const { knowledge } = this.#builder;
    const entry = frames.findIndex(({ raw }) => SYSCALL_ENTRY.test(raw));
    if (entry >= 0) return entry + 1;
    const isKnown = ({ raw }: BccFrame) => {
      const role = knowledge.role(raw);
      return role?.boundary !== undefined || role?.entry !== undefined || placesOf(raw).length > 0;
    };
    const known = frames.findLastIndex(isKnown) + 1;
    // One function of a program may be called like one of the kernel.
    return known > 0 && frames.slice(0, known).filter(isKnown).length * 2 >= known ? frames.length : 0;
  }
}

/** What lies further out is a program. */
const SYSCALL_ENTRY =
  /^(?:entry_SYSCALL|entry_SYSENTER|entry_INT80|system_call(?:_fastpath)?$|el0t?_(?:64_)?s(?:ync|vc)|ret_fast_syscall)/;
const NO_STACKS = 'no record has a stack; trace -K takes them';
