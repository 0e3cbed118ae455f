import { type PrintedFrame, parsePrintedFrame } from '../kernel-log/frame.ts';

/** Frames the kernel keeps of a stack in a histogram (HIST_STACKTRACE_DEPTH). */
export const HIST_FRAMES = 16;

/** One entry of a histogram: what it is told apart by, and what was added up. All text is latin1. */
export interface HistEntry {
  /** The first stack among the keys, innermost first; null where none is. */
  readonly frames: readonly PrintedFrame[] | null;
  /** The other keys by name, as printed: `kworker/0:1     [         9]`. */
  readonly keys: readonly (readonly [name: string, value: string])[];
  /** Sums by name, `hitcount` first. Percentages and bars are none. */
  readonly values: readonly (readonly [name: string, value: number])[];
}

/** What a histogram's trigger is: `hist:name=foo:keys=stacktrace:vals=hitcount,bytes_req:sort=hitcount:size=2048`. */
export interface HistTrigger {
  /** Histograms of one name are one, shown by several events; '' where it has none. */
  readonly name: string;
  /** How many entries there is room for; 0 where it is not told. */
  readonly size: number;
  /** Sums that are printed as hexadecimal numbers. */
  readonly hexadecimal: ReadonlySet<string>;
}

/** What is told at the end of a histogram. */
export interface HistTotals {
  /** How often the event came and was counted; -1 where the file ends before. */
  readonly hits: number;
  /** How often there was no room. */
  readonly dropped: number;
}

/** Who is told what a file of histograms says. */
export interface HistListener {
  trigger(trigger: HistTrigger): void;
  entry(entry: HistEntry): void;
  totals(totals: HistTotals): void;
  /** A line that cannot be read. */
  unread(line: string, why: string): void;
}

