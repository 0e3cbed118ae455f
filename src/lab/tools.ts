import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheDirectory } from './cache.ts';

/** Programs of the host that the lab works with; a missing one is undefined. */
export interface HostTools {
  readonly qemu: string | undefined;
  /** Statically linked: it is the whole user space of the guest's first second. */
  readonly busybox: string | undefined;
  /** Formats the guest's data disk. */
  readonly mkfs: string | undefined;
}

/** Where the setup puts a busybox that the distribution has not installed. */
export function cachedBusybox(): string {
  return join(cacheDirectory(), 'tools', 'busybox');
}

export function findTools(): HostTools {
  const candidates = [cachedBusybox(), findProgram('busybox-static'), findProgram('busybox')];
  return {
    qemu: findProgram('qemu-system-x86_64'),
    busybox: candidates.find((path) => path !== undefined && existsSync(path) && isStatic(path)),
    mkfs: findProgram('mkfs.ext4'),
  };
}

/** Searches PATH, and the system directories that an ordinary user's PATH leaves out. */
export function findProgram(name: string): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
  return directories.map((directory) => join(directory || '.', name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether a 64-bit ELF program does without a dynamic loader (has no PT_INTERP program header). */
function isStatic(path: string): boolean {
  const PT_INTERP = 3;
  const program = readFileSync(path);
  if (program.length < 64 || program.toString('latin1', 1, 5) !== 'ELF\x02') return false;
  const table = Number(program.readBigUInt64LE(32));
  const entrySize = program.readUInt16LE(54);
  const entries = program.readUInt16LE(56);
  for (let index = 0; index < entries; index++) {
    const entry = table + index * entrySize;
    if (entry + 4 > program.length || program.readUInt32LE(entry) === PT_INTERP) return false;
  }
  return true;
}
