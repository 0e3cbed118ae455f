import { closeSync, openSync, readSync } from 'node:fs';
import { messageOf, UserError } from '../errors.ts';
import { nearNames } from './near-names.ts';

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const PT_LOAD = 1;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;

/** A function in an ELF file; address as linked, size in bytes. */
export interface ElfFunction {
  readonly name: string;
  readonly address: number;
  readonly size: number;
}

/** A loaded segment: file bytes `offset` to `offset + size` appear at `address`. */
export interface ElfSegment {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** The functions and segments of a 64-bit little-endian ELF file (elf(5)). */
export interface ElfFile {
  readonly functions: readonly ElfFunction[];
  readonly segments: readonly ElfSegment[];
}

/**
 * Reads the symbols of a program or library, with those of a debugger if it has them.
 * @throws {UserError} not an ELF file of this kind
 */
export function readElf(path: string): ElfFile {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  try {
    const read = (offset: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      if (readSync(descriptor, bytes, 0, length, offset) < length) throw new UserError(`${path} is cut off`);
      return bytes;
    };
    const header = read(0, 64);
    if (header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) {
      throw new UserError(`${path} is not a 64-bit ELF file`);
    }
    return { segments: readSegments(header, read), functions: readFunctions(header, read) };
  } finally {
    closeSync(descriptor);
  }
}

type Read = (offset: number, length: number) => Buffer;

function readSegments(header: Buffer, read: Read): ElfSegment[] {
  const size = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  const table = read(Number(header.readBigUInt64LE(32)), size * count);
  const segments: ElfSegment[] = [];
  for (let at = 0; at < table.length; at += size) {
    if (table.readUInt32LE(at) !== PT_LOAD) continue;
    segments.push({
      offset: Number(table.readBigUInt64LE(at + 8)),
      address: Number(table.readBigUInt64LE(at + 16)),
      size: Number(table.readBigUInt64LE(at + 32)),
    });
  }
  return segments;
}

function readFunctions(header: Buffer, read: Read): ElfFunction[] {
  const size = header.readUInt16LE(58);
  const count = header.readUInt16LE(60);
  const sections = count === 0 ? Buffer.alloc(0) : read(Number(header.readBigUInt64LE(40)), size * count);
  const contents = (index: number): Buffer =>
    read(Number(sections.readBigUInt64LE(index * size + 24)), Number(sections.readBigUInt64LE(index * size + 32)));
  const functions: ElfFunction[] = [];
  for (let index = 0; index < count; index++) {
    const type = sections.readUInt32LE(index * size + 4);
    if (type !== SHT_SYMTAB && type !== SHT_DYNSYM) continue;
    const symbols = contents(index);
    const strings = contents(sections.readUInt32LE(index * size + 40));
    for (let at = 0; at + 24 <= symbols.length; at += 24) {
      const kind = (symbols[at + 4] ?? 0) & 15;
      const address = Number(symbols.readBigUInt64LE(at + 8));
      if ((kind !== STT_FUNC && kind !== STT_GNU_IFUNC) || address === 0) continue;
      const start = symbols.readUInt32LE(at);
      const end = strings.indexOf(0, start);
      const name = strings.toString('utf8', start, end < 0 ? undefined : end);
      functions.push({ name, address, size: Number(symbols.readBigUInt64LE(at + 16)) });
    }
  }
  return functions;
}

/**
 * Where in the file a function begins, as uprobes want it.
 * @throws {UserError} no such file or function
 */
export function elfFunctionOffset(path: string, symbol: string): bigint {
  const { functions, segments } = readElf(path);
  const found = functions.find(({ name }) => name === symbol);
  if (!found) {
    const near = nearNames(
      symbol,
      functions.map(({ name }) => name),
    );
    throw new UserError(
      `${path} has no function ${symbol}${near.length > 0 ? `; did you mean ${near.join(', ')}?` : ''}`,
    );
  }
  const { address } = found;
  const segment = segments.find((s) => address >= s.address && address < s.address + s.size);
  if (!segment) throw new UserError(`${symbol} of ${path} lies in no loaded segment`);
  return BigInt(address - segment.address + segment.offset);
}
