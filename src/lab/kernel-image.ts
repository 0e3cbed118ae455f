import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { messageOf, UserError } from '../errors.ts';
import { decompress } from '../image/compression.ts';

/** Offsets in the setup header of an x86 kernel (Documentation/arch/x86/boot.rst). */
const SETUP_SECTORS = 0x1f1;
const HEADER_MAGIC = 0x202;
const VERSION_POINTER = 0x20e;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR = 512;
const ELF_MAGIC = '\x7fELF';

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
  if (head.toString('latin1', 0, 4) === ELF_MAGIC && head.length > 20) {
    const machine = head.readUInt16LE(18);
    if (machine !== 62) throw new UserError(`${path}: is an ELF file for another processor, not an x86-64 kernel`);
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
 * The uncompressed ELF kernel inside a bzImage, or undefined where it cannot be had or QEMU could not start it.
 * Started directly (PVH) it saves the guest from decompressing itself, which takes seconds under emulation.
 */
export function extractVmlinux(path: string, busybox: string): Buffer | undefined {
  const image = readFileSync(path);
  const start = ((image[SETUP_SECTORS] || 4) + 1) * SECTOR + image.readUInt32LE(PAYLOAD_OFFSET);
  // The last four bytes are the uncompressed size, put there by the kernel's build.
  const payload = image.subarray(start, start + image.readUInt32LE(PAYLOAD_LENGTH) - 4);
  try {
    const kernel = decompress(payload, path, busybox);
    return hasPvhEntry(kernel) ? kernel : undefined;
  } catch {
    return undefined; // another compression: the guest will do it
  }
}

/** Whether an ELF kernel has the Xen note with the PVH entry point (type 18), built in with CONFIG_PVH. */
function hasPvhEntry(kernel: Buffer): boolean {
  if (kernel.toString('latin1', 0, 4) !== ELF_MAGIC) return false;
  const PT_NOTE = 4;
  const XEN_ELFNOTE_PHYS32_ENTRY = 18;
  const table = Number(kernel.readBigUInt64LE(32));
  const entrySize = kernel.readUInt16LE(54);
  const entries = kernel.readUInt16LE(56);
  for (let index = 0; index < entries; index++) {
    const entry = table + index * entrySize;
    if (kernel.readUInt32LE(entry) !== PT_NOTE) continue;
    let note = Number(kernel.readBigUInt64LE(entry + 8));
    const end = note + Number(kernel.readBigUInt64LE(entry + 32));
    while (note + 12 <= end) {
      const nameSize = kernel.readUInt32LE(note);
      const type = kernel.readUInt32LE(note + 8);
      if (type === XEN_ELFNOTE_PHYS32_ENTRY && kernel.toString('latin1', note + 12, note + 15) === 'Xen') return true;
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
