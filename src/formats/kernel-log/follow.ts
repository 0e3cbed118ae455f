import type { Frame } from '../../census/stack-table.ts';
import type { CensusBuilder } from '../builder.ts';
import type { Diagnostics } from '../diagnostics.ts';
import type { LineTrie } from '../line-trie.ts';
import { Caller, OUTSIDE } from './caller.ts';
import { CPU_BACKTRACE, PROCESS_STACK, type Report, TASK_DUMP } from './headings.ts';
import type { Frames, Meaning, Task } from './text.ts';
import { type LogTraces, WITHOUT_FRAMES } from './traces.ts';

const BLANK = 32;

/** After so many other messages in a row a trace that has no end yet is over. */
const MAXIMUM_UNRELATED = 40;

/** For so many lines stacks of other CPUs belong to a report. */
const SAME_REPORT = 2000;

/** Follows a log: what each line means to the trace that its caller prints. */
export class LogFollower {
  /** Number of the line that is followed. */
  line = 0;
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  readonly #traces: LogTraces;
  readonly #trie: LineTrie;
  readonly #callers = new Map<string, Caller>([['', new Caller()]]);
  /** Whose line it is. */
  caller = this.#callers.get('') as Caller;
  /** The last report with several stacks: those of other CPUs come from other callers. */
  #ongoing: { readonly report: Report; readonly line: number } | null = null;
  /** Traces whose beginning is missing. */
  #torn = 0;
  /** Lines the kernel could not print. */
  #dropped = 0;

  constructor(builder: CensusBuilder, diagnostics: Diagnostics, traces: LogTraces) {
    this.#builder = builder;
    this.#diagnostics = diagnostics;
    this.#traces = traces;
    this.#trie = traces.trie;
  }

  finish(): void {
    for (const caller of this.#callers.values()) {
      this.#close(caller);
      this.#countWaiting(caller, null);
      this.#leaveSection(caller);
    }
    const { census } = this.#builder;
    census.lose({ code: 'trace-start-missing' }, this.#torn);
    if (this.#dropped > 0) census.note({ code: 'log-lines-dropped', lines: this.#dropped });
    // What the kernel reports is a call of nothing in particular.
    if (!this.#traces.hasReports) this.#builder.inferTarget();
  }

  callerOf(id: string): Caller {
    let caller = this.#callers.get(id);
    if (!caller) {
      caller = new Caller();
      this.#callers.set(id, caller);
    }
    return caller;
  }

  /** Lines that are met again and again. */
  apply(line: number, meaning: Meaning): void {
    const { caller } = this;
    switch (meaning.kind) {
      case 'frames':
        // Nearly all of them.
        if (caller.node >= 0 && meaning.callee === null && !meaning.isOfProcess) this.#next(caller, line);
        else this.#frames(caller, line, meaning);
        return;
      case 'rip':
        // Behind the line of another process they are of the next trace.
        if (caller.node >= 0 && caller.task === null) caller.node = this.#trie.child(caller.node, line);
        else caller.registers = this.#traces.afterRegisters(caller.registers, line);
        return;
      case 'task':
        this.#meet(caller);
        if (!meaning.task.isLookedAt) this.#countWaiting(caller, meaning.task);
        caller.task = meaning.task;
        caller.registers = 0;
        if (meaning.task.isLookedAt) this.#introduce(caller, TASK_DUMP);
        return;
      case 'start':
        this.#start(caller);
        if (meaning.frames.length > 0) caller.node = this.#trie.child(caller.node, line);
        return;
      case 'end':
        this.#end(caller);
        return;
    }
  }

  /** Lines that are different each time. */
  follow(meaning: Meaning, content: string): void {
    const { caller } = this;
    switch (meaning.kind) {
      case 'report':
        this.#announce(caller, meaning.report, meaning.task);
        return;
      case 'event':
        this.#turnTo(caller);
        this.#countWaiting(caller, null);
        if (meaning.event.report) {
          const { report } = meaning.event;
          this.#introduce(caller, { form: report, kind: report.kind, text: content });
        }
        if (meaning.task) caller.task = meaning.task;
        this.#open(caller, meaning.event.isStart);
        return;
      case 'section':
        this.#turnTo(caller);
        caller.outside = OUTSIDE.section;
        caller.section = meaning.name;
        return;
      case 'total':
        this.#turnTo(caller);
        this.#builder.declareTotal(meaning.name, meaning.count, { code: 'not-printed' });
        return;
      case 'dropped':
        this.#drop(meaning.messages);
        return;
      case 'followed':
        this.#meet(caller);
        if (caller.node >= 0) this.#pass(caller, content.trim(), false);
        else this.#end(caller);
        return;
      case 'hint':
        if (caller.node < 0) caller.task ??= meaning.task;
        return;
      case 'same':
        if (caller.node === 0) caller.node = this.#traces.sameAs(meaning.pid);
        return;
      case 'unread':
      case 'unrelated':
        this.#pass(caller, content, meaning.kind === 'unread');
        return;
    }
  }

  #end(caller: Caller): void {
    this.#turnTo(caller);
    caller.outside = OUTSIDE.unknown;
    caller.isUnfinished = false;
    caller.registers = 0;
    if (caller.isTold && !caller.report?.form.goesOn) caller.report = null;
  }

  /** `Call Trace:` */
  #start(caller: Caller): void {
    const { registers, isTangled } = caller;
    if (isTangled && caller.node > 0) caller.node = this.#traces.unread(caller.node);
    this.#turnTo(caller);
    // The registers of a fault whose stack was told already, and what led to it once more.
    const isAside = caller.isTold && caller.report?.form.taskFollows === true;
    this.#open(caller, true);
    caller.isAside = isAside;
    caller.node = registers;
    // Frames of another trace came after this one was announced, and may go on.
    if (isTangled) caller.node = this.#traces.unread(registers);
    caller.isTangled = false;
  }

  /**
   * What announces the next trace. Without caller ids it may come between the frames of one that is being printed on
   * another CPU: only a trace that has come to its end is over.
   */
  #meet(caller: Caller): void {
    const { node } = caller;
    const isPrinted = node > 0 ? !this.#traces.isComplete(node) : node === 0 && caller.mustHaveFrames;
    if (!isPrinted || caller.openReport?.form.taskFollows) this.#turnTo(caller);
  }

