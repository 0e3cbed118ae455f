import type { Command } from 'commander';
import { UserError } from '../errors.ts';
import { explainStacks, readStacks } from '../report/explain-stacks.ts';
import { factsText, functionFacts, treeFacts, treesLike } from '../report/knowledge-text.ts';
import { type ExplainedStack, stackText } from '../report/stack-text.ts';
import { newCommand } from './command.ts';
import { toStdout } from './stdout.ts';
import { outputWidth } from './terminal.ts';
import { count } from './values.ts';

interface ExplainOptions {
  readonly target?: string;
  readonly tree?: string;
  readonly function?: string;
  readonly top: number;
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
    .option('--tree <id>', 'show what the atlas knows of a red-black tree, by id or part of its name')
    .option('--function <name>', 'show what the atlas knows of a kernel function')
    .option('--top <n>', 'explain the n most common stacks, 0 for all', count(), 10)
    .action(async (file: string, options: ExplainOptions) => {
      if (options.tree !== undefined) return toStdout(trees(options.tree));
      if (options.function !== undefined) return toStdout(knownFunction(options.function));
      const stacks = explainStacks(await readStacks(file, options.target));
      const calls = stacks.filter((stack) => stack.calls > 0);
      const asides = stacks.slice(calls.length);
      const top = options.top || stacks.length;
      const shown = [...calls.slice(0, top), ...asides.slice(0, top)];
      const width = outputWidth();
      const texts = shown.map((stack, i) => stackText(stack, headingOf(stack, i, calls.length), width));
      process.stdout.write(texts.join('\n'));
      if (shown.length < stacks.length) {
        process.stdout.write(`\n${stacks.length - shown.length} more stacks: --top 0 explains them all.\n`);
      }
    });
}

/** @throws {UserError} no tree of that id or name */
function trees(word: string): string {
  const found = treesLike(word);
  if (found.length === 0) throw new UserError(`no red-black tree is called ${word}; --tree '' lists them all`);
  if (found.length > 1) return `${found.map(({ id, name }) => `${id}  ${name}`).join('\n')}\n`;
  return found.map((tree) => factsText(`The ${tree.name} (${tree.id})`, treeFacts(tree), outputWidth())).join('\n');
}

/** @throws {UserError} nothing known of it */
function knownFunction(name: string): string {
  const facts = functionFacts(name);
  if (!facts) throw new UserError(`the atlas knows nothing of ${name}`);
  return factsText(name, facts, outputWidth());
}

function headingOf({ calls, heading }: ExplainedStack, index: number, stacks: number): string {
  if (calls === 0) return `For information, ${heading}:`;
  const report = heading === '' ? '' : `${heading}. `;
  if (stacks === 1 && calls === 1) return `${report}Innermost first; > marks the function that decided to call:`;
  return `Stack ${index + 1} of ${stacks}, ${calls} ${calls === 1 ? 'call' : 'calls'}${heading === '' ? '' : `, ${heading}`}:`;
}
