import { type Explanation, explainGroup } from '../atlas/explain.ts';
import { frameNotes } from '../atlas/frame-notes.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import type { Census } from '../census/census.ts';
import type { PathView } from '../census/knowledge.ts';
import { type Path, PathFinder } from '../census/paths.ts';
import type { TargetId } from '../census/row-table.ts';
import type { StackId } from '../census/stack-table.ts';
import { type Pasted, readPasted } from '../formats/pasted.ts';
import type { ExplainedStack, PrintedFrame } from './stack-text.ts';

/**
 * Reads stacks that somebody pasted ('-' is standard input): any format recordings have, or bare functions.
 *
 * @param target the function whose calls these are, where the stacks do not say
 * @throws {UserError} no such file, nothing that looks like a stack
 */
export function readStacks(file: string, target?: string): Promise<Pasted> {
  return readPasted(file, kernelKnowledge(), target);
}

/** Every distinct stack with its explanation, commonest first, and then those that are told for information. */
export function explainStacks({ census, asides }: Pasted): ExplainedStack[] {
  const finder = new PathFinder(census, kernelKnowledge());
  const calls = new Map<StackId, { target: TargetId; report: string; count: number }>();
  for (const { stack, target, key, count } of census.rows) {
    const known = calls.get(stack);
    if (known) known.count += count;
    else calls.set(stack, { target, report: census.keys.at(key).report, count });
  }
  const explained = [...calls]
    .sort((a, b) => b[1].count - a[1].count)
    .map(([stack, { target, report, count }]): ExplainedStack => {
      const path = finder.pathOf(stack, target);
      return {
        calls: count,
        heading: report,
        frames: printedFrames(census, stack),
        pathLength: census.stacks.depth(path.stack),
        site: path.frames[path.site]?.name ?? '',
        explanation: explanationOf(census, path, target, count, report !== ''),
      };
    });
  const told = asides.map(
    ({ heading, stack }): ExplainedStack => ({
      calls: 0,
      heading,
      frames: printedFrames(census, stack),
      pathLength: census.stacks.depth(stack),
      site: '',
      explanation: null,
    }),
  );
  return [...explained, ...told];
}

function explanationOf(
  { targets, facts }: Census,
  { frames, site, entry, isDoubted, isPartial }: Path,
  target: TargetId,
  count: number,
  isReport: boolean,
): Explanation {
  const path: PathView = {
    frames,
    site,
    entry,
    target: targets[target] ?? (targets.length === 1 ? (targets[0] ?? '') : ''),
    argument: '',
    kernel: facts.kernels.length === 1 ? (facts.kernels[0] ?? '') : '',
    isReport,
    isDoubted: isDoubted || isPartial,
  };
  return explainGroup({ path, paths: [{ path, count }], entries: [{ ...entry, count }], comms: [], count }, 'full');
}

function printedFrames(census: Census, stack: StackId): PrintedFrame[] {
  const { symbols, stacks } = census;
  const own = stacks.frames(stack).filter((frame) => symbols.space(frame.symbol) !== 'marker');
  const notes = frameNotes(
    own.map(({ symbol }) => ({
      name: symbols.name(symbol),
      module: symbols.space(symbol) === 'user' ? '' : symbols.module(symbol),
      ...(symbols.file(symbol) !== '' && { file: symbols.file(symbol) }),
    })),
  );
  return notes.map((note, i) => {
    const frame = own[i];
    const flags = { isUnreliable: frame?.unreliable === true, isInlined: frame?.inlined === true };
    if (frame === undefined || symbols.space(frame.symbol) !== 'user') {
      const line = frame === undefined ? 0 : symbols.line(frame.symbol);
      const file = note.file !== null && line > 0 ? `${note.file}:${line}` : note.file;
      return { ...note, file, ...flags, isUser: false };
    }
    // What the atlas says of the name is said of a kernel function.
    const { name } = note;
    const file = symbols.module(frame.symbol) || null;
    return { name, file, subsystem: null, does: null, ends: null, ...flags, isUser: true };
  });
}
