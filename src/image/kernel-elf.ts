import { UserError } from '../errors.ts';
import { isElf } from './elf.ts';

/** Types of sections and their flags (elf(5)). */
export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_RELA = 4;
export const SHT_NOBITS = 8;
export const SHF_ALLOC = 2;
export const SHF_EXECINSTR = 4;

/** A section of an ELF file in memory. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** As a signed number, see {@link readAddress}. */
  readonly address: number;
  /** Where in the file its bytes begin. */
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  /** Empty where the file holds none of it (SHT_NOBITS). */
  readonly bytes: Buffer;
}

/** More sections than any kernel or module has: a larger number is damage. */
const MOST_SECTIONS = 65_536;
const HEADER = 64;
const SECTION_HEADER = 64;

/** Reads a 64-bit little-endian address as a signed number: `0xffffffff81000000` is `-0x7f000000`, exact in a double. */
export function readAddress(bytes: Buffer, offset: number): number {
  return bytes.readInt32LE(offset + 4) * 0x1_0000_0000 + bytes.readUInt32LE(offset);
}

/**
 * The sections of a 64-bit little-endian ELF file in memory: a kernel, a kernel module.
 *
 * @throws {UserError} it is none, or what its headers say does not fit the file
 */
export function elfSections(file: Buffer, what: string): ElfSection[] {
  if (!isElf(file)) throw new UserError(`${what} is not a 64-bit ELF file`);
  const table = sizeAt(file, 40);
  const size = file.readUInt16LE(58);
  const count = file.readUInt16LE(60);
  const names = file.readUInt16LE(62);
  if (count > MOST_SECTIONS || size < SECTION_HEADER || table < HEADER || table + size * count > file.length) {
    throw new UserError(`${what} is damaged or cut off: its table of sections does not fit the file`);
  }
  const raw = Array.from({ length: count }, (_, index) => sectionAt(file, table + index * size, index, what));
  const strings = raw[names]?.bytes ?? Buffer.alloc(0);
  return raw.map(({ nameAt, ...section }) => ({ ...section, name: stringAt(strings, nameAt) }));
}

function sectionAt(file: Buffer, at: number, index: number, what: string): ElfSection & { nameAt: number } {
  const type = file.readUInt32LE(at + 4);
  const offset = sizeAt(file, at + 24);
  const size = sizeAt(file, at + 32);
  const holdsBytes = type !== SHT_NOBITS && type !== 0;
  if (holdsBytes && offset + size > file.length) {
    throw new UserError(
      `${what} is damaged or cut off: a section ends at byte ${offset + size}, the file at ${file.length}`,
    );
  }
  return {
    index,
    nameAt: file.readUInt32LE(at),
    name: '',
    type,
    flags: file.readUInt32LE(at + 8),
    address: readAddress(file, at + 16),
    offset,
    size,
    link: file.readUInt32LE(at + 40),
    info: file.readUInt32LE(at + 44),
    bytes: holdsBytes ? file.subarray(offset, offset + size) : file.subarray(0, 0),
  };
}

/** An offset or size; what no file can have comes out too large for any. */
function sizeAt(file: Buffer, at: number): number {
  return file.readUInt32LE(at + 4) * 0x1_0000_0000 + file.readUInt32LE(at);
}

/** The text up to the next zero byte; '' beyond the end. */
export function stringAt(strings: Buffer, at: number): string {
  if (at >= strings.length) return '';
  const end = strings.indexOf(0, at);
  return strings.toString('latin1', at, end < 0 ? strings.length : end);
}

/** Where the last section ends: what follows in an x86 kernel's payload is its list of absolute addresses. */
export function elfEnd(file: Buffer, sections: readonly ElfSection[]): number {
  const table = sizeAt(file, 40) + file.readUInt16LE(58) * file.readUInt16LE(60);
  return sections.reduce(
    (end, { offset, bytes }) => Math.max(end, bytes.length > 0 ? offset + bytes.length : 0),
    table,
  );
}
