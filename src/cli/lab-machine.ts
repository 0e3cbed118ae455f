import { resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../errors.ts';
import { type LabOptions, SCHEDULERS } from '../lab/run.ts';
import type { LabStreams } from '../lab/streams.ts';

/** The lab options as commander gives them: all text. */
export interface MachineFlags {
  readonly kernel?: string;
  readonly modules?: string;
  readonly cpus?: string;
  readonly memory?: string;
  readonly disk?: string;
  readonly scheduler?: string;
  readonly append?: string;
  readonly timeout?: string;
  readonly accel?: string;
  readonly share?: string[];
  readonly console?: boolean;
}

export function addMachineOptions(command: Command): Command {
  return command
    .option('--kernel <kernel>', '6.1, 6.12, a full version, or a file such as arch/x86/boot/bzImage')
    .option('--modules <dir>', "modules of a kernel file: make modules_install's INSTALL_MOD_PATH")
    .option('--cpus <n>', 'processors of the guest (2)')
    .option('--memory <size>', 'its memory (2G)')
    .option('--disk <size>', 'size of the ext4 file system at /data (4G)')
    .option('--scheduler <name>', `I/O scheduler of that disk: ${SCHEDULERS.join(', ')}`)
    .option('--append <args>', 'more kernel parameters')
    .option('--timeout <seconds>', 'switch the guest off when the command takes longer (3600)')
    .option('--accel <how>', 'auto, kvm or tcg (auto: kvm if a kernel boots with it, else emulation)')
    .option('--share <dir>', 'the guest may write to this directory; repeatable', append)
    .option('--console', "show the guest's console on standard error");
}

function append(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** @throws UsageError for a value that is none */
export function machineOptions(flags: MachineFlags): LabOptions {
  const kernelFile = flags.kernel?.includes('/') ? resolve(flags.kernel) : flags.kernel;
  return {
    kernel: kernelFile,
    modules: flags.modules === undefined ? undefined : resolve(flags.modules),
    cpus: positive('--cpus', flags.cpus),
    memory: mebibytes('--memory', flags.memory),
    disk: mebibytes('--disk', flags.disk),
    scheduler: oneOf('--scheduler', flags.scheduler, SCHEDULERS),
    append: flags.append,
    timeout: positive('--timeout', flags.timeout),
    accelerator: oneOf('--accel', flags.accel, ['auto', 'kvm', 'tcg'] as const),
    shares: flags.share?.map((path) => resolve(path)),
  };
}

function positive(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new UsageError(`${option} ${value}: not a whole number above 0`);
  return Number(value);
}

/** 512M, 2G; without a unit mebibytes, as QEMU has it. */
function mebibytes(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const [, digits = '', unit = 'm'] = /^([1-9]\d{0,5})([mgt])?i?b?$/i.exec(value) ?? [];
  if (!digits) throw new UsageError(`${option} ${value}: not a size such as 512M or 2G`);
  return Number(digits) * { m: 1, g: 1024, t: 1024 * 1024 }[unit.toLowerCase() as 'm' | 'g' | 't'];
}

function oneOf<T extends string>(option: string, value: string | undefined, values: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = values.find((candidate) => candidate === value);
  if (!found) throw new UsageError(`${option} ${value}: not one of ${values.join(', ')}`);
  return found;
}

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
        const how = accelerator === 'kvm' ? 'KVM' : 'software emulation';
        process.stderr.write(phase === 'booting' ? `\r\x1b[Kbooting the guest (${how}) …` : '\r\x1b[K');
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
