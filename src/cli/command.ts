import { Command, CommanderError } from 'commander';
import { messageOf, systemTrouble, UsageError, UserError } from '../errors.ts';
import { printable } from '../text/columns.ts';
import { ownArguments } from './own-arguments.ts';

/** A subcommand's entry in the table of `main.ts`: known by name, its code loaded only when it is called. */
export interface CommandEntry {
  readonly summary: string;
  /** It takes `-- COMMAND…`: among its arguments is the `--`. */
  readonly takesCommand?: boolean;
  /** It takes `A1 A2 -- B1 B2`: options may stand anywhere. */
  readonly takesSets?: boolean;
  readonly load: () => Promise<{ command: () => Command }>;
}

/** A commander command with the conventions of this tool: errors in one line with exit status 2, help on stdout. */
export function newCommand(name: string): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .configureHelp({ helpWidth: Math.min(Math.max(process.stdout.columns ?? 100, 60), 120), commandUsage })
    .helpOption('-h, --help', 'show this help');
}

/** `whocalls lab run [options]`: subcommands are made by themselves and do not know the program they belong to. */
function commandUsage(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at; at = at.parent) names.unshift(at.name());
  return `${['whocalls', ...names.filter((name) => name !== 'whocalls')].join(' ')} ${command.usage()}`;
}

/**
 * Parses and runs one command; the returned number is the exit status.
 * Usage errors give one line on stderr and 2, {@link UserError} one line and its own status.
 */
export async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  addDebugOption(command);
  try {
    await command.parseAsync(args as string[], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return report(error, command.name(), ownArguments(args).includes('--debug'));
  }
}

/**
 * Parses the arguments of a command without running it; its `args` and `opts()` are what was read.
 *
 * @throws {UsageError} one that is wrong
 * @throws {CommanderError} with status 0: help was asked for and shown
 */
export async function parseOnly(command: Command, args: readonly string[]): Promise<void> {
  addDebugOption(command);
  try {
    await command.action(() => {}).parseAsync(args as string[], { from: 'user' });
  } catch (error) {
    const isWrong = error instanceof CommanderError && error.exitCode !== 0;
    throw isWrong ? new UsageError(usageText(error, command.name())) : error;
  }
}

/** Every command has it, as the last of its options. */
export function addDebugOption(command: Command): void {
  if (command.options.some(({ long }) => long === '--debug')) return;
  command.option('--debug', 'show internals: of errors, and of what is counted');
  for (const sub of command.commands) addDebugOption(sub);
}

function report(error: unknown, name: string, debug: boolean): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    process.stderr.write(`whocalls: ${usageText(error, name)}\n`);
    return 2;
  }
  if (debug && error instanceof Error) {
    const details = error instanceof UserError && error.details !== undefined ? `${error.details}\n` : '';
    process.stderr.write(`${details}${error.stack}\n`);
  } else if (error instanceof UserError) {
    const hint = error.hint === undefined ? '' : `; ${error.hint}`;
    process.stderr.write(`whocalls: ${printableLines(error.message)}${hint}\n`);
  } else if (systemTrouble(error) !== null) {
    process.stderr.write(`whocalls: ${printable(systemTrouble(error) ?? '')}\n`);
  } else
    process.stderr.write(
      `whocalls: internal error: ${printable(messageOf(error))} (run again with --debug for details)\n`,
    );
  return error instanceof UserError ? error.exitStatus : 1;
}

function usageText(error: CommanderError, name: string): string {
  const help = name === 'whocalls' ? 'whocalls -h' : `whocalls ${name} -h`;
  // A hint of commander stands on a line of its own.
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  return `${printable(message)} (see '${help}')`;
}

/** Messages name files and what stands in them: nothing of that is to be obeyed by a terminal. */
function printableLines(message: string): string {
  return message.split('\n').map(printable).join('\n');
}
