import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../host/cache.ts';
import { findProgram } from '../host/programs.ts';
import { elfSegments, isElf, PT_INTERP } from '../image/elf.ts';

/** Programs of the host that the lab works with; a missing one is undefined. */
export interface HostTools {
  readonly qemu: string | undefined;
  /** Statically linked: it is the whole user space of the guest's first second. */
  readonly busybox: string | undefined;
  /** Of kmod; a host without it has no modprobe either. */
  readonly depmod: string | undefined;
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
    depmod: findProgram('depmod'),
    mkfs: findProgram('mkfs.ext4'),
  };
}

/** Whether a program does without a dynamic loader. */
function isStatic(path: string): boolean {
  const program = readFileSync(path);
  return isElf(program) && elfSegments(program).every(({ type }) => type !== PT_INTERP);
}
