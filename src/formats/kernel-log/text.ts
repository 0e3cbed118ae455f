import type { CallKey, KeyId } from '../../census/call-key.ts';
import type { Census } from '../../census/census.ts';
import type { Frame } from '../../census/stack-table.ts';
import type { SymbolId } from '../../census/symbol-table.ts';
import { endsContext, internFrame, parseMarker, parsePrintedFrame } from './frame.ts';
import { ENDS, EVENTS, type EventForm, FOLLOWS, type Report, reportIn, sectionIn } from './headings.ts';
import { kernelIn, taskAnnounced, taskHinted, taskIn } from './task.ts';

/** A process as calls are counted by it. */
export interface Task {
  readonly columns: Partial<CallKey>;
  /** The columns interned, without a report. */
  readonly key: KeyId;
  /** Its stack is printed by another: a list of several may be. */
  readonly isLookedAt: boolean;
}

/** What the text of a line in a kernel log says. */
export type Meaning =
  | Frames
  /** `RIP: 0010:rb_insert_color+0x1/0x140`: where registers were saved. */
  | { readonly kind: 'rip'; readonly frames: readonly Frame[] }
  /** `CPU: 0 PID: 15 Comm: rcu_preempt Not tainted 6.1.0 #1`: who is about to be traced. */
  | { readonly kind: 'task'; readonly task: Task }
  /** A report names its process, should no line of it follow. */
  | { readonly kind: 'hint'; readonly task: Task }
  /** `Call Trace:` */
  | { readonly kind: 'start'; readonly frames: readonly Frame[] }
  /** `BUG: KASAN: slab-use-after-free in f+0x1/0x2`; the process as far as it is named. */
  | { readonly kind: 'report'; readonly report: Report; readonly task: Task | null }
  /** The frames that follow are a call. */
  | { readonly kind: 'event'; readonly event: EventForm; readonly task: Task | null }
  /** The frames that follow are told for information. */
  | { readonly kind: 'section'; readonly name: string }
  /** `</TASK>` */
  | { readonly kind: 'end' }
  /** What stands behind a trace, if it has come to its end. */
  | { readonly kind: 'followed' }
  /** `<Same stack as pid 30>` in place of frames. */
  | { readonly kind: 'same'; readonly pid: number }
  | { readonly kind: 'total'; readonly name: string; readonly count: number }
  /** `** 12 printk messages dropped **`: what follows may belong to another trace. `rest` may stand on the same line. */
  | { readonly kind: 'dropped'; readonly messages: number; readonly rest: string }
  /** Registers, code bytes: part of a trace, and no frame. */
  | { readonly kind: 'state' }
  /** A line of a trace that is none of these. */
  | { readonly kind: 'unread' }
  | { readonly kind: 'unrelated' };

/** Frames of a trace, most often one; markers between contexts among them. */
export interface Frames {
  readonly kind: 'frames';
  readonly frames: readonly Frame[];
  /** The function that a doubted address points to, which is no frame; '' where there is none. */
  readonly pointer: string;
  /** arm32: what the first of the frames called, which is the frame of the line before; null elsewhere. */
  readonly callee: SymbolId | null;
  /** A line of /proc/PID/stack, which has no heading. */
  readonly isOfProcess: boolean;
  /** Nothing but a function and a place: a frame only where frames are expected. */
  readonly isBare: boolean;
}

export const UNRELATED: Meaning = { kind: 'unrelated' };
const STATE: Meaning = { kind: 'state' };
const UNREAD: Meaning = { kind: 'unread' };
const END: Meaning = { kind: 'end' };
const FOLLOWED: Meaning = { kind: 'followed' };

/** arm32 with frame pointers prints `Backtrace:`. */
const TRACE_START = /^\s*(?:Call [Tt]race|Backtrace):\s*(\S.*)?$/;

/**
 * `RIP: 0010:f+0x1/0x2`, before 4.10 `RIP: 0010:[<ffffffff8105>]  [<ffffffff8105>] f+0x1/0x2`; the selector tells user
 * mode. `NIP [c00000000022d79c] f+0x1/0x2` of ppc64, `PC is at f+0x1/0x2` of arm32.
 */
