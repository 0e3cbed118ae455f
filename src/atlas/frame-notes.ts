import type { ContextKind, PathFrame } from '../census/knowledge.ts';
import { glossOf } from './gloss.ts';
import { kernelKnowledge } from './knowledge.ts';
import { placeInPath, placesOf } from './places.ts';
import { syscallSummary } from './syscalls.ts';

/** What is known of one frame. */
export interface FrameNote {
  readonly name: string;
  /** Source file; null where unknown or not settled. */
  readonly file: string | null;
  readonly subsystem: string | null;
  /** What the function does, in a few words that continue "it …". */
  readonly does: string | null;
  /** The frame is the outermost of a context of this kind: what follows was interrupted. */
  readonly ends: ContextKind | null;
}

/** Notes on the frames of a whole stack, innermost first. */
export function frameNotes(frames: readonly PathFrame[]): readonly FrameNote[] {
  const knowledge = kernelKnowledge();
  return frames.map(({ name, module }, index) => {
    const place = placeInPath(frames, index);
    const places = place ? [place] : placesOf(name, module);
    const subsystems = [...new Set(places.map((other) => other.subsystem))];
    const syscall = /^(?:compat_)?sys_(\w+)$/.exec(name)?.[1];
    return {
      name,
      file: place?.file ?? (places.length > 1 ? `one of ${places.length} files` : null),
      subsystem: subsystems.length === 1 ? (subsystems[0] ?? null) : null,
      does: glossOf(name) ?? (syscall === undefined ? null : syscallSummary(syscall)),
      ends: knowledge.role(name)?.boundary ?? null,
    };
  });
}
