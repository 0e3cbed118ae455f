import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { UserError } from '../errors.ts';
import { buildIdOfNotes } from './elf-notes.ts';
import { KernelImage } from './kernel-image.ts';

/** The running kernel's image, and what else was tried. */
export interface FoundImage {
  readonly image: KernelImage;
  /** Files that were there and are not the running kernel's, or cannot be read, and why. */
  readonly passedOver: readonly string[];
}

/** Where the image of a running kernel may be. */
export function imagePlaces(name: string): string[] {
  return [
    `/boot/vmlinuz-${name}`,
    `/usr/lib/modules/${name}/vmlinuz`,
    `/lib/modules/${name}/vmlinuz`,
    `/usr/lib/debug/boot/vmlinux-${name}`,
    `/usr/lib/debug/lib/modules/${name}/vmlinux`,
    `/lib/modules/${name}/build/vmlinux`,
    `/boot/vmlinux-${name}`,
  ];
}

/**
 * Finds the file of the kernel that runs, by its release and its build id.
 *
 * @throws {UserError} there is none, saying where was looked
 */
export async function runningImage(): Promise<FoundImage> {
  const name = release();
  const running = runningBuildId();
  const passedOver: string[] = [];
  for (const path of imagePlaces(name)) {
    if (!existsSync(path)) continue;
    let image: KernelImage;
    try {
      image = await KernelImage.open(path);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      passedOver.push(error.message);
      continue;
    }
    if (running !== '' && image.buildId !== '' && image.buildId !== running) {
      passedOver.push(
        `${path} is another build (${image.buildId.slice(0, 12)}) than the running kernel (${running.slice(0, 12)})`,
      );
      continue;
    }
    return { image, passedOver };
  }
  const tried = passedOver.length > 0 ? `: ${passedOver.join('; ')}` : `, such as ${imagePlaces(name)[0]}`;
  throw new UserError(
    `no image of the running kernel ${name} was found${tried}; name one: --kernel FILE, or --kernel 6.12 for one of the lab`,
  );
}

/** The build id of the running kernel in hexadecimal digits; '' where it does not say. */
export function runningBuildId(): string {
  let notes: Buffer;
  try {
    notes = readFileSync('/sys/kernel/notes');
  } catch {
    return '';
  }
  return buildIdOfNotes(notes);
}
