import { installedKernels, type LabKernel } from './kernels.ts';
import { findTools } from './tools.ts';

/** Whether a guest can be booted here, and if not, what is missing. */
export interface LabAvailability {
  readonly ready: boolean;
  readonly kernels: readonly LabKernel[];
  /** In words, empty if nothing is missing. */
  readonly missing: readonly string[];
}

/** Looks at what is installed; starts nothing and downloads nothing. */
export function labAvailability(): LabAvailability {
  const { qemu, busybox, mkfs } = findTools();
  const kernels = installedKernels();
  const missing = [
    ...(process.platform === 'linux' && process.arch === 'x64' ? [] : ['an x86-64 Linux host']),
    ...(qemu ? [] : ['qemu-system-x86_64']),
    ...(busybox ? [] : ['a static busybox']),
    ...(mkfs ? [] : ['mkfs.ext4']),
    ...(kernels.length > 0 ? [] : ['a kernel']),
  ];
  return { ready: missing.length === 0, kernels, missing };
}
