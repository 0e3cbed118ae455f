import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { messageOf, UserError } from '../errors.ts';
import { compressionOf, decompressBytes } from '../image/compression.ts';
import { EM_X86_64, elfMachine, elfSegments, isElf, PT_NOTE } from '../image/elf.ts';

/** Offsets in the setup header of an x86 kernel (Documentation/arch/x86/boot.rst). */
const SETUP_SECTORS = 0x1f1;
const HEADER_MAGIC = 0x202;
const VERSION_POINTER = 0x20e;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR = 512;
/** No kernel is larger. */
const MOST_BYTES = 1 << 30;

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
  if (head.length > PAYLOAD_LENGTH + 4 && head.toString('latin1', HEADER_MAGIC, HEADER_MAGIC + 4) === 'HdrS') {
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
  const image = readFileSync(path);
  const start = ((image[SETUP_SECTORS] || 4) + 1) * SECTOR + image.readUInt32LE(PAYLOAD_OFFSET);
  const end = start + image.readUInt32LE(PAYLOAD_LENGTH);
  // The last four bytes are the uncompressed size: gzip ends with it, behind the others the kernel's build puts it.
  const isGzip = compressionOf(image.subarray(start)) === 'gzip';
  const payload = image.subarray(start, isGzip ? end : end - 4);
  try {
    const size = image.readUInt32LE(end - 4);
    const kernel = await decompressBytes(payload, size <= MOST_BYTES ? size : undefined);
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
    for (let note = offset; note + 12 <= offset + size; ) {
      const nameSize = kernel.readUInt32LE(note);
      const kind = kernel.readUInt32LE(note + 8);
      if (kind === XEN_ELFNOTE_PHYS32_ENTRY && kernel.toString('latin1', note + 12, note + 15) === 'Xen') return true;
      note += 12 + align4(nameSize) + align4(kernel.readUInt32LE(note + 4));
    }
  }
  return false;
}

function align4(size: number): number {
  return (size + 3) & ~3;
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
