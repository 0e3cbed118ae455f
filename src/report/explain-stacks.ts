import { explainGroup } from '../atlas/explain.ts';
import { frameNotes } from '../atlas/frame-notes.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import type { Census } from '../census/census.ts';
import type { PathView } from '../census/knowledge.ts';
import { type Path, PathFinder } from '../census/paths.ts';
import type { TargetId } from '../census/row-table.ts';
import type { StackId } from '../census/stack-table.ts';
import { readPasted } from '../formats/pasted.ts';
import type { ExplainedStack } from './stack-text.ts';

/**
 * Reads stacks that somebody pasted ('-' is standard input): any format recordings have, or bare functions.
 *
 * @param target the function whose calls these are, where the stacks do not say
 * @throws {UserError} no such file, nothing that looks like a stack
 */
export function readStacks(file: string, target?: string): Promise<Census> {
  return readPasted(file, kernelKnowledge(), target);
}

/** Every distinct stack of a census with its explanation, commonest first. */
export function explainStacks(census: Census): ExplainedStack[] {
  const finder = new PathFinder(census, kernelKnowledge());
  const calls = new Map<StackId, { target: TargetId; count: number }>();
  for (const { stack, target, count } of census.rows) {
    calls.set(stack, { target, count: (calls.get(stack)?.count ?? 0) + count });
  }
  return [...calls]
    .sort((a, b) => b[1].count - a[1].count)
    .map(([stack, { target, count }]) => explainStack(census, finder.pathOf(stack, target), stack, target, count));
}

function explainStack(
  census: Census,
  { frames, site, entry, stack: pathStack }: Path,
  stack: StackId,
  target: TargetId,
  count: number,
): ExplainedStack {
  const { symbols, stacks, targets } = census;
  const path: PathView = {
    frames,
    site,
    entry,
    target: targets[target] ?? (targets.length === 1 ? (targets[0] ?? '') : ''),
    argument: '',
    comm: '',
    kernel: census.facts.kernels.length === 1 ? (census.facts.kernels[0] ?? '') : '',
  };
  const own = stacks.frames(stack).filter((frame) => symbols.space(frame.symbol) !== 'marker');
  const notes = frameNotes(
    own.map(({ symbol }) => ({
      name: symbols.name(symbol),
      module: symbols.space(symbol) === 'user' ? '' : symbols.module(symbol),
      ...(symbols.file(symbol) !== '' && { file: symbols.file(symbol) }),
    })),
  );
  return {
    calls: count,
    frames: notes.map((note, i) => {
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
    }),
    pathLength: stacks.depth(pathStack),
    site: frames[site]?.name ?? '',
    explanation: explainGroup(
      { path, paths: [{ path, count }], entries: [{ ...entry, count }], comms: [], count },
      'full',
    ),
  };
}