/** The last key of a line is a stack, whose first frame may stand on it: `{ delta: ~ 0-99, stack.stacktrace   f+0x1/0x2`. */
const STACK_KEY = /(?:^|, )(?:[\w.]+\.)?(?:common_)?stacktrace(?::|(?=\s))\s*(\S.*)?$/;
/** `hitcount:          1`, `hitcount (%):  60.00`, a bar that may be empty. */
const VALUE = /\s+([\w.$-]+)( \(%\))?:(?: *([\w.#]{1,60}|\[ERROR\])(?!\S{0,200}:))?/y;
/** Where a key ends and the next begins. */
const NEXT_KEY = /, (?=[\w.]+: )/;
/** No kernel prints as many frames. */
const MOST_FRAMES = 1024;

/**
 * Reads the `hist` files of tracefs line by line (Documentation/trace/histogram.rst):
 *
 *     { stacktrace:
 *              enqueue_task_fair+0x5/0x3d0
 *              ttwu_do_activate+0x85/0x190
 *     , common_pid: kworker/0:1     [         9] } hitcount:          1
 */
export class HistText {
  readonly #listener: HistListener;
  /** Frames of the entry that is open; null outside the stacks of one. */
  #frames: PrintedFrame[] | null = null;
  /** Another stack of the same entry is passed over. */
  #isFurther = false;
  #stack: readonly PrintedFrame[] | null = null;
  /** The keys of the entry that is open, as far as they were read. */
  #keys = '';
  #isOpen = false;
  #hexadecimal: ReadonlySet<string> = new Set();
  #hits = -1;
  /** Of the histogram at hand, whose totals are still to come. */
  #hasEntries = false;

  constructor(listener: HistListener) {
    this.#listener = listener;
  }

  /** Reads a line, without its line end. */
  line(line: string): void {
    if (this.#frames && this.#frame(line)) return;
    if (line.startsWith('{ ') || (!this.#isOpen && /^\s+\{ /.test(line))) {
      if (this.#isOpen) this.#listener.unread(line, 'an entry before it has no end');
      this.#open();
      this.#rest(line.trimStart().slice(2));
    } else if (this.#isOpen) this.#rest(line.trim());
    else this.#outside(line);
  }

  /** The file is at its end. */
  end(): void {
    if (this.#isOpen) this.#listener.unread(this.#keys, 'the entry has no end');
    // Entries may stand without a head, and without totals.
    if (this.#hasEntries) this.#listener.totals({ hits: this.#hits, dropped: 0 });
  }

  #open(): void {
    this.#hasEntries = true;
    this.#isOpen = true;
    this.#keys = '';
    this.#frames = null;
    this.#stack = null;
  }

  #frame(line: string): boolean {
    const frame = parsePrintedFrame(line);
    if (frame && this.#frames && this.#frames.length < MOST_FRAMES) this.#frames.push(frame);
    return frame !== null;
  }

  /** What stands on a line of an entry besides frames. */
  #rest(text: string): void {
    if (this.#frames) {
      if (!this.#isFurther) this.#stack = this.#frames;
      this.#frames = null;
    }
    const stack = STACK_KEY.exec(text);
    if (stack) {
      this.#keys += text.slice(0, stack.index);
      this.#isFurther = this.#stack !== null;
      this.#frames = [];
      if (stack[1] !== undefined && !this.#frame(stack[1])) this.#listener.unread(text, 'not a frame of a histogram');
      return;
    }
    const brace = text.lastIndexOf('}');
    const values = brace < 0 ? null : this.#values(text.slice(brace + 1));
    if (values) {
      this.#keys += text.slice(0, brace);
      this.#isOpen = false;
      const keys = this.#keys.split(NEXT_KEY).flatMap((key) => keyOf(key.replace(/^, /, '')));
      this.#listener.entry({ frames: this.#stack, keys, values });
      return;
    }
    this.#listener.unread(text, 'not a line of a histogram');
    if (this.#stack) this.#frames = [...this.#stack];
  }

  /** `} hitcount:          1  bytes_req:         12`, behind the brace; null where there is anything else. */
  #values(text: string): [string, number][] | null {
    const values: [string, number][] = [];
    VALUE.lastIndex = 0;
    let end = 0;
    for (let match = VALUE.exec(text); match; match = VALUE.exec(text)) {
      end = VALUE.lastIndex;
      const [, name = '', percent, printed = ''] = match;
      const number = Number(this.#hexadecimal.has(name) ? `0x${printed}` : printed);
      if (percent === undefined && printed !== '' && Number.isFinite(number)) values.push([name, number]);
    }
    return end > 0 && text.slice(end).trim() === '' ? values : null;
  }

  #outside(line: string): void {
    const text = line.trim();
    const trigger = /^# trigger info: (.*)$/.exec(text)?.[1];
    if (trigger !== undefined) this.#trigger(trigger);
    const [, name, digits] = /^(Hits|Dropped): (\d{1,15})$/.exec(text) ?? [];
    if (name === 'Hits') this.#hits = Number(digits);
    else if (name === 'Dropped') {
      this.#listener.totals({ hits: this.#hits, dropped: Number(digits) });
      this.#hits = -1;
      this.#hasEntries = false;
    }
    // What an action saved of the entry before: `\tmax:        391  next_comm: x`.
    const isKnown =
      text === '' || name !== undefined || /^(?:#|Totals:$|Entries: |max:|changed:|[\w.]+: +\S)/.test(text);
    if (!isKnown) this.#listener.unread(line, 'not a line of a histogram');
  }

  #trigger(text: string): void {
    if (this.#hasEntries) this.#listener.totals({ hits: this.#hits, dropped: 0 });
    this.#hasEntries = false;
    this.#hits = -1;
    const values = /(?:^|:)vals=([^:]*)/.exec(text)?.[1] ?? '';
    const hexadecimal = values.split(',').filter((value) => value.endsWith('.hex'));
    this.#hexadecimal = new Set(hexadecimal.map((value) => value.slice(0, -'.hex'.length)));
    this.#listener.trigger({
      name: /^hist:name=([^:]+)/.exec(text)?.[1] ?? '',
      size: Number(/(?:^|:)size=(\d{1,9})/.exec(text)?.[1] ?? 0),
      hexadecimal: this.#hexadecimal,
    });
  }
}

function keyOf(text: string): [string, string][] {
  const [, name, value = ''] = /^([\w.]+):(.*)$/.exec(text.trim()) ?? [];
  return name === undefined ? [] : [[name, value.trim()]];
}

/** A task as a key prints it: `kworker/0:1     [         9]`, with `.execname`; the pid alone without. */
export function taskIn(value: string): { readonly comm: string; readonly pid: number } {
  const [, comm = '', bracketed, bare] = /^(?:(.*)\[\s*(\d{1,10})\]|(\d{1,10}))$/.exec(value) ?? [];
  return { comm: comm.trimEnd(), pid: Number(bracketed ?? bare ?? -1) };
}
