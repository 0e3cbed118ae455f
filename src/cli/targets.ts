import type { Command } from 'commander';
import { targetSets } from '../capture/targets/target-sets.ts';
import { noteText } from '../report/messages.ts';
import { newCommand } from './command.ts';

/** Names that somebody may want to look through. */
const MOST_LISTED = 4096;

/** `whocalls targets [WORD…]`: the named sets, or what words resolve to on this kernel. */
export function command(): Command {
  return newCommand('targets')
    .description(
      'Show what target words stand for on the running kernel: names, addresses, modules. Without words, list the named sets.',
    )
    .argument('[words...]', "targets as 'whocalls record' takes them: vfs_write, 'ext4_*', @rbtree-insert")
    .action(async (words: string[]) => {
      process.stdout.write(words.length === 0 ? sets() : await resolved(words));
    });
}

function sets(): string {
  const width = Math.max(...targetSets().map(({ name }) => name.length)) + 3;
  const lines = targetSets().map(
    ({ name, summary, targets }) => `${`@${name}`.padEnd(width)}${summary}\n${' '.repeat(width)}${targets.join(', ')}`,
  );
  return `${lines.join('\n')}\n`;
}

async function resolved(words: readonly string[]): Promise<string> {
  const [{ Kallsyms }, { formatAddress }, { liveNames, resolveTargets }] = await Promise.all([
    import('../capture/symbols/kallsyms.ts'),
    import('../capture/symbols/address.ts'),
    import('../capture/targets/resolve-targets.ts'),
  ]);
  const { targets, notes } = resolveTargets(words, liveNames(Kallsyms.read()), MOST_LISTED);
  const lines = targets.map((target) => {
    if (target.kind === 'tracepoint') return `${target.name}  tracepoint`;
    if (target.kind === 'user')
      return `${target.name}  at byte ${target.offsets.map((offset) => `0x${offset.toString(16)}`).join(', ')} of the file`;
    const places = target.functions.map(({ name, address, module }) => {
      const place = address === 0 ? '(address hidden)' : formatAddress(address);
      return `${name}${module ? ` [${module}]` : ''} ${place}`;
    });
    return `${target.name}  ${places.join(', ')}`;
  });
  return `${[...lines, ...notes.map(noteText)].join('\n')}\n`;
}
