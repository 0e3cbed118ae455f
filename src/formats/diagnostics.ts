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
  /** Remarks for the user, a sentence each. */
  readonly notes: string[] = [];

  skip(line: number, text: string, why: string): void {
    this.skippedLines += 1;
    if (this.examples.length < MAXIMUM_EXAMPLES) this.examples.push({ line, text: printable(text), why });
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }
}

/** Text of unknown origin as it may go to a terminal: no control characters, not too long. */
export function printable(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, '·');
  return clean.length > MAXIMUM_TEXT ? `${clean.slice(0, MAXIMUM_TEXT)}…` : clean;
}
