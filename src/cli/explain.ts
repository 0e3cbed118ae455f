import type { Command } from 'commander';
import { explainGroup } from '../atlas/explain.ts';
import { frameNotes } from '../atlas/frame-notes.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import type { Census } from '../census/census.ts';
import type { PathView } from '../census/knowledge.ts';
import { type Path, PathFinder } from '../census/paths.ts';
import type { StackId } from '../census/stack-table.ts';
import { UsageError } from '../errors.ts';
import { readPasted } from '../formats/pasted.ts';
import { type ExplainedStack, stackText } from '../report/frames.ts';
import { newCommand } from './command.ts';
import { outputWidth } from './terminal.ts';

interface ExplainOptions {
  readonly target?: string;
  readonly top: string;
}

/** `whocalls explain [FILE]` */
export function command(): Command {
  return newCommand('explain')
    .description(
      'Explain single stacks, frame by frame: what each function does, where it lives, where an interrupt cut in.\n' +
        "Takes what 'whocalls read' takes, and bare functions: one a line, innermost first.",
    )
    .argument('[file]', "stacks ('-' is standard input)", '-')
    .option('--target <name>', 'the function whose calls these are, where the stacks do not say')
    .option('--top <n>', 'explain the n commonest stacks, 0 for all', '10')
    .action(async (file: string, options: ExplainOptions) => {
      if (!/^\d+$/.test(options.top)) throw new UsageError(`--top takes a number, not '${options.top}'`);
      const census = await readPasted(file, kernelKnowledge(), options.target);
      const stacks = explainStacks(census);
      const shown = stacks.slice(0, Number(options.top) || stacks.length);
      const width = outputWidth();
      const texts = shown.map((stack, i) => stackText(stack, headingOf(stack, i, stacks.length), width));
      process.stdout.write(texts.join('\n'));
      if (shown.length < stacks.length) {
        process.stdout.write(`\n${stacks.length - shown.length} more stacks: --top 0 explains them all.\n`);
      }
    });
}

function headingOf({ calls }: ExplainedStack, index: number, stacks: number): string {
  if (stacks === 1 && calls === 1) return 'Innermost first; > marks the function that decided to call:';
  return `Stack ${index + 1} of ${stacks}, ${calls} ${calls === 1 ? 'call' : 'calls'}:`;
}

/** Every distinct stack of a census with its explanation, commonest first. */
function explainStacks(census: Census): ExplainedStack[] {
  const finder = new PathFinder(census, kernelKnowledge());
  const calls = new Map<StackId, { target: number; count: number }>();
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
  target: number,
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
      const isUnreliable = frame?.unreliable === true;
      if (frame === undefined || symbols.space(frame.symbol) !== 'user')
        return { ...note, isUnreliable, isUser: false };
      // What the atlas says of the name is said of a kernel function.
      const { name } = note;
      const file = symbols.module(frame.symbol) || null;
      return { name, file, subsystem: null, does: null, ends: null, isUnreliable, isUser: true };
    }),
    pathLength: stacks.depth(pathStack),
    site: frames[site]?.name ?? '',
    explanation: explainGroup(
      { path, paths: [{ path, count }], entries: [{ ...entry, count }], comms: [], count },
      'full',
    ),
  };
}
