import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { messageOf, UserError } from '../errors.ts';
import { compressionOf, decompressBytes } from './compression.ts';
import { isElf } from './elf.ts';

/** Offsets in the setup header of an x86 kernel (Documentation/arch/x86/boot.rst). */
const SETUP_SECTORS = 0x1f1;
const HEADER_MAGIC = 0x202;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR = 512;
/** Where an arm64 Image says what it is (Documentation/arch/arm64/booting.rst). */
const ARM64_MAGIC = 0x38;
/** No kernel is larger. */
const MOST_BYTES = 1 << 30;

/** Whether bytes begin an x86 kernel as boot loaders start it. */
export function isBzImage(head: Buffer): boolean {
  return head.length > PAYLOAD_LENGTH + 4 && head.toString('latin1', HEADER_MAGIC, HEADER_MAGIC + 4) === 'HdrS';
}

/** Whether bytes begin an uncompressed arm64 kernel. */
export function isArm64Image(head: Buffer): boolean {
  return head.length >= 64 && head.toString('latin1', ARM64_MAGIC, ARM64_MAGIC + 4) === 'ARM\x64';
}

/**
 * What an x86 kernel decompresses when it starts: the ELF kernel and, after it, the list of its absolute addresses.
 *
 * @throws {DamagedCompression} the payload is damaged
 * @throws {UserError} it is compressed in a way that is not read here (LZ4, LZO, LZMA, bzip2), or cut off
 */
export async function bzImagePayload(image: Buffer, what: string): Promise<Buffer> {
  const start = ((image[SETUP_SECTORS] || 4) + 1) * SECTOR + image.readUInt32LE(PAYLOAD_OFFSET);
  const end = start + image.readUInt32LE(PAYLOAD_LENGTH);
  if (end > image.length || end - start < 8) throw new UserError(`${what} is cut off: its kernel ends at byte ${end}`);
  // The last four bytes are the uncompressed size: gzip ends with it, behind the others the kernel's build puts it.
  const isGzip = compressionOf(image.subarray(start)) === 'gzip';
  const size = image.readUInt32LE(end - 4);
  const kernel = await decompressBytes(
    image.subarray(start, isGzip ? end : end - 4),
    size <= MOST_BYTES ? size : undefined,
  );
  if (!isElf(kernel)) {
    throw new UserError(`${what} is compressed in a way that is not read here (LZ4, LZO, LZMA or bzip2)`);
  }
  return kernel;
}

/**
 * The uncompressed kernel in a file: a bzImage, an ELF vmlinux, an arm64 Image, any of them compressed.
 *
 * @throws {UserError} the file cannot be read, or is no kernel
 */
export async function readKernel(path: string): Promise<Buffer> {
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch (error) {
    throw new UserError(`cannot read the kernel image: ${messageOf(error)}`, { cause: error });
  }
  const compression = compressionOf(file);
  if (compression !== '') {
    // Not by decompressBytes: what comes out is bounded.
    file = compression === 'gzip' ? gunzipSync(file, { maxOutputLength: MOST_BYTES }) : await decompressBytes(file);
  }
  if (isElf(file) || isArm64Image(file)) return file;
  if (isBzImage(file)) return bzImagePayload(file, path);
  throw new UserError(`${path} is no kernel image: give a vmlinuz (bzImage), an ELF vmlinux or an arm64 Image`);
}
