import { type Message, messageKey, type Note } from '../census/message.ts';
import { printable } from '../text/columns.ts';

/** A line that could not be read. */
export interface SkippedLine {
  /** 1 for the first. */
  readonly line: number;
  /** The beginning of the line. */
  readonly text: string;
  readonly why: string;
}

const MAXIMUM_EXAMPLES = 5;
const MAXIMUM_TEXT = 120;

/** What went wrong while one input was read, and what a reader wants to be known besides the calls. */
export class Diagnostics {
  /** Lines that could not be read. */
  skippedLines = 0;
  /** The first few of them. */
  readonly examples: SkippedLine[] = [];
  /** Why the input ends too early, where it does. */
  truncated: string | null = null;
  /** Frames of recording tools that were peeled off, by name. */
  readonly peeled = new Map<string, number>();
  /** Remarks for the user. */
  readonly notes: Note[] = [];

  skip(line: number, text: string, why: string): void {
    this.skippedLines += 1;
    if (this.examples.length < MAXIMUM_EXAMPLES) this.examples.push({ line, text: beginning(text), why });
  }

  note(note: Note): void {
    if (!this.notes.some((known: Message) => messageKey(known) === messageKey(note))) this.notes.push(note);
  }

  /** Says that a frame of a recording tool was peeled off the stacks of so many calls. */
  tookOff(name: string, calls: number): void {
    this.peeled.set(name, (this.peeled.get(name) ?? 0) + calls);
  }
}

/** Text of unknown origin as it may go to a terminal: no control characters, not too long. */
function beginning(text: string): string {
  const clean = printable(text);
  return clean.length > MAXIMUM_TEXT ? `${clean.slice(0, MAXIMUM_TEXT)}…` : clean;
}
