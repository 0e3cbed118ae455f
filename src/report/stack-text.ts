import type { Explanation } from '../atlas/explain.ts';
import type { FrameNote } from '../atlas/frame-notes.ts';
import type { ContextKind } from '../census/knowledge.ts';
import { UNREAD_FRAME } from '../census/stack-table.ts';
import { columns, pad, printable, wrap } from '../text/columns.ts';

/** A frame as it is printed. */
export interface PrintedFrame extends FrameNote {
  /** The unwinder was not sure of it. */
  readonly isUnreliable: boolean;
  /** The compiler put it into the function of the next frame. */
  readonly isInlined: boolean;
  readonly isUser: boolean;
}

/** A stack with everything that is said of it. */
export interface ExplainedStack {
  /** 0 for a stack that is told for information. */
  readonly calls: number;
  /** What the kernel reported, or what the source says above a stack told for information; '' for others. */
  readonly heading: string;
  readonly frames: readonly PrintedFrame[];
  /** How many frames, from the innermost, belong to the path that caused the call. */
  readonly pathLength: number;
  /** Name of the site, '' without one. */
  readonly site: string;
  /** null for a stack that is no call. */
  readonly explanation: Explanation | null;
}

const CUT: Readonly<Record<ContextKind, string>> = {
  task: 'the task entered the kernel here',
  softirq: 'the softirq began here; what follows was running before',
  hardirq: 'the interrupt came here; what follows was interrupted',
  exception: 'the exception came here; what follows caused it',
  nmi: 'the non-maskable interrupt came here; what follows was interrupted',
};

/** Columns of the names; longer ones push their notes to the right. */
const NAME_COLUMNS = { least: 8, most: 40 };

/** One stack as text: a line per frame, the borders between contexts, then the explanation. */
export function stackText(stack: ExplainedStack, heading: string, width: number): string {
  const names = stack.frames.map((frame) =>
    printable(`${frame.isUnreliable ? '? ' : ''}${frame.name}${frame.isInlined ? ' (inlined)' : ''}`),
  );
  const widest = names.reduce((most, name) => Math.max(most, columns(name)), NAME_COLUMNS.least);
  const nameWidth = Math.min(widest, NAME_COLUMNS.most);
  const lines = [printable(heading)];
  for (const [i, frame] of stack.frames.entries()) {
    const mark = frame.name === stack.site && i < stack.pathLength && !frame.isUnreliable ? '>' : ' ';
    const name = `${mark} ${pad(names[i] ?? '', nameWidth)}  `;
    lines.push(...wrap(printable(noteOf(frame)), width, name, ' '.repeat(nameWidth + 4)));
    if (frame.ends && !frame.isUnreliable) lines.push(`  -- ${CUT[frame.ends]} --`);
  }
  if (stack.explanation) lines.push(...explanationLines(stack.explanation, width));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function explanationLines({ text, confidence, candidates }: Explanation, width: number): string[] {
  const lines = ['', ...wrap(printable(text), width)];
  const others = candidates.length > 1 ? `; possible trees: ${candidates.map((tree) => tree.name).join(', ')}` : '';
  const { decision, subject, entry } = confidence;
  const parts = [`decision ${decision}`, ...(candidates.length > 0 ? [`tree ${subject}`] : []), `entry ${entry}`];
  lines.push(...wrap(printable(`Confidence: ${parts.join(', ')}${others}.`), width));
  return lines;
}

function noteOf(frame: PrintedFrame): string {
  if (frame.name === UNREAD_FRAME) return 'a line that could not be read';
  if (frame.isUser) return frame.file === null ? 'user space' : `user space, ${frame.file}`;
  const where = [frame.file, frame.subsystem].filter((part) => part !== null).join(', ');
  const does = frame.does === null ? '' : `${where === '' ? '' : ': '}${frame.does}`;
  const note = `${where}${does}` || 'not known to the atlas';
  return frame.isUnreliable ? `${note} [unreliable]` : note;
}
