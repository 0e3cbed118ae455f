import type { Command } from 'commander';
import { UsageError } from '../errors.ts';
import { checkWritable } from '../host/output-file.ts';
import { runInLab } from '../lab/run.ts';
import { newCommand, parseOnly } from './command.ts';
import { addMachineOptions, type MachineFlags, machineOptions, terminalStreams } from './lab-machine.ts';
import { recordCommand, recordOutputs } from './lab-record.ts';
import { kernelsCommand, setupCommand } from './lab-setup.ts';
import { keepingSeparator } from './own-arguments.ts';

/** `whocalls lab`: `run`, `setup` and `kernels`, or else `record` inside the guest. */
export function command(): Command {
  const lab = addMachineOptions(newCommand('lab'))
    .description('Count calls inside a throwaway virtual machine with a stock kernel.')
    .usage('[lab options] TARGET… [record options] -- COMMAND…')
    .argument('<target...>', 'what `whocalls record` takes: targets, its options, the command')
    .enablePositionalOptions()
    .passThroughOptions()
    .action((args: string[], flags: MachineFlags) => record(args, flags));
  return lab.addCommand(runCommand()).addCommand(setupCommand()).addCommand(kernelsCommand());
}

function runCommand(): Command {
  return addMachineOptions(newCommand('run'))
    .description('Run a command in the guest and bring back its output and exit status.')
    .usage('[lab options] -- COMMAND…')
    .argument('<command...>', 'the command and its arguments')
    .passThroughOptions()
    .action((args: string[], flags: MachineFlags) => runGuest(args, flags, []));
}

async function record(args: readonly string[], flags: MachineFlags): Promise<void> {
  if (args[0]?.startsWith('-')) throw new UsageError('a target has to come before the record options');
  // A mistyped option is found before the guest boots.
  await parseOnly((await import('./record.ts')).command(), keepingSeparator(args));
  const outputs = recordOutputs(args, process.cwd());
  // The guest writes to a disk of its own, from which the files are fetched.
  for (const file of outputs) checkWritable(file);
  await runGuest(recordCommand(args), flags, outputs);
}

async function runGuest(args: readonly string[], flags: MachineFlags, collect: readonly string[]): Promise<void> {
  const terminal = terminalStreams(flags);
  try {
    // The guest's standard output is no terminal, but what it prints may end on one.
    const { columns } = process.stdout;
    const environment = { ...process.env, ...(columns > 0 && { COLUMNS: String(columns) }) };
    const result = await runInLab({ ...machineOptions(flags), collect, environment }, args, terminal.streams);
    if (result.outOfMemory !== undefined) {
      process.stderr.write(`whocalls: the guest ran out of memory and killed ${result.outOfMemory} (see --memory)\n`);
    }
    process.exitCode = result.status;
  } finally {
    terminal.release();
  }
}
