// Everything there is to say of an option of the lab, once: what it means, its default, how the command line has it.
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, UserError } from '../errors.ts';
import type { Accelerator } from './accelerator.ts';

/** How the machine is to be. */
export interface LabSettings {
  /** A release, the start of one (6.1), or a file; by default the newest kernel of the oldest series in the cache. */
  readonly kernel: string | undefined;
  /** The modules of a kernel given as a file. */
  readonly modules: string | undefined;
  readonly cpus: number;
  /** Mebibytes. */
  readonly memory: number;
  /** Size of the file system at /data in mebibytes; it takes host space only as it fills. */
  readonly disk: number;
  /** The kernel's choice by default. */
  readonly scheduler: 'none' | 'mq-deadline' | 'bfq' | undefined;
  /** More kernel parameters. */
  readonly append: string;
  /** Seconds COMMAND may take. */
  readonly timeout: number;
  /** Seconds it then has to end by itself, after SIGTERM. */
  readonly grace: number;
  /** Seconds until COMMAND must have been started. By default more under emulation, which is slow on a busy machine. */
  readonly bootDeadline: number | undefined;
  /** Seconds without a heartbeat after which the guest is taken to hang. */
  readonly silence: number;
  /** `auto`: KVM if a kernel boots with it, else emulation. */
  readonly accelerator: 'auto' | Accelerator;
  /** Directories of the host that the guest may write to, at the same path. */
  readonly shares: readonly string[];
  /** Files that COMMAND writes, by absolute path, copied to the same path of the host when it has ended. */
  readonly collect: readonly string[];
  /** Where COMMAND starts. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** {@link LabSettings} where everything has a default. */
export type LabOptions = { readonly [K in keyof LabSettings]?: LabSettings[K] | undefined };

const DEFAULTS = {
  kernel: undefined,
  modules: undefined,
  cpus: 2,
  memory: 2048,
  disk: 4096,
  scheduler: undefined,
  append: '',
  timeout: 3600,
  grace: 60,
  bootDeadline: undefined,
  silence: 60,
  accelerator: 'auto',
  shares: [],
  collect: [],
} as const satisfies Omit<LabSettings, 'directory' | 'environment'>;

/** An option of the command line. */
export interface LabFlag {
  /** What it sets. */
  readonly name: keyof LabSettings;
  readonly flags: string;
  readonly summary: string;
  /** What its value is; a list of what it may be. */
  readonly value: 'text' | 'count' | 'mebibytes' | 'seconds' | 'paths' | readonly string[];
}

/** The options of `whocalls lab`, in the order of its help. */
export const LAB_FLAGS: readonly LabFlag[] = [
  {
    name: 'kernel',
    flags: '--kernel <kernel>',
    summary: '6.1, 6.12, a full version, or a file such as arch/x86/boot/bzImage',
    value: 'text',
  },
  {
    name: 'modules',
    flags: '--modules <dir>',
    summary: "modules of a kernel file: make modules_install's INSTALL_MOD_PATH",
    value: 'text',
  },
  { name: 'cpus', flags: '--cpus <n>', summary: 'processors of the guest', value: 'count' },
  { name: 'memory', flags: '--memory <size>', summary: 'its memory', value: 'mebibytes' },
  { name: 'disk', flags: '--disk <size>', summary: 'size of the ext4 file system at /data', value: 'mebibytes' },
  {
    name: 'scheduler',
    flags: '--scheduler <name>',
    summary: 'I/O scheduler of that disk',
    value: ['none', 'mq-deadline', 'bfq'],
  },
  { name: 'append', flags: '--append <args>', summary: 'more kernel parameters', value: 'text' },
  {
    name: 'timeout',
    flags: '--timeout <seconds>',
    summary: 'end the command with SIGTERM when it takes longer; what was counted until then is reported',
    value: 'seconds',
  },
  {
    name: 'accelerator',
    flags: '--accel <how>',
    summary: 'hardware virtualisation or emulation; auto: KVM if a kernel boots with it',
    value: ['auto', 'kvm', 'tcg'],
  },
  {
    name: 'shares',
    flags: '--share <dir>',
    summary: 'the guest may write to this directory; repeatable',
    value: 'paths',
  },
];

/** The default of an option, undefined where there is no single one. */
export function defaultOf(name: keyof LabSettings): string | number | undefined {
  const value = (DEFAULTS as LabOptions)[name];
  return typeof value === 'number' || typeof value === 'string' ? value : undefined;
}

/** @throws {UserError} no such directory */
function sharedDirectory(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new UserError(`cannot share ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Options with their defaults; files and directories as absolute paths.
 *
 * @throws {UserError} a directory to share that does not exist
 */
export function labSettings(options: LabOptions): LabSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as LabOptions;
  const { kernel, modules, shares = [] } = given;
  return {
    ...DEFAULTS,
    directory: process.cwd(),
    environment: process.env,
    ...given,
    // Anything with a slash is a file.
    kernel: kernel?.includes('/') ? resolve(kernel) : kernel,
    modules: modules === undefined ? undefined : resolve(modules),
    shares: shares.map(sharedDirectory),
  } as LabSettings;
}
