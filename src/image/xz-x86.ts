import { crc32 } from 'node:zlib';
import { UserError } from '../errors.ts';

// Kernel images for x86 are xz data whose machine code went through a filter first: calls and jumps name their target
// instead of the distance to it, which compresses better. The decompressor we use knows no filters. So every block is
// handed to it as a stream of its own without the filter, and the filter is undone here.
//
// The xz format (tukaani.org/xz/xz-file-format.txt) in short; a VLI is a number in bytes of 7 bits, lowest first, the
// last one below 128; everything is padded with zeros to a multiple of 4 bytes:
//
//   stream header   FD '7zXZ' 00, flags (00, check), CRC32 of the flags
//   block           header: size / 4 - 1, flags, [VLI sizes], filters (VLI id, VLI length, properties), CRC32
//                   compressed data, check of what comes out (4 bytes if it is CRC32)
//   index           00, VLI number of blocks, for each: VLI size without padding, VLI size of what comes out; CRC32
//   stream footer   CRC32, size of the index / 4 - 1, flags (00, check), 'YZ'

const MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const HEADER_SIZE = 12;
const CHECK_CRC32 = 1;
const CHECK_SIZE = 4;
const FILTER_X86 = 0x04;
const FILTER_LZMA2 = 0x21;

/** One block of a stream. */
interface Block {
  /** Compressed, with the padding. */
  readonly data: Buffer;
  /** Without the padding. */
  readonly dataSize: number;
  /** CRC32 of what comes out. */
  readonly check: number;
  /** Size of what comes out. */
  readonly size: number;
  readonly isFiltered: boolean;
  /** Size of the dictionary, as the filter LZMA2 has it. */
  readonly dictionary: number;
}

/**
 * Unpacks an xz stream that has blocks with the x86 filter, checked by CRC32 as kernels have to be.
 *
 * @param unpack unpacks xz data without filters
 * @returns null where no block has that filter, or where the stream is of a kind that kernels cannot be of
 */
export async function unpackX86Xz(stream: Buffer, unpack: (stream: Buffer) => Promise<Buffer>): Promise<Buffer | null> {
  const blocks = readBlocks(stream);
  if (!blocks?.some((block) => block.isFiltered)) return null;
  const parts: Buffer[] = [];
  for (const block of blocks) {
    const bytes = await unpack(plainStream(block));
    if (block.isFiltered) undoX86Filter(bytes);
    if (crc32(bytes) !== block.check) throw new UserError('the xz data are damaged: wrong checksum');
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** Null where it is not one stream with CRC32, or its filters are others. */
function readBlocks(stream: Buffer): Block[] | null {
  const footer = stream.length - HEADER_SIZE;
  if (footer < HEADER_SIZE || stream[7] !== CHECK_CRC32 || stream.toString('latin1', footer + 10) !== 'YZ') return null;
  const index = new Cursor(stream, footer - 4 * (stream.readUInt32LE(footer + 4) + 1));
  if (index.at < HEADER_SIZE || index.byte() !== 0) return null;
  const blocks: Block[] = [];
  let start = HEADER_SIZE;
  for (let count = index.vli(); count > 0; count--) {
    const packedSize = index.vli();
    const block = readBlock(stream, start, packedSize, index.vli());
    if (block === null) return null;
    blocks.push(block);
    start += align4(packedSize);
  }
  return blocks;
}

function readBlock(stream: Buffer, start: number, packedSize: number, size: number): Block | null {
  const header = new Cursor(stream, start);
  const headerSize = 4 * (header.byte() + 1);
  const flags = header.byte();
  if (flags & 0x40) header.vli();
  if (flags & 0x80) header.vli();
  const filters = Array.from({ length: (flags & 3) + 1 }, () => {
    const id = header.vli();
    const properties = stream.subarray(header.at + 1, header.at + 1 + header.byte());
    header.at += properties.length;
    return { id, properties };
  });
  const last = filters.pop();
  const isFiltered = filters.length > 0;
  if (last?.id !== FILTER_LZMA2 || filters.length > 1) return null;
  // With properties it starts to count elsewhere, which nobody does.
  if (filters.some(({ id, properties }) => id !== FILTER_X86 || properties.length > 0)) return null;
  const from = start + headerSize;
  const dataSize = packedSize - headerSize - CHECK_SIZE;
  const end = from + align4(dataSize);
  return {
    data: stream.subarray(from, end),
    dataSize,
    check: stream.readUInt32LE(end),
    size,
    isFiltered,
    dictionary: last.properties[0] ?? 0,
  };
}

/** A stream of this block alone, without other filters and checks. */
function plainStream({ data, dataSize, size, dictionary }: Block): Buffer {
  const flags = Buffer.from([0, 0]);
  const header = withCrc([2, 0, FILTER_LZMA2, 1, dictionary, 0, 0, 0]);
  const index = withCrc([0, 1, ...vli(header.length + dataSize), ...vli(size)]);
  const tail = Buffer.alloc(6);
  tail.writeUInt32LE(index.length / 4 - 1);
  return Buffer.concat([MAGIC, flags, crcOf(flags), header, data, index, crcOf(tail), tail, Buffer.from('YZ')]);
}

/** Padded, and followed by its CRC32. */
function withCrc(bytes: readonly number[]): Buffer {
  const padded = Buffer.alloc(align4(bytes.length));
  padded.set(bytes);
  return Buffer.concat([padded, crcOf(padded)]);
}

function crcOf(bytes: Buffer): Buffer {
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(bytes));
  return crc;
}

function vli(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

function align4(size: number): number {
  return Math.ceil(size / 4) * 4;
}

class Cursor {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.at++);
  }

  vli(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      if (scale > Number.MAX_SAFE_INTEGER) throw new RangeError('a number without end');
    }
  }
}

