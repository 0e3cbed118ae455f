import type { KeyId } from '../../census/call-key.ts';
import type { Census } from '../../census/census.ts';
import type { Frame } from '../../census/stack-table.ts';
import { endsContext, internFrame, parseMarker, parsePrintedFrame } from './frame.ts';

/** What the text of a line in a kernel log says; learnt once per distinct text. */
export type Meaning =
  /** Frames of a trace, most often one; markers between contexts among them. */
  | { readonly kind: 'frames'; readonly frames: readonly Frame[] }
  /** `RIP: 0010:rb_insert_color+0x1/0x140`: where registers were saved. */
  | { readonly kind: 'rip'; readonly frames: readonly Frame[] }
  /** `CPU: 0 PID: 15 Comm: rcu_preempt Not tainted 6.1.0 #1`: who is about to be traced. */
  | { readonly kind: 'task'; readonly task: KeyId }
  | { readonly kind: 'start'; readonly frames: readonly Frame[] }
  | { readonly kind: 'end' }
  | { readonly kind: 'total'; readonly name: string; readonly count: number }
  /** `** 12 printk messages dropped **`: what follows may belong to another trace. */
  | { readonly kind: 'dropped'; readonly messages: number }
  /** Registers, code bytes, markers that bound nothing: part of a trace, and no frame. */
  | { readonly kind: 'state' }
  | { readonly kind: 'unrelated' };

export const UNRELATED: Meaning = { kind: 'unrelated' };
const STATE: Meaning = { kind: 'state' };
const END: Meaning = { kind: 'end' };

const TRACE_START = /^\s*Call [Tt]race:\s*(.*)$/;

/** `RIP: 0010:f+0x1/0x2`, before 4.10 `RIP: 0010:[<ffffffff8105>]  [<ffffffff8105>] f+0x1/0x2`; the selector tells user mode. */
const PROGRAM_COUNTER = /^\s*[RE]IP: ?(?:([0-9a-f]{4}):)?(.*)$/;

const TASK =
  /^\s*CPU: (\d+) (?:UID: \d+ )?PID: (\d+) Comm: (.*?) (?:Not tainted|Tainted: [A-Z ]+|Kdump: \S+).*?(\d+\.\d+\.\S+)/;
const TASK_TORN = /^\s*CPU: (\d+) (?:UID: \d+ )?PID: (\d+) Comm: (.*)$/;
/** `task:kworker/0:1 state:D stack:0 pid:123 ppid:2`, as hung tasks and SysRq-T print. */
const SLEEPING_TASK = /^\s*task:(.+?)\s+state:\S+.*?\bpid:\s*(\d+)/;

const DROPPED = /\*\* (\d+) printk messages dropped \*\*|\bMissed (\d+) kernel messages/;

/** Text of a line that belongs to a dump and is no frame. */
const STATE_LINE =
  /^\s*(?:[A-Z]{1,2}[A-Z0-9]{0,2}\d*:|ORIG_[RE]AX:|EFLAGS:|Code:|RSP:|[xr]\d{1,2} ?:|pstate:|pc :|sp :|lr :|Hardware name:|Modules linked in:|Workqueue:|Tainted:|(?:SUBSYSTEM|DEVICE)=)/;

/** Reads texts of kernel log lines, the prefix already taken off. Texts are latin1; names in them are UTF-8. */
export class LogText {
  readonly #census: Census;

  constructor(census: Census) {
    this.#census = census;
  }

  understand(content: string): Meaning {
    const start = TRACE_START.exec(content);
    if (start) return { kind: 'start', frames: this.#frames(start[1] ?? '') };
    const counter = PROGRAM_COUNTER.exec(content);
    if (counter) {
      const isUser = (Number.parseInt(counter[1] ?? '0', 16) & 3) === 3;
      const frames = isUser ? [] : this.#frames(counter[2] ?? '');
      return frames.length > 0 ? { kind: 'rip', frames } : STATE;
    }
    const task = this.#task(content);
    if (task) return { kind: 'task', task };
    const total = /^Total (\S+): (\d{1,15})$/.exec(content.trim());
    if (total) return { kind: 'total', name: utf8(total[1] ?? ''), count: Number(total[2]) };
    if (/^\s*(?:<\/TASK>|---\[ end trace)/.test(content)) return END;
    const frames = this.#frames(content);
    if (frames.length > 0) return { kind: 'frames', frames };
    // A marker that bounds nothing (`<IRQ>`, `<TASK>`) is part of the trace like a frame, so that it is expected next time.
    if (parseMarker(content)?.rest === '') return { kind: 'frames', frames };
    if (STATE_LINE.test(content)) return STATE;
    const dropped = DROPPED.exec(content);
    return dropped ? { kind: 'dropped', messages: Number(dropped[1] ?? dropped[2]) } : UNRELATED;
  }

  /** The frames of a line: a marker between contexts, a function, or both. */
  #frames(text: string): Frame[] {
    const { symbols } = this.#census;
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
      const names = { raw: utf8(printed.raw), module: utf8(printed.module) };
      frames.push(internFrame(symbols, { ...printed, ...names }));
    }
    return frames;
  }

  #task(content: string): KeyId | null {
    const census = this.#census;
    const task = TASK.exec(content) ?? TASK_TORN.exec(content);
    if (task) {
      const [, cpu, pid, comm = '', kernel] = task;
      if (kernel && !census.facts.kernels.includes(kernel)) census.facts.kernels.push(kernel);
      return census.keys.intern({ comm: utf8(comm), pid: number(pid), cpu: number(cpu) });
    }
    const sleeping = SLEEPING_TASK.exec(content);
    return sleeping ? census.keys.intern({ comm: utf8(sleeping[1] ?? ''), pid: number(sleeping[2]) }) : null;
  }
}

/** Process and CPU numbers go into 32-bit columns; a larger one is damage. */
function number(digits: string | undefined): number {
  const value = Number(digits ?? -1);
  return value <= 0x7fffffff ? value : -1;
}

function utf8(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}
