import type { Explanation } from '../atlas/explain.ts';
import type { FrameNote } from '../atlas/frame-notes.ts';
import type { ContextKind } from '../census/knowledge.ts';

/** A frame as it is printed. */
export interface PrintedFrame extends FrameNote {
  /** The unwinder was not sure of it. */
  readonly isUnreliable: boolean;
  readonly isUser: boolean;
}

/** A stack with everything that is said of it. */
export interface ExplainedStack {
  readonly calls: number;
  readonly frames: readonly PrintedFrame[];
  /** How many frames, from the innermost, belong to the path that caused the call. */
  readonly pathLength: number;
  /** Name of the site, '' without one. */
  readonly site: string;
  readonly explanation: Explanation;
}

const CUT: Readonly<Record<ContextKind, string>> = {
  task: 'the task entered the kernel here',
  softirq: 'the softirq began here; what follows was running before',
  hardirq: 'the interrupt came here; what follows was interrupted',
  exception: 'the exception came here; what follows caused it',
  nmi: 'the non-maskable interrupt came here; what follows was interrupted',
};

/** One stack as text: a line per frame, the borders between contexts, then the explanation. */
export function stackText(stack: ExplainedStack, heading: string, width: number): string {
  const names = stack.frames.map((frame) => `${frame.isUnreliable ? '? ' : ''}${frame.name}`);
  const nameWidth = Math.min(Math.max(...names.map((name) => name.length), 8), 40);
  const lines = [heading];
  for (const [i, frame] of stack.frames.entries()) {
    const mark = frame.name === stack.site && i < stack.pathLength && !frame.isUnreliable ? '>' : ' ';
    lines.push(...wrapped(`${mark} ${(names[i] ?? '').padEnd(nameWidth)}  `, noteOf(frame), width));
    if (frame.ends && !frame.isUnreliable) lines.push(`  -- ${CUT[frame.ends]} --`);
  }
  lines.push('', ...wrapped('', stack.explanation.text, width));
  const { confidence, candidates } = stack.explanation;
  const others = candidates.length > 1 ? `; possible trees: ${candidates.map((tree) => tree.name).join(', ')}` : '';
  const { decision, subject, entry } = confidence;
  const parts = [`decision ${decision}`, ...(candidates.length > 0 ? [`tree ${subject}`] : []), `entry ${entry}`];
  lines.push(...wrapped('', `Confidence: ${parts.join(', ')}${others}.`, width));
  return `${lines.join('\n')}\n`;
}

function noteOf(frame: PrintedFrame): string {
  if (frame.isUser) return frame.file === null ? 'user space' : `user space, ${frame.file}`;
  const where = [frame.file, frame.subsystem].filter((part) => part !== null).join(', ');
  const does = frame.does === null ? '' : `${where === '' ? '' : ': '}${frame.does}`;
  const note = `${where}${does}` || 'not known to the atlas';
  return frame.isUnreliable ? `${note} [the unwinder doubts this frame]` : note;
}

function wrapped(first: string, text: string, width: number): string[] {
  const indent = ' '.repeat(first.length);
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(' ')) {
    if (line.length + word.length > width && line.trim() !== '' && line.length > first.length) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
