import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { messageOf, UserError } from '../errors.ts';
import { bzImagePayload, isBzImage } from '../image/boot-image.ts';
import { EM_X86_64, elfMachine, elfSegments, isElf, PT_NOTE } from '../image/elf.ts';
import { elfNotes } from '../image/elf-notes.ts';

/** Where the setup header of an x86 kernel says where its version stands (Documentation/arch/x86/boot.rst). */
const VERSION_POINTER = 0x20e;

export type KernelKind = 'bzImage' | 'vmlinux';

/** What the first bytes of a kernel file say. */
export interface KernelFile {
  readonly path: string;
  readonly kind: KernelKind;
  /** As `uname -r` will print it; an ELF kernel does not say. */
  readonly release: string | undefined;
}

/**
 * Looks at a kernel file without reading all of it.
 *
 * @throws UserError if the file cannot be read or is no x86-64 kernel
 */
export function identifyKernel(path: string): KernelFile {
  const head = readHead(path, 64 * 1024);
  if (isElf(head)) {
    if (elfMachine(head) !== EM_X86_64)
      throw new UserError(`${path}: is an ELF file for another processor, not an x86-64 kernel`);
    return { path, kind: 'vmlinux', release: undefined };
  }
  if (isBzImage(head)) {
    const start = head.readUInt16LE(VERSION_POINTER) + 0x200;
    const text = head.toString('latin1', start, start + 200).split('\0', 1)[0] ?? '';
    return { path, kind: 'bzImage', release: text.split(' ', 1)[0] || undefined };
  }
  throw new UserError(`${path}: is not a kernel; give a bzImage (arch/x86/boot/bzImage, vmlinuz) or an ELF vmlinux`);
}

/**
 * The uncompressed ELF kernel inside a bzImage, or undefined where QEMU could not start it or where it cannot be had:
 * kernels compressed with LZ4, LZO, LZMA or bzip2, or damaged ones. Those decompress themselves in the guest.
 * Started directly (PVH) a kernel saves the guest from that, which takes seconds under emulation.
 */
export async function extractVmlinux(path: string): Promise<Buffer | undefined> {
  try {
    const kernel = await bzImagePayload(readFileSync(path), path);
    return hasPvhEntry(kernel) ? kernel : undefined;
  } catch {
    return undefined;
  }
}

/** Whether an ELF kernel has the Xen note with the PVH entry point (type 18), built in with CONFIG_PVH. */
function hasPvhEntry(kernel: Buffer): boolean {
  if (!isElf(kernel)) return false;
  const XEN_ELFNOTE_PHYS32_ENTRY = 18;
  for (const { type, offset, size } of elfSegments(kernel)) {
    if (type !== PT_NOTE) continue;
    for (const note of elfNotes(kernel.subarray(offset, offset + size))) {
      if (note.type === XEN_ELFNOTE_PHYS32_ENTRY && note.vendor === 'Xen') return true;
    }
  }
  return false;
}

function readHead(path: string, length: number): Buffer {
  try {
    const file = openSync(path, 'r');
    try {
      const head = Buffer.alloc(length);
      return head.subarray(0, readSync(file, head, 0, length, 0));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new UserError(`cannot read the kernel: ${messageOf(error)}`, { cause: error });
  }
}
