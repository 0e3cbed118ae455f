import { existsSync } from 'node:fs';
import { release } from 'node:os';
import type { CallersOptions as FindOptions, FoundCallers } from '../capture/callers.ts';
import type { Census } from '../census/census.ts';
import type { SymbolId } from '../census/symbol-table.ts';
import { UsageError, UserError } from '../errors.ts';
import { imagePlaces } from '../image/find-image.ts';
import type { LabKernel } from '../lab/kernels.ts';
import type { CallersReport } from '../report/callers/build.ts';
import type { CallerLookup, TargetCoverage } from '../report/coverage.ts';
import { ProgressLine } from './terminal.ts';

/** What callers are to be found of, and where. */
export interface CallersQuestion {
  /** Target words; without any, the targets of the census. */
  readonly functions: readonly string[];
  /** A recording to compare with. */
  readonly census: Census | null;
  /** A file, or a kernel of the lab; the recording's or the running one where undefined. */
  readonly kernel?: string;
  /** `loaded`, `all`, `none`, or a folder. */
  readonly modules: string;
  readonly depth: number;
}

/** Who can call functions, with what a recording used of it; `lookup` tells how its calls came to the targets. */
export async function callersReport(
  question: CallersQuestion,
): Promise<{ report: CallersReport; lookup: CallerLookup | null }> {
  const [{ findCallers }, { functionReport }] = await Promise.all([
    import('../capture/callers.ts'),
    import('../report/callers/build.ts'),
  ]);
  const { functions, census, depth } = question;
  const line = new ProgressLine();
  const found = await findCallers(functions.length > 0 ? functions : (census?.targets ?? []), {
    ...(await kernelOptions(question)),
    depth: census ? Math.max(depth, 2) : depth,
    onProgress: (text) => line.show(text),
  }).finally(() => line.done());
  const covered = census ? await coverage(census, found) : null;
  const { image, finder, modules, otherModules, remarks } = found;
  return {
    report: {
      lookedAt: {
        release: image.release,
        architecture: image.architecture,
        buildId: image.buildId,
        image: image.path,
        modules,
        otherModules,
        remarks,
      },
      functions: found.functions.map((one, i) =>
        functionReport(one, finder, image.release, depth, covered?.targets[i]),
      ),
    },
    lookup: covered?.lookup ?? null,
  };
}

/** @throws {UserError} the recording is of another kernel than the image */
async function coverage(
  census: Census,
  found: FoundCallers,
): Promise<{ targets: TargetCoverage[]; lookup: CallerLookup }> {
  const [{ CallerLookup, coverageOf }, { ReturnSites }, { reachableNames }, { checkSameKernel }] = await Promise.all([
    import('../report/coverage.ts'),
    import('../image/return-sites.ts'),
    import('../image/callers.ts'),
    import('../report/same-kernel.ts'),
  ]);
  checkSameKernel(census, found.image);
  const targets = found.functions.map((callers) => ({ callers, names: reachableNames(found.graph, callers.name) }));
  const lookup = new CallerLookup(census, targets, new ReturnSites(found.graph, found.looked));
  return { targets: coverageOf(census, targets, lookup), lookup };
}

type KernelOptions = Pick<FindOptions, 'image' | 'modules' | 'only'>;

/** The kernel and the modules to look at. */
async function kernelOptions({ kernel, modules, census }: CallersQuestion): Promise<KernelOptions> {
  const isFolder = !['loaded', 'all', 'none'].includes(modules);
  if (isFolder && !existsSync(modules)) {
    throw new UsageError(`--modules ${modules}: it must be loaded, all, none, or a folder`);
  }
  const chosen: KernelOptions = isFolder ? { modules } : modules === 'none' ? { only: [] } : {};
  const seen = census ? modulesOf(census) : [];
  if (kernel?.includes('/')) return { image: kernel, ...chosen };
  const found = kernel === undefined ? await recordedKernel(census) : await labKernel(kernel);
  if (!found) {
    if (modules !== 'loaded') return chosen;
    const { loadedModules } = await import('../image/module-files.ts');
    return { only: [...seen, ...loadedModules()] };
  }
  const { bootImage } = await import('../lab/initramfs.ts');
  const own = isFolder || found.modules === undefined ? {} : { modules: found.modules };
  const loaded = modules === 'loaded' ? { only: [...seen, ...(await guestModuleNames(found))] } : {};
  return { image: await bootImage(found), ...own, ...loaded, ...chosen };
}

async function labKernel(name: string): Promise<LabKernel> {
  const { findKernel } = await import('../lab/kernels.ts');
  return findKernel(name);
}

/**
 * The lab's kernel that a recording was taken on, or that runs (in the guest the host's cache is there, and no /boot);
 * null where the running kernel's own image is to be found.
 *
 * @throws {UserError} the image is not here
 */
async function recordedKernel(census: Census | null): Promise<LabKernel | null> {
  const [name = release(), ...others] = census?.facts.kernels ?? [];
  if (others.length > 0) {
    throw new UserError(`the recordings are of several kernels (${[name, ...others].join(', ')}): give those of one`);
  }
  const isRunning = name === release();
  if (isRunning && imagePlaces(name).some(existsSync)) return null;
  const { installedKernels } = await import('../lab/kernels.ts');
  const found = installedKernels().find((one) => one.release === name);
  if (found || isRunning) return found ?? null;
  throw new UserError(
    `the recording was taken on Linux ${name}, whose image is not here; name the file (--kernel FILE, --coverage FILE), or get it with: whocalls lab setup --kernel ${name}`,
  );
}

/** Modules whose functions are on the stacks of a recording. */
function modulesOf({ symbols }: Census): string[] {
  const names = new Set<string>();
  for (let id = 0; id < symbols.size; id++) names.add(symbols.module(id as SymbolId).replaceAll('-', '_'));
  return [...names];
}

async function guestModuleNames(kernel: LabKernel): Promise<string[]> {
  if (kernel.modules === undefined) return [];
  const { modulesInOrder, readModuleTree } = await import('../lab/modules.ts');
  const { guestModules } = await import('../lab/guest.ts');
  return (await modulesInOrder(readModuleTree(kernel.modules), guestModules('bfq'))).map(({ name }) => name);
}
