import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { downloadSize, hasApt, installPackages, installSize, unpackPackage, updateLists } from '../host/apt.ts';
import { buildInPlace } from '../host/cache.ts';
import { installedKernels, kernelsDirectory, matches, type OfferedKernel, offeredKernels } from './kernels.ts';
import { indexModules } from './module-index.ts';
import { cachedBusybox, findTools } from './tools.ts';

/** One thing the setup is going to do, told before it does it. */
export interface SetupStep {
  /** What and where, with its size. */
  readonly description: string;
  readonly run: () => void;
}

/** Series that are fetched unless one is named: Debian 12's own kernel, and the one after it. */
const SERIES = ['6.1', '6.12'];

const OTHERWISE =
  'the lab fetches kernels of Debian by apt-get; elsewhere install QEMU for x86-64, mkfs.ext4 and a static busybox ' +
  'with your package manager, and give a kernel: whocalls lab run --kernel FILE --modules DIR -- COMMAND';

/**
 * Finds out what is missing for booting the wanted kernels.
 *
 * @param wanted `all`, or a release or the start of one
 * @returns what there is to do, empty if nothing
 * @throws UserError if it cannot be done here, saying what the user can do
 */
export function planSetup(wanted: string): SetupStep[] {
  if (process.arch !== 'x64' || process.platform !== 'linux') throw new UserError('the lab needs an x86-64 Linux host');
  const tools = findTools();
  const packages = [...(tools.qemu ? [] : ['qemu-system-x86']), ...(tools.mkfs ? [] : ['e2fsprogs'])];
  const series = wanted === 'all' ? SERIES : [wanted];
  const missing = series.filter((name) => !installedKernels().some(({ release }) => matches(release, name)));
  if (packages.length === 0 && missing.length === 0 && tools.busybox) return [];
  if (!hasApt()) throw new UserError(OTHERWISE);

  const steps: SetupStep[] = [];
  let offered = offeredKernels();
  if (offered.length === 0) {
    if (!isRoot()) throw new UserError('there are no package lists here; fetch them with: sudo apt-get update');
    updateLists();
    offered = offeredKernels();
  }
  if (packages.length > 0) steps.push(installation(packages));
  if (!tools.busybox) {
    steps.push({
      description: `download busybox-static (${megabytes('busybox-static')}) to ${cachedBusybox()}`,
      run: fetchBusybox,
    });
  }
  for (const name of missing) {
    const kernel = offered.find(({ release }) => matches(release, name));
    if (kernel) steps.push(kernelStep(kernel));
    else if (wanted !== 'all' || offered.length === 0) throw new UserError(notOffered(name, offered));
  }
  return steps;
}

function installation(packages: readonly string[]): SetupStep {
  if (!isRoot()) {
    const command = `sudo apt-get install --no-install-recommends ${packages.join(' ')}`;
    throw new UserError(`installing ${packages.join(', ')} needs root; run: ${command}`);
  }
  return {
    description: `install ${packages.join(', ')} (${installSize(packages)} MB) on this system with apt-get`,
    run: () => installPackages(packages),
  };
}

function kernelStep(kernel: OfferedKernel): SetupStep {
  const directory = join(kernelsDirectory(), kernel.release);
  return {
    description: `download ${kernel.package} (${megabytes(kernel.package)}) to ${directory}, without installing it`,
    run: () => fetchKernel(kernel, directory),
  };
}

function fetchKernel(kernel: OfferedKernel, directory: string): void {
  buildInPlace(directory, (draft) => {
    unpackPackage(kernel.package, draft);
    for (const entry of readdirSync(draft)) {
      if (entry !== 'boot' && entry !== 'lib') rmSync(join(draft, entry), { recursive: true });
    }
    indexModules(join(draft, 'lib', 'modules', kernel.release), kernel.release, findTools());
  });
}

function fetchBusybox(): void {
  buildInPlace(cachedBusybox(), (draft) => {
    const unpacked = `${draft}.package`;
    try {
      unpackPackage('busybox-static', unpacked);
      const program = ['bin/busybox', 'usr/bin/busybox'].map((path) => join(unpacked, path)).find(existsSync);
      if (program === undefined) throw new UserError('the package busybox-static has no busybox in it');
      copyFileSync(program, draft);
    } finally {
      rmSync(unpacked, { recursive: true, force: true });
    }
  });
}

function megabytes(name: string): string {
  const size = downloadSize(name);
  return size === undefined ? 'unknown size' : `${size} MB`;
}

function notOffered(name: string, offered: readonly OfferedKernel[]): string {
  const some = offered.slice(0, 6).map(({ release }) => release);
  const offers = some.length > 0 ? `they have ${some.join(', ')}` : 'they have no kernels at all';
  return `the package lists have no kernel ${name} (${offers}); ${OTHERWISE}`;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
