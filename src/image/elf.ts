import { closeSync, openSync, readSync } from 'node:fs';
import { messageOf, UserError } from '../errors.ts';

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;

/** A function in an ELF file; address as linked, size in bytes. */
export interface ElfFunction {
  readonly name: string;
  readonly address: number;
  readonly size: number;
  /** Chooses an implementation when a program starts (STT_GNU_IFUNC). */
  readonly isChooser: boolean;
}

/** Types of segments (elf(5)). */
export const PT_LOAD = 1;
export const PT_INTERP = 3;
export const PT_NOTE = 4;

/** What a machine is called in an ELF file. */
export const EM_X86_64 = 62;

/** A segment: file bytes `offset` to `offset + size` appear at `address`. */
export interface ElfSegment {
  /** {@link PT_LOAD} where it does appear there. */
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** The functions and loaded segments of a 64-bit little-endian ELF file (elf(5)). */
export interface ElfFile {
  readonly functions: readonly ElfFunction[];
  readonly segments: readonly ElfSegment[];
  /** Names of functions it takes from elsewhere. */
  readonly imports: ReadonlySet<string>;
  /** The names of its own functions were removed; those that other files may call are left. */
  readonly isStripped: boolean;
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
    if (!isElf(header)) throw new UserError(`${path} is not a 64-bit ELF file`);
    const segments = readSegments(header, read).filter(({ type }) => type === PT_LOAD);
    return { segments, ...readFunctions(header, read) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  } finally {
    closeSync(descriptor);
  }
}

/** Whether bytes are the beginning of a 64-bit little-endian ELF file. */
export function isElf(head: Buffer): boolean {
  return head.length >= 64 && head.readUInt32BE(0) === 0x7f454c46 && head[4] === 2 && head[5] === 1;
}

/** The machine an ELF file is for: {@link EM_X86_64}. */
export function elfMachine(head: Buffer): number {
  return head.readUInt16LE(18);
}

/**
 * All segments of an ELF file that is in memory.
 * @throws {RangeError} it is cut off
 */
export function elfSegments(file: Buffer): ElfSegment[] {
  return readSegments(file, (offset, length) => {
    if (offset + length > file.length) throw new RangeError('the ELF file is cut off');
    return file.subarray(offset, offset + length);
  });
}

/**
 * Names of the functions that an ELF file in memory holds, such as a kernel module, where addresses are those in a section.
 * @throws {RangeError} it is cut off
 */
export function functionNames(file: Buffer): string[] {
  const size = file.readUInt16LE(58);
  const sections = Number(file.readBigUInt64LE(40));
  const names: string[] = [];
  for (let index = 0; index < file.readUInt16LE(60); index++) {
    const header = sections + index * size;
    if (file.readUInt32LE(header + 4) !== SHT_SYMTAB) continue;
    const start = Number(file.readBigUInt64LE(header + 24));
    const end = start + Number(file.readBigUInt64LE(header + 32));
    const strings = Number(file.readBigUInt64LE(sections + file.readUInt32LE(header + 40) * size + 24));
    for (let at = start; at + 24 <= end; at += 24) {
      const isElsewhere = file.readUInt16LE(at + 6) === 0;
      if (isElsewhere || ((file[at + 4] ?? 0) & 15) !== STT_FUNC) continue;
      const name = strings + file.readUInt32LE(at);
      names.push(file.toString('latin1', name, file.indexOf(0, name)));
    }
  }
  return names;
}

type Read = (offset: number, length: number) => Buffer;

function readSegments(header: Buffer, read: Read): ElfSegment[] {
  const size = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  const table = read(Number(header.readBigUInt64LE(32)), size * count);
  const segments: ElfSegment[] = [];
  for (let at = 0; at < table.length; at += size) {
    segments.push({
      type: table.readUInt32LE(at),
      offset: Number(table.readBigUInt64LE(at + 8)),
      address: Number(table.readBigUInt64LE(at + 16)),
      size: Number(table.readBigUInt64LE(at + 32)),
    });
  }
  return segments;
}

function readFunctions(header: Buffer, read: Read): Pick<ElfFile, 'functions' | 'imports' | 'isStripped'> {
  const size = header.readUInt16LE(58);
  const count = header.readUInt16LE(60);
  const sections = count === 0 ? Buffer.alloc(0) : read(Number(header.readBigUInt64LE(40)), size * count);
  const contents = (index: number): Buffer =>
    read(Number(sections.readBigUInt64LE(index * size + 24)), Number(sections.readBigUInt64LE(index * size + 32)));
  const functions: ElfFunction[] = [];
  const imports = new Set<string>();
  let isStripped = true;
  for (let index = 0; index < count; index++) {
    const type = sections.readUInt32LE(index * size + 4);
    if (type !== SHT_SYMTAB && type !== SHT_DYNSYM) continue;
    if (type === SHT_SYMTAB) isStripped = false;
    const symbols = contents(index);
    const strings = contents(sections.readUInt32LE(index * size + 40));
    for (let at = 0; at + 24 <= symbols.length; at += 24) {
      const kind = (symbols[at + 4] ?? 0) & 15;
      const address = Number(symbols.readBigUInt64LE(at + 8));
      if (kind !== STT_FUNC && kind !== STT_GNU_IFUNC) continue;
      const start = symbols.readUInt32LE(at);
      const end = strings.indexOf(0, start);
      const name = strings.toString('utf8', start, end < 0 ? undefined : end);
      if (address === 0) imports.add(name);
      else
        functions.push({
          name,
          address,
          size: Number(symbols.readBigUInt64LE(at + 16)),
          isChooser: kind === STT_GNU_IFUNC,
        });
    }
  }
  return { functions, imports, isStripped };
}

/** A function of a file, as uprobes want it. */
export interface ElfProbe {
  readonly name: string;
  /** Where in the file it begins: a library may hold several versions of a function, for programs old and new. */
  readonly offsets: readonly bigint[];
  /** What bears the name only chooses one of several implementations, once, when a program starts (`memcpy`). */
  readonly isChooser: boolean;
}

/** What of a file can be probed. */
export interface ElfProbes {
  readonly functions: readonly ElfProbe[];
  /** Functions that the file calls and that other files have. */
  readonly imports: ReadonlySet<string>;
  /** Functions that no other file may call have lost their names. */
  readonly isStripped: boolean;
}

/**
 * The functions of a file with the places at which they begin.
 * @throws {UserError} no such file, not an ELF file
 */
export function elfProbes(path: string): ElfProbes {
  const { functions, segments, imports, isStripped } = readElf(path);
  const probes = new Map<string, { name: string; offsets: bigint[]; isChooser: boolean }>();
  for (const { name, address, isChooser } of functions) {
    const segment = segments.find((s) => address >= s.address && address < s.address + s.size);
    if (!segment) continue;
    const offset = BigInt(address - segment.address + segment.offset);
    const known = probes.get(name);
    if (!known) probes.set(name, { name, offsets: [offset], isChooser });
    else {
      if (!known.offsets.includes(offset)) known.offsets.push(offset);
      known.isChooser ||= isChooser;
    }
  }
  return { functions: [...probes.values()], imports, isStripped };
}
