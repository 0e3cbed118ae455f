import { getSystemErrorMap } from 'node:util';
import { version } from '../version.ts';
import type { CommandEntry } from './command.ts';
import { keepingSeparator, ownArguments, separatingSets } from './own-arguments.ts';

/** Every subcommand. A first argument that is none of them is a target: `whocalls rb_insert_color -- make`. */
const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  record: {
    summary: 'count calls while a command runs, then report',
    takesCommand: true,
    load: () => import('./record.ts'),
  },
  targets: {
    summary: 'what target words stand for on this kernel; without words, the named sets',
    load: () => import('./targets.ts'),
  },
  doctor: { summary: 'what this machine can count, and what prevents the rest', load: () => import('./doctor.ts') },
  db_bench: { summary: "LevelDB's benchmark, as a workload", load: () => import('./db_bench.ts') },
  demo: { summary: 'the founding case, end to end', load: () => import('./demo.ts') },
  'founding-case': { summary: 'the workload of the demo by itself', load: () => import('./founding-case.ts') },
  read: { summary: 'report on stack data that exists already', load: () => import('./read.ts') },
  view: { summary: 'the same as a page to explore in the browser', load: () => import('./view.ts') },
  diff: {
    summary: 'what changed between recordings, of repeated runs too; a gate with --fail-if',
    takesSets: true,
    load: () => import('./diff.ts'),
  },
  explain: { summary: 'explain single stacks, frame by frame', load: () => import('./explain.ts') },
  export: { summary: 'write a recording in another format', load: () => import('./export.ts') },
  formats: { summary: 'formats that are read and written; what a file is', load: () => import('./formats.ts') },
  callers: { summary: 'who could call a function, from the kernel image', load: () => import('./callers.ts') },
  lab: { summary: 'count, or run anything, in a throwaway virtual machine', load: () => import('./lab.ts') },
};

const EXAMPLES = `
Examples:
  whocalls vfs_write -- make -j8                count while a command runs (root)
  whocalls schedule --by cpu --duration 5       the whole system, five seconds
  whocalls lab vfs_write -- make -j8            the same in a virtual machine, without root
  perf script | whocalls read -                 stacks that were recorded already
  whocalls COMMAND -h                           options of a command`;

async function main(args: readonly string[]): Promise<number> {
  // `whocalls help read` is `whocalls read -h`.
  const isHelp = args[0] === 'help' && Object.hasOwn(COMMANDS, args[1] ?? '');
  const [first, ...rest] = isHelp ? [String(args[1]), '-h'] : args;
  const entry = first !== undefined && Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  const isTarget = !entry && first !== undefined && !first.startsWith('-') && first !== 'help';
  if ((isTarget || first === 'record') && !asksForHelp(rest)) {
    // Reading takes long and needs no attention, so it comes before everything else.
    const { readKallsymsAhead } = await import('../capture/symbols/kallsyms.ts');
    readKallsymsAhead();
  }
  const { addDebugOption, newCommand, runCommand } = await import('./command.ts');
  if (entry) {
    const own = entry.takesCommand ? keepingSeparator(rest) : entry.takesSets ? separatingSets(rest) : rest;
    return runCommand((await entry.load()).command(), own);
  }
  if (isTarget) {
    const { command } = await import('./record.ts');
    return runCommand(command(Object.keys(COMMANDS)), keepingSeparator(args));
  }
  const topLevel = newCommand('whocalls')
    .description('Who calls this kernel function, how often, and why?')
    .version(version(), '-V, --version', 'show the version')
    .usage('[record] TARGET[,TARGET…] [options] -- COMMAND…\n       whocalls <command> [options]')
    .addHelpText('after', EXAMPLES);
  for (const [name, { summary }] of Object.entries(COMMANDS)) topLevel.command(name).description(summary);
  if (first === undefined) {
    addDebugOption(topLevel);
    topLevel.outputHelp({ error: true });
    return 2;
  }
  return runCommand(topLevel, first === 'help' ? ['-h'] : args);
}

function asksForHelp(args: readonly string[]): boolean {
  return ownArguments(args).some((word) => word === '-h' || word === '--help');
}

/** Whether what was meant for standard output did not get there. */
let isOutputLost = false;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`| head`) is no error.
  if (error.code === 'EPIPE' || isOutputLost) return;
  isOutputLost = true;
  process.exitCode = 1;
  const [, why] = getSystemErrorMap().get(error.errno ?? 0) ?? [];
  process.stderr.write(`whocalls: cannot write the report: ${why ?? error.message}\n`);
});
// There is nobody left to tell.
process.stderr.on('error', () => {});

// No top-level await: this is built as CommonJS, which node starts sooner.
void main(process.argv.slice(2)).then((status) => {
  process.exitCode = isOutputLost ? 1 : status;
});