const PROGRAM_COUNTER = /^\s*(?:[RE]IP: ?(?:([0-9a-f]{4}):)?|NIP (?=\[)|(?:PC|EIP) is at )(.*)$/;

const DROPPED = /^(?:\*\* (\d+) printk messages dropped \*\*|\bMissed (\d+) kernel messages) ?/;

/** Text of a line that belongs to a dump and is no frame. */
const STATE_LINE =
  /^\s*(?:[A-Z]{1,2}[A-Z0-9]{0,2}\d*:|ORIG_[RE]AX:|EFLAGS:|Code:|RSP:|[xra-z]{1,3}\d{0,2} ?: ?[0-9a-f]{8}|pstate:|pc :|sp :|lr :|epc :|[RE]?IP {2}\[|LR |Hardware name:|Modules linked in:|Workqueue:|Tainted:|Exception stack\(|(?:[0-9a-f]{16} ?){2}|\(ftrace buffer|#\d+: |, at: |[0-9a-f]{4}: +[0-9a-f]|(?:SUBSYSTEM|DEVICE)=|(?:Not )?[Tt]ainted )/;

/** A line of a trace that something happened to, as opposed to a message that came between. */
const TORN_FRAME = /\+0x[0-9a-f]|^\s*\[<|^ +[?\w.]+\s*$/;

/** Reads texts of kernel log lines, the prefix already taken off. Texts are latin1; names in them are UTF-8. */
export class LogText {
  readonly #census: Census;

  constructor(census: Census) {
    this.#census = census;
  }

  understand(content: string): Meaning {
    const start = TRACE_START.exec(content);
    if (start) return { kind: 'start', frames: this.#frames(start[1] ?? '')?.frames ?? [] };
    const counter = PROGRAM_COUNTER.exec(content);
    if (counter) {
      const isUser = (Number.parseInt(counter[1] ?? '0', 16) & 3) === 3;
      const frames = isUser ? [] : (this.#frames(counter[2] ?? '')?.frames ?? []);
      return frames.length > 0 ? { kind: 'rip', frames } : STATE;
    }
    const frames = this.#frames(content);
    if (frames) return frames;
    if (ENDS.test(content)) return END;
    if (FOLLOWS.test(content)) return FOLLOWED;
    return this.#heading(content) ?? this.#other(content);
  }

  #heading(content: string): Meaning | null {
    const task = taskIn(content);
    if (task) {
      this.#learnKernel(task.kernel);
      return { kind: 'task', task: this.#task(task.task, task.isLookedAt) };
    }
    const report = reportIn(content);
    if (report) return { kind: 'report', report, task: this.#announced(report.text) };
    const event = EVENTS.find(({ pattern }) => pattern.test(content));
    if (event) return { kind: 'event', event, task: this.#announced(content) };
    const total = /^Total (\S+): (\d{1,15})$/.exec(content.trim());
    if (total) return { kind: 'total', name: utf8(total[1] ?? ''), count: Number(total[2]) };
    const section = sectionIn(content);
    return section === '' ? null : { kind: 'section', name: utf8(section) };
  }

  #other(content: string): Meaning {
    const hinted = taskHinted(content);
    if (hinted) return { kind: 'hint', task: this.#task(hinted) };
    const same = /^\s*<Same stack as pid (\d{1,9})>/.exec(content);
    if (same) return { kind: 'same', pid: Number(same[1]) };
    const kernel = kernelIn(content);
    if (kernel !== '') {
      this.#learnKernel(kernel);
      return STATE;
    }
    if (STATE_LINE.test(content)) return STATE;
    const dropped = DROPPED.exec(content);
    if (dropped) {
      return {
        kind: 'dropped',
        messages: Number(dropped[1] ?? dropped[2]),
        rest: content.slice(dropped[0].length),
      };
    }
    return TORN_FRAME.test(content) ? UNREAD : UNRELATED;
  }

  /** The frames of a line: a marker between contexts, a function, or both. Null for other lines. */
  #frames(text: string): Frames | null {
    const { symbols } = this.#census;
    const frames: Frame[] = [];
    let rest = text;
    let hasMarker = false;
    for (let marker = parseMarker(rest); marker; marker = parseMarker(rest)) {
      if (marker.marker === '</TASK>') return null;
      hasMarker = true;
      if (endsContext(marker.marker)) {
        frames.push({ symbol: symbols.intern(marker.marker, '', 'marker'), offset: -1 });
      }
      // Where messages are continued, times may stand between: `<IRQ> [  168.317567]  [<ffffffff81eb4be9>] f+0x1/0x2`.
      rest = marker.rest.replace(/^\[ *\d+\.\d+\]/, '');
    }
    const printed = parsePrintedFrame(rest);
    if (printed) {
      const names = { raw: utf8(printed.raw), module: utf8(printed.module) };
      if (!printed.isPointer) frames.push(internFrame(symbols, { ...printed, ...names }));
    } else if (!hasMarker || rest.trim() !== '') return null;
    return {
      kind: 'frames',
      frames,
      pointer: printed?.isPointer === true ? utf8(printed.raw) : '',
      callee: printed && printed.callee !== '' ? symbols.intern(utf8(printed.callee)) : null,
      isOfProcess: printed?.hasZeroAddress === true,
      isBare: printed !== null && printed.offset < 0,
    };
  }

  #announced(text: string): Task | null {
    const columns = taskAnnounced(text);
    return Object.keys(columns).length === 0 ? null : this.#task(columns);
  }

  #task({ comm, ...numbers }: Partial<CallKey>, isLookedAt = false): Task {
    const columns = comm === undefined ? numbers : { comm: utf8(comm), ...numbers };
    return { columns, key: this.#census.keys.intern(columns), isLookedAt };
  }

  #learnKernel(release: string): void {
    const { kernels } = this.#census.facts;
    if (release !== '' && !kernels.includes(release)) kernels.push(release);
  }
}

function utf8(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}