/**
 * Undoes the x86 filter in place. Behind the opcodes E8 (call) and E9 (jump) stand four bytes, the target as an address
 * from the beginning of the data; the distance from the next instruction goes there. It was only filtered where its
 * highest byte is 00 or FF, that is, where it looked like a distance. Where another opcode byte lies among the three
 * bytes before, which may have been data, the filter was careful: not at all where there are two of them, nor where the
 * byte that belongs to both distances is 00 or FF.
 */
function undoX86Filter(bytes: Buffer): void {
  // Bit n: the byte n + 1 before this one was an opcode whose distance was left alone.
  let before = 0;
  for (let at = 0; at + 4 < bytes.length; ) {
    if (((bytes[at] ?? 0) & 0xfe) !== 0xe8) {
      before = (before << 1) & 7;
      at += 1;
    } else if (wasFiltered(bytes, at, before)) {
      bytes.writeInt32LE(distance(bytes.readInt32LE(at + 1), at + 5, before), at + 1);
      before = 0;
      at += 5;
    } else {
      before = ((before << 1) | 1) & 7;
      at += 1;
    }
  }
}

function wasFiltered(bytes: Buffer, at: number, before: number): boolean {
  if (!isSign(bytes[at + 4])) return false;
  if (before === 0) return true;
  const hasTwo = (before & (before - 1)) !== 0;
  return !hasTwo && !isSign(bytes[at + 4 - furthest(before)]);
}

/** Takes the place of the next instruction off an address, until the byte shared with an opcode before is no sign. */
function distance(address: number, next: number, before: number): number {
  let value = (address - next) | 0;
  if (before !== 0) {
    const shared = 32 - 8 * furthest(before);
    while (isSign((value >>> (shared - 8)) & 0xff)) value = ((value ^ ((1 << shared) - 1)) - next) | 0;
  }
  return (value << 7) >> 7; // 25 bits with a sign
}

/** How many bytes before this one the furthest opcode is that was left alone. */
function furthest(before: number): number {
  return 32 - Math.clz32(before);
}

function isSign(byte: number | undefined): boolean {
  return byte === 0x00 || byte === 0xff;
}
