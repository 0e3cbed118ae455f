import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { type Accelerator, kvmState, rememberKvm } from './accelerator.ts';
import { collectFiles } from './collect-files.ts';
import { guestModules } from './guest.ts';
import { bootImage, initramfsFor, runArchive } from './initramfs.ts';
import { findKernel, kernelsDirectory, type LabKernel } from './kernels.ts';
import { type MachineOptions, startMachine } from './machine.ts';
import { indexModules } from './module-index.ts';
import { type LabOptions, type LabSettings, labSettings } from './options.ts';
import { type GuestOutcome, LabError, Session } from './session.ts';
import type { LabStreams } from './streams.ts';
import { findTools, type HostTools } from './tools.ts';

/** What came of a run. */
export interface LabResult extends GuestOutcome {
  readonly kernel: LabKernel;
  readonly accelerator: Accelerator;
  /** Seconds from starting QEMU to starting COMMAND. */
  readonly bootSeconds: number;
}

/** Seconds until the guest must have started COMMAND. Emulation on a busy machine is slow; KVM is quick or broken. */
const BOOT_DEADLINE = { tcg: 120, kvm: 5 } as const;

/**
 * Boots a virtual machine, runs one command in it and throws the machine away.
 * The machine never outlives this process.
 *
 * @throws LabError if the guest does not boot, its kernel fails or hangs, or COMMAND takes longer than it may
 * @throws UserError if QEMU, a kernel or a module is missing
 */
export async function runInLab(
  options: LabOptions,
  command: readonly string[],
  streams: LabStreams = {},
): Promise<LabResult> {
  const settings = labSettings(options);
  const kernel = findKernel(settings.kernel, settings.modules);
  const tools = findTools();
  if (!tools.qemu || !tools.busybox || !tools.mkfs) {
    const missing = [
      !tools.qemu && 'qemu-system-x86_64',
      !tools.busybox && 'a static busybox',
      !tools.mkfs && 'mkfs.ext4',
    ];
    throw new UserError(`the lab needs ${missing.filter(Boolean).join(', ')}; get it with: whocalls lab setup`);
  }
  indexCached(kernel, tools);
  const needed = { qemu: tools.qemu, busybox: tools.busybox, mkfs: tools.mkfs };
  const name = kernel.release ?? kernel.image;
  for (const accelerator of acceleratorsToTry(settings.accelerator, name)) {
    try {
      const result = await runOnce(settings, command, streams, kernel, needed, accelerator);
      if (accelerator === 'kvm') rememberKvm(name, 'works');
      return result;
    } catch (error) {
      const mayFallBack = settings.accelerator !== 'kvm' && accelerator === 'kvm';
      if (!mayFallBack || !(error instanceof LabError) || error.started) throw error;
      rememberKvm(name, 'fails');
    }
  }
  throw new UserError('no accelerator could be tried');
}

/** Kernels that were fetched before there was an index of their modules get one now. */
function indexCached({ modules, release }: LabKernel, tools: HostTools): void {
  if (release === undefined || !modules?.startsWith(kernelsDirectory())) return;
  try {
    indexModules(modules, release, tools);
  } catch {
    // A cache that may only be read: then there is no modprobe in the guest.
  }
}

function acceleratorsToTry(wanted: 'auto' | Accelerator, kernel: string): Accelerator[] {
  if (wanted !== 'auto') return [wanted];
  const state = kvmState(kernel);
  return state === 'works' || state === 'untried' ? ['kvm', 'tcg'] : ['tcg'];
}

async function runOnce(
  settings: LabSettings,
  command: readonly string[],
  streams: LabStreams,
  kernel: LabKernel,
  tools: { qemu: string; busybox: string; mkfs: string },
  accelerator: Accelerator,
): Promise<LabResult> {
  const scratch = mkdtempSync(join(tmpdir(), 'whocalls-lab-'));
  let started = false;
  try {
    const token = randomBytes(16).toString('hex');
    const machineOptions = await prepare(settings, command, kernel, tools, accelerator, scratch, token);
    streams.onPhase?.('booting', accelerator);
    const session = new Session(startMachine(machineOptions), streams, token, settings.silence);
    started = true; // from here on the supervisor removes the scratch directory
    const bootSeconds = await session.boot(settings.bootDeadline ?? BOOT_DEADLINE[accelerator]);
    streams.onPhase?.('running', accelerator);
    const outcome = await session.run(settings, () => collectFiles(join(scratch, 'files'), settings.collect));
    return { ...outcome, kernel, accelerator, bootSeconds };
  } finally {
    if (!started) rmSync(scratch, { recursive: true, force: true });
    streams.onPhase?.('done', accelerator);
  }
}

/** Lays out everything the machine is started with. */
async function prepare(
  settings: LabSettings,
  command: readonly string[],
  kernel: LabKernel,
  tools: { qemu: string; busybox: string; mkfs: string },
  accelerator: Accelerator,
  scratch: string,
  token: string,
): Promise<MachineOptions> {
  const initramfs = join(scratch, 'initramfs.cpio');
  copyFileSync(await initramfsFor(kernel, guestModules(settings.scheduler), tools.busybox), initramfs);
  appendFileSync(initramfs, runArchive({ command, settings, kernel }, token));
  const disk = join(scratch, 'data.img');
  formatDisk(disk, settings.disk, tools.mkfs);
  const files = join(scratch, 'files');
  mkdirSync(files);
  return {
    qemu: tools.qemu,
    accelerator,
    image: await bootImage(kernel),
    initramfs,
    settings,
    disk,
    shares: [
      { tag: 'host', path: '/', writable: false },
      ...settings.shares.map((path, index) => ({ tag: `share${index}`, path, writable: true })),
      ...(settings.collect.length > 0 ? [{ tag: 'files', path: files, writable: true }] : []),
    ],
    scratch,
  };
}

function formatDisk(file: string, mebibytes: number, mkfs: string): void {
  writeFileSync(file, '');
  truncateSync(file, mebibytes * 1024 * 1024);
  const { status, stderr } = spawnSync(mkfs, ['-q', '-F', '-E', 'nodiscard', file], { encoding: 'utf8' });
  if (status !== 0) throw new UserError(`cannot format a disk of ${mebibytes} MiB: ${stderr.trim()}`);
}
