import type { Command } from 'commander';
import { UsageError } from '../errors.ts';
import { checkWritable } from '../host/output-file.ts';
import type { LabSettings } from '../lab/options.ts';
import { runInLab } from '../lab/run.ts';
import { newCommand, parseOnly } from './command.ts';
import { addMachineOptions, type MachineFlags, machineOptions, terminalStreams } from './lab-machine.ts';
import { recordCommand, recordOutputs } from './lab-record.ts';
import { kernelsCommand, setupCommand } from './lab-setup.ts';
import { keepingSeparator } from './own-arguments.ts';
import { terminalEnvironment } from './terminal.ts';

const EXAMPLES = `
Examples:
  whocalls lab setup                                            once: QEMU and two kernels
  whocalls lab vfs_write -- ls -lR /usr                         as 'whocalls vfs_write', in the guest
  whocalls lab --kernel 6.12 schedule --only-command --by pid -- make
  whocalls lab submit_bio -- dd if=/dev/zero of=/data/file bs=1M count=64 conv=fsync
  whocalls lab run -- uname -r                                  any command, without counting`;

/** `whocalls lab`: `run`, `setup` and `kernels`, or else `record` inside the guest. */
export function command(): Command {
  const lab = addMachineOptions(newCommand('lab'))
    .description(
      'Count calls inside a throwaway virtual machine with a stock kernel: no root, no risk for this machine.\n' +
        "It sees this machine's files; what COMMAND writes is lost, except in --share directories and the file of -o.",
    )
    .usage('[lab options] TARGET… [record options] -- COMMAND…')
    .argument(
      '<target...>',
      "what 'whocalls record' takes: functions, its options (see 'whocalls record -h'), the command",
    )
    .enablePositionalOptions()
    .passThroughOptions()
    .addHelpText('after', EXAMPLES)
    .action((args: string[], flags: MachineFlags, { rawArgs }: ParsedCommand) => {
      if (rawArgs.at(-args.length - 1) === '--')
        throw new UsageError('name a function before -- COMMAND: lab vfs_write -- ls');
      return record(args, flags);
    });
  return lab.addCommand(runCommand()).addCommand(setupCommand()).addCommand(kernelsCommand());
}

/** What commander was given; it takes the first `--` out of the arguments. */
interface ParsedCommand {
  readonly rawArgs: readonly string[];
}

function runCommand(): Command {
  return addMachineOptions(newCommand('run'))
    .description('Run a command in the guest and bring back its output and exit status.')
    .usage('[lab options] -- COMMAND…')
    .argument('<command...>', 'the command and its arguments')
    .passThroughOptions()
    .action((args: string[], flags: MachineFlags) => runGuest(args, flags, {}));
}

async function record(args: readonly string[], flags: MachineFlags): Promise<void> {
  if (args[0]?.startsWith('-')) throw new UsageError('a target has to come before the record options');
  // What is mistyped is found before the guest boots.
  const { command, planOf } = await import('./record.ts');
  const parsed = command();
  await parseOnly(parsed, keepingSeparator(args));
  if (parsed.opts().view)
    throw new UsageError(
      '--view cannot follow a run in the virtual machine: keep the census with -o run.pb.gz, then whocalls view run.pb.gz',
    );
  const plan = planOf(parsed.args, parsed.opts());
  const { checkBeforeBoot } = await import('./lab-check.ts');
  await checkBeforeBoot(plan.targets, plan.command ?? [], machineOptions(flags));
  const outputs = recordOutputs(args, process.cwd());
  // The guest writes to a disk of its own, from which the files are fetched.
  for (const file of outputs) checkWritable(file);
  // The guest's streams are no terminals, but what it prints may end on one.
  const environment = { ...process.env, ...terminalEnvironment() };
  await runGuest(recordCommand(args), flags, { collect: outputs, environment });
}

async function runGuest(
  args: readonly string[],
  flags: MachineFlags,
  settings: Partial<Pick<LabSettings, 'collect' | 'environment'>>,
): Promise<void> {
  const terminal = terminalStreams(flags);
  try {
    const result = await runInLab({ ...machineOptions(flags), ...settings }, args, terminal.streams);
    if (result.outOfMemory !== undefined) {
      process.stderr.write(`whocalls: the guest ran out of memory and killed ${result.outOfMemory} (see --memory)\n`);
    }
    process.exitCode = result.status;
  } finally {
    terminal.release();
  }
}
