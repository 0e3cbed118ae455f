import type { Frame } from '../../census/stack-table.ts';
import type { Report } from './headings.ts';
import type { Task } from './text.ts';

/** What frames outside a trace are. */
export const OUTSIDE = {
  /** Nothing is known: a trace that lost its beginning. */
  unknown: 0,
  /** The line before ends in a colon: what it announces, if no other line comes between. */
  heading: 1,
  /** Further parts of a report, until something else begins. */
  section: 2,
  /** The trace that lost its beginning, which is counted. */
  torn: 3,
} as const;

export type Outside = (typeof OUTSIDE)[keyof typeof OUTSIDE];

/** After so many lines no stack follows an announcement any more. */
const LONGEST_ANNOUNCEMENT = 300;

/** What is being printed by one caller; logs with caller ids interleave several. */
export class Caller {
  /** Where in the trie the open trace is; -1 while none is open. */
  node = -1;
  /** Line of its heading. */
  startLine = 0;
  /** Without frames it is a lost call; else another heading may come. */
  mustHaveFrames = true;
  /** What is open is told for information. */
  isAside = false;
  /** Whose trace is open, and what was announced before it. */
  openTask: Task | null = null;
  openReport: Report | null = null;
  /** The process that was printed for the next trace. */
  task: Task | null = null;
  /** Node of the registers printed before a trace; 0 where there are none. */
  registers = 0;
  unrelated = 0;
  outside: Outside = OUTSIDE.unknown;
  /** Frames of an unfinished trace came after another one was announced: they may be among its own. */
  isTangled = false;
  /** The last trace had not come to its end when the next began. */
  isUnfinished = false;
  /** The report that was announced. */
  report: Report | null = null;
  /** The report has a stack; further ones are another's, unless the report goes on and one is introduced. */
  isTold = false;
  /** A call whose process is printed below its stack. */
  waiting: { readonly node: number; readonly task: Task | null; readonly kind: string } | null = null;
  /** Heading and frames that are told for information, where somebody wants to know. */
  section = '';
  aside: Frame[] = [];
  /** Lines since the report was announced. */
  #since = 0;

  /** What the next stack is counted as. */
  get kind(): string {
    return this.report !== null && !this.isTold ? this.report.kind : '';
  }

  announce(report: Report): void {
    this.report = report;
    this.isTold = false;
    this.#since = 0;
  }

  /** A line outside any trace that means nothing. */
  pass(content: string): void {
    if (this.outside <= OUTSIDE.heading) {
      const isHeading = content.endsWith(':');
      this.outside = isHeading ? OUTSIDE.heading : OUTSIDE.unknown;
      if (isHeading) this.section = content.trim().slice(0, -1);
    }
    this.#since += 1;
    if (this.#since > LONGEST_ANNOUNCEMENT && this.kind !== '') this.report = null;
  }
}
