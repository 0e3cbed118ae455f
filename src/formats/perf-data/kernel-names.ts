import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { UserError } from '../../errors.ts';
import { imagePlaces, runningBuildId } from '../../image/find-image.ts';
import { type AddressNames, kallsymsNames, readKallsymsFile } from '../../image/kallsyms-file.ts';
import { KernelImage } from '../../image/kernel-image.ts';
import type { Recording } from './recording.ts';

/** Where names of kernel functions come from. */
export interface KernelNames {
  readonly names: AddressNames;
  /** What was read: a file, `/proc/kallsyms`. */
  readonly source: string;
  /** It holds the image only: addresses of modules have no names in it. */
  readonly isImageOnly: boolean;
}

const RUNNING = '/proc/kallsyms';
const KERNEL = '[kernel.kallsyms]';

/**
 * Finds names for the addresses of the kernel that was recorded: in the file the user gives, of this machine where it is
 * the same build, in an image of that build.
 *
 * @param kallsyms a copy of /proc/kallsyms; @param vmlinux a kernel image
 * @throws {UserError} a file that was given cannot be used
 */
export async function kernelNames(
  { facts, reference }: Pick<Recording, 'facts' | 'reference'>,
  kallsyms: string | undefined,
  vmlinux: string | undefined,
): Promise<KernelNames | null> {
  if (kallsyms !== undefined) return { names: readKallsymsFile(kallsyms), source: kallsyms, isImageOnly: false };
  const buildId = facts.buildIds.get(KERNEL) ?? '';
  if (vmlinux !== undefined) {
    const image = await KernelImage.open(vmlinux);
    if (buildId !== '' && image.buildId !== '' && image.buildId !== buildId) {
      throw new UserError(
        `${vmlinux} is another build (${image.buildId.slice(0, 12)}) than the kernel that was recorded (${buildId.slice(0, 12)})`,
      );
    }
    return imageNames(image);
  }
  if (facts.release === release()) {
    const names = runningNames();
    const isSameBuild = buildId !== '' && runningBuildId() === buildId;
    // The kernel lies elsewhere at every boot: where it is as recorded, it is this boot.
    const isSameBoot = reference !== null && names?.addressOf(reference.symbol) === reference.address;
    if (names && (isSameBuild || (buildId === '' && isSameBoot))) return { names, source: RUNNING, isImageOnly: false };
  }
  if (buildId === '') return null;
  for (const path of imagePlaces(facts.release)) {
    if (!existsSync(path)) continue;
    const image = await KernelImage.open(path).catch(() => null);
    if (image?.buildId === buildId) return imageNames(image);
  }
  return null;
}

/** null where the kernel hides its addresses. */
function runningNames(): AddressNames | null {
  try {
    return kallsymsNames(readFileSync(RUNNING, 'latin1'), RUNNING);
  } catch {
    return null;
  }
}

function imageNames(image: KernelImage): KernelNames {
  const { functions } = image;
  return {
    names: {
      lookup: (address) => {
        const index = functions.at(address);
        if (index < 0 || !image.isCode(address)) return null;
        return { name: functions.name(index), module: '', offset: address - functions.address(index) };
      },
      addressOf: (name) => {
        const [index] = functions.named(name);
        return index === undefined ? image.addressOf(name) : functions.address(index);
      },
    },
    source: image.path,
    isImageOnly: true,
  };
}
