import { type Command, Option } from 'commander';
import { defaultOf, LAB_FLAGS, type LabFlag, type LabOptions } from '../lab/options.ts';
import type { LabStreams } from '../lab/streams.ts';
import { count, mebibytes, path, repeated, seconds, writtenSize } from './values.ts';

/** The lab options as commander gives them: those of {@link LAB_FLAGS}, by the names of their flags. */
export interface MachineFlags {
  readonly console?: boolean;
  readonly [flag: string]: unknown;
}

export function addMachineOptions(command: Command): Command {
  for (const flag of LAB_FLAGS) command.addOption(optionOf(flag));
  return command.option('--console', "show the guest's console on standard error");
}

function optionOf({ name, flags, summary, value }: LabFlag): Option {
  const option = new Option(flags, summary);
  const standard = defaultOf(name);
  if (standard !== undefined && standard !== '') {
    option.default(standard, value === 'mebibytes' ? writtenSize(Number(standard)) : String(standard));
  }
  switch (value) {
    case 'text':
      return option;
    case 'count':
      return option.argParser(count(1));
    case 'mebibytes':
      return option.argParser(mebibytes);
    case 'seconds':
      return option.argParser(seconds);
    case 'paths':
      return option.argParser(repeated(path));
    default:
      return option.choices(value);
  }
}

/** What commander has read, by the names of the settings. */
export function machineOptions(flags: MachineFlags): LabOptions {
  return Object.fromEntries(LAB_FLAGS.map((flag) => [flag.name, flags[optionOf(flag).attributeName()]]));
}

/** Somebody who waits at a terminal should know why it takes so long. */
const EMULATED =
  "the guest runs emulated, without KVM: much slower than this machine, above all with the host's files (over 9P)\n";

/**
 * Connects the guest with this process: its standard streams, a progress line on a terminal, and signals.
 * Ctrl-C goes to the command, a second one switches the guest off; before the command runs one is enough.
 */
export function terminalStreams(flags: MachineFlags): { streams: LabStreams; release: () => void } {
  const off = new AbortController();
  let forward: ((name: 'INT' | 'TERM' | 'HUP') => void) | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const send = forward;
    forward = undefined;
    if (send) send(signal.slice(3) as 'INT' | 'TERM' | 'HUP');
    else off.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  process.stdout.once('error', () => off.abort()); // nobody reads on: `whocalls lab run … | head`
  const progress = process.stderr.isTTY && !flags.console;
  return {
    streams: {
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      console: flags.console ? process.stderr : undefined,
      abort: off.signal,
      onPhase: (phase, accelerator) => {
        if (!progress) return;
        const isEmulated = accelerator !== 'kvm';
        const how = isEmulated ? 'software emulation' : 'KVM';
        process.stderr.write(phase === 'booting' ? `\r\x1b[Kbooting the guest (${how}) …` : '\r\x1b[K');
        if (phase === 'running' && isEmulated) process.stderr.write(EMULATED);
      },
      onRunning: (guest) => {
        forward = guest.signal;
      },
    },
    release: () => {
      for (const signal of signals) process.off(signal, onSignal);
      process.stdin.destroy(); // a command that read nothing must not keep this process waiting for input
    },
  };
}