  #announce(caller: Caller, report: Report, task: Task | null): void {
    if (report.form.stackFollows) this.#turnTo(caller);
    else this.#meet(caller);
    this.#countWaiting(caller, null);
    if (!report.form.isAftermath) caller.registers = 0;
    if (report.form === CPU_BACKTRACE.form) this.#introduce(caller, report);
    else if (!report.form.isAftermath || caller.kind === '') {
      caller.announce(report);
      this.#ongoing = report.form.goesOn ? { report, line: this.line } : null;
    }
    if (task) caller.task = task;
    if (report.form.stackFollows) this.#open(caller, false);
  }

  /** One more stack of the report that goes on; where there is none, of `other`. */
  #introduce(caller: Caller, other: Report): void {
    if (caller.kind !== '') return;
    const { report } = caller;
    const isAny = other.form.goesOn === true;
    const own = report?.form.goesOn && (isAny || report.kind.startsWith(other.kind)) ? report : null;
    const isNear = isAny && this.#ongoing !== null && this.line - this.#ongoing.line < SAME_REPORT;
    caller.announce(own ?? (isNear ? this.#ongoing?.report : null) ?? other);
  }

  #frames(caller: Caller, line: number, meaning: Frames): void {
    if (caller.node >= 0 ? this.#isNext(caller, meaning) : this.#isFirst(caller, meaning)) {
      this.#turnTo(caller);
      if (meaning.isOfProcess) caller.announce(PROCESS_STACK);
      this.#open(caller, true);
    }
    if (caller.node >= 0) this.#next(caller, line);
    else if (meaning.frames.length > 0 && !meaning.isBare) this.#orphan(caller, meaning.frames);
  }

  #next(caller: Caller, line: number): void {
    caller.node = this.#trie.child(caller.node, line);
    caller.unrelated = 0;
    if (caller.task !== null) caller.isTangled = true;
  }

  /** Whether frames outside a trace begin one: those of /proc/PID/stack and arm32 need no heading. */
  #isFirst(caller: Caller, { isOfProcess, callee }: Frames): boolean {
    if (caller.outside === OUTSIDE.section) return false;
    if (callee === null) return isOfProcess;
    return caller.outside !== OUTSIDE.torn || this.#traces.isUnwinder(callee);
  }

  /** Whether a frame begins the next trace of those without a heading. */
  #isNext(caller: Caller, { isOfProcess, callee }: Frames): boolean {
    if (caller.node === 0) return false;
    if (isOfProcess) return this.#traces.isComplete(caller.node);
    return callee !== null && this.#traces.isUnwinder(callee);
  }

  /** A line of a trace that is no frame, or a message that came between. */
  #pass(caller: Caller, content: string, isUnread: boolean): void {
    if (caller.node > 0 && this.#traces.isComplete(caller.node)) this.#close(caller);
    if (caller.node < 0) {
      caller.pass(content);
      return;
    }
    const isBlank = content.trim() === '';
    if (isUnread || (content.charCodeAt(0) === BLANK && !isBlank)) {
      this.#diagnostics.skip(this.line, content, 'not a frame');
      caller.node = this.#traces.unread(caller.node);
      return;
    }
    caller.unrelated += 1;
    if (caller.unrelated <= MAXIMUM_UNRELATED) return;
    if (caller.node > 0) caller.node = this.#traces.unread(caller.node);
    this.#close(caller);
  }

  /**
   * The kernel could not print some lines. An open trace is over, for the frames that follow may be another's; for
   * the same reason they are not counted as one that lost its beginning.
   */
  #drop(messages: number): void {
    for (const caller of this.#callers.values()) {
      if (caller.node > 0 && !this.#traces.isComplete(caller.node)) caller.node = this.#traces.unread(caller.node);
      this.#turnTo(caller);
      caller.outside = OUTSIDE.section;
      caller.registers = 0;
    }
    this.#dropped += messages;
  }

  /** A frame outside any trace: the log begins in the middle of one, or lost its beginning. */
  #orphan(caller: Caller, frames: readonly Frame[]): void {
    if (caller.outside === OUTSIDE.heading) caller.outside = OUTSIDE.section;
    if (caller.outside === OUTSIDE.section) {
      if (this.#builder.asides) caller.aside.push(...frames);
      return;
    }
    if (caller.outside === OUTSIDE.unknown) {
      // Behind the end of a stack doubted frames may stand that are older still.
      if (frames.every((frame) => frame.unreliable)) return;
      this.#torn += 1;
    } else if (caller.task !== null) caller.isTangled = true;
    caller.outside = OUTSIDE.torn;
    const { symbols } = this.#builder.census;
    const text = frames.map((frame) => symbols.raw(frame.symbol)).join(' ');
    this.#diagnostics.skip(this.line, text, 'a frame of a call trace whose beginning is missing');
  }

  #open(caller: Caller, mustHaveFrames: boolean): void {
    caller.node = 0;
    caller.registers = 0;
    caller.startLine = this.line;
    caller.mustHaveFrames = mustHaveFrames;
    caller.unrelated = 0;
    caller.openTask = caller.task;
    caller.openReport = caller.kind === '' ? null : caller.report;
    caller.task = null;
    caller.isTold = true;
  }

  /** Something else begins. */
  #turnTo(caller: Caller): void {
    if (caller.node >= 0) this.#close(caller);
    else if (caller.outside !== OUTSIDE.torn) caller.outside = OUTSIDE.unknown;
    this.#leaveSection(caller);
  }

  #close(caller: Caller): void {
    const { node, openTask: task, openReport: report } = caller;
    if (node < 0) return;
    caller.node = -1;
    caller.isTangled = false;
    // Were an unfinished trace to go on, it is counted; or one before, of which frames may be among those of this one.
    const isComplete = node > 0 && this.#traces.isComplete(node);
    caller.outside = isComplete && !caller.isUnfinished ? OUTSIDE.unknown : OUTSIDE.torn;
    caller.isUnfinished = !isComplete;
    const kind = report?.kind ?? '';
    if (caller.isAside) {
      caller.isAside = false;
      if (node > 0) this.#builder.aside(`Call Trace of ${caller.report?.kind ?? ''}`, this.#traces.frames(node));
    } else if (node === 0 && caller.mustHaveFrames) {
      this.#diagnostics.skip(caller.startLine, 'Call Trace:', 'no line that follows is a frame');
      this.#builder.census.lose(WITHOUT_FRAMES, 1);
    } else if (node === 0) {
      // Its stack has a heading after all.
      if (caller.report === report) caller.isTold = false;
      caller.task ??= task;
    } else if (report?.form.taskFollows) caller.waiting = { node, task, kind };
    else this.#traces.count(node, task, kind);
  }

  /** Counts the call whose process is printed below its stack. */
  #countWaiting(caller: Caller, task: Task | null): void {
    const { waiting } = caller;
    if (!waiting) return;
    caller.waiting = null;
    this.#traces.count(waiting.node, task ?? waiting.task, waiting.kind);
  }

  #leaveSection(caller: Caller): void {
    if (caller.aside.length === 0) return;
    this.#builder.aside(caller.section, caller.aside);
    caller.aside = [];
  }
}
