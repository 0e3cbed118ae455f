import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError, UserError } from '../errors.ts';
import { packageNames } from '../host/apt.ts';
import { cacheDirectory } from '../host/cache.ts';
import { identifyKernel } from './kernel-image.ts';

/** A kernel that can be booted. */
export interface LabKernel {
  /** As `uname -r` prints it; undefined for an ELF kernel, which does not say. */
  readonly release: string | undefined;
  /** bzImage or vmlinux. */
  readonly image: string;
  /** Its `lib/modules/RELEASE`; without it everything must be built in. */
  readonly modules: string | undefined;
}

export function kernelsDirectory(): string {
  return join(cacheDirectory(), 'kernels');
}

/** The kernels in the cache, newest first. */
export function installedKernels(): LabKernel[] {
  const directory = kernelsDirectory();
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((release) => existsSync(imageOf(release)))
    .sort((a, b) => compareReleases(b, a))
    .map((release) => ({ release, image: imageOf(release), modules: modulesOf(release) }));
}

function imageOf(release: string): string {
  return join(kernelsDirectory(), release, 'boot', `vmlinuz-${release}`);
}

function modulesOf(release: string): string {
  return join(kernelsDirectory(), release, 'lib', 'modules', release);
}

/**
 * Finds the kernel that `--kernel` names: a file (anything with a slash), a full release, or the start of one,
 * where 6.1 means the newest 6.1.x. Without a name the newest of the oldest series there is, 6.1 before 6.12.
 *
 * @param modules `--modules`: a `lib/modules/RELEASE`, or the root that one is in
 */
export function findKernel(name: string | undefined, modules?: string): LabKernel {
  if (name?.includes('/')) return ownKernel(name, modules);
  if (modules !== undefined) throw new UsageError('--modules goes with --kernel FILE');
  const installed = installedKernels();
  const series = name ?? installed.at(-1)?.release?.match(/^\d+\.\d+/)?.[0];
  const found = installed.find(({ release }) => series !== undefined && matches(release, series));
  if (found) return found;
  const wanted = name === undefined ? 'no kernel here yet' : `no kernel ${name} here`;
  throw new UserError(`${wanted}; get it with: whocalls lab setup${name ? ` --kernel ${name}` : ''}`);
}

/** A kernel that the distribution's package lists offer. */
export interface OfferedKernel {
  readonly release: string;
  readonly package: string;
}

/** The stock x86-64 kernels of Debian's package lists, newest first; empty if the lists were never fetched. */
export function offeredKernels(): OfferedKernel[] {
  return packageNames('linux-image-')
    .flatMap((name) => {
      // linux-image-6.1.0-56-amd64, linux-image-6.12.117+deb12-amd64; not …-cloud-amd64, not the empty linux-image-6.12-amd64
      const release = /^linux-image-(\d+\.\d+\.\d+[\w.+~-]*?-amd64)$/.exec(name)?.[1];
      return release && !/-(cloud|rt)-amd64$/.test(release) ? { release, package: name } : [];
    })
    .sort((a, b) => compareReleases(b.release, a.release));
}

/** Whether `release` is `name` or continues it: 6.1 covers 6.1.0-56-amd64 but not 6.12.1. */
export function matches(release: string | undefined, name: string): boolean {
  return release === name || /^[.+~-]/.test(release?.startsWith(name) ? release.slice(name.length) : '');
}

/** Orders releases by their numbers, so that 6.9 comes before 6.12. */
export function compareReleases(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function ownKernel(image: string, modules: string | undefined): LabKernel {
  const { release } = identifyKernel(image);
  if (modules === undefined) return { release, image, modules: undefined };
  const candidates = [modules, ...(release ? [join(modules, 'lib/modules', release), join(modules, release)] : [])];
  const directory = candidates.find((path) => existsSync(join(path, 'kernel')));
  if (directory === undefined) {
    const where = release ? `no modules of ${release}` : 'no modules';
    throw new UserError(`${where} in ${modules}; make them with: make modules_install INSTALL_MOD_PATH=DIR`);
  }
  return { release, image, modules: directory };
}
