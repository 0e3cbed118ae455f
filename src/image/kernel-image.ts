import { UserError } from '../errors.ts';
import { lastUpTo } from './ascending.ts';
import { isArm64Image, readKernel } from './boot-image.ts';
import type { Code } from './direct-calls.ts';
import { EM_X86_64, elfMachine } from './elf.ts';
import { buildIdOfNotes } from './elf-notes.ts';
import { type EmbeddedTable, embeddedTable } from './embedded-symbols.ts';
import { type AddressedSymbol, FunctionTable } from './function-table.ts';
import {
  type ElfSection,
  elfEnd,
  elfSections,
  readAddress,
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHT_PROGBITS,
} from './kernel-elf.ts';

export type ImageArchitecture = 'x86-64' | 'arm64';

const EM_AARCH64 = 183;

/** Where something of a kernel's data lies: `ext4_file_operations+0x30`. */
export interface DataPlace {
  /** '' where the data have no symbol. */
  readonly object: string;
  /** Bytes from its start. */
  readonly offset: number;
  /** Bytes to the next symbol. */
  readonly room: number;
}

/** Addresses of functions that a kernel keeps: where, and which. */
export interface KeptAddresses {
  /** Places in data of 8 bytes. */
  readonly data: readonly number[];
  /** Places of 4 bytes within instructions. */
  readonly code: readonly number[];
  /** The kernel's own list of what it relocates was there; else data were searched for what looks like an address. */
  readonly areListed: boolean;
}

/** A stretch of the image in memory. */
interface Stretch extends Code {
  readonly name: string;
  readonly isCode: boolean;
}

/** A kernel as its file has it: code, symbols, and the addresses it keeps. */
export class KernelImage {
  readonly path: string;
  readonly architecture: ImageArchitecture;
  /** As `uname -r` prints it; '' where the image does not say. */
  readonly release: string;
  /** Hexadecimal digits; '' where the image has none. */
  readonly buildId: string;
  readonly functions: FunctionTable;
  readonly #stretches: readonly Stretch[];
  readonly #data: readonly AddressedSymbol[];
  readonly #relocations: Buffer;

  private constructor(path: string, file: Buffer, layout: Layout, table: EmbeddedTable) {
    const { addresses } = table;
    if (addresses === null)
      throw new UserError(`${path}: this kernel's symbols were not found, or not their addresses`);
    this.path = path;
    this.architecture = layout.architecture;
    this.#stretches = layout.stretches;
    this.#relocations = layout.relocations;
    this.release = releaseIn(file);
    this.buildId = layout.buildId;
    const functions: AddressedSymbol[] = [];
    const data: AddressedSymbol[] = [];
    for (const [i, { type, name }] of table.symbols.entries()) {
      const address = addresses[i] as number;
      if (/^[tTwW]$/.test(type) && this.#stretchAt(address)?.isCode) functions.push({ name, address });
      else if (type !== 'A' && type !== 'a' && address < 0) data.push({ name, address });
    }
    this.functions = new FunctionTable(functions);
    this.#data = data.sort((a, b) => a.address - b.address);
  }

  /**
   * Opens a kernel file: bzImage, vmlinux or arm64 Image, compressed or not.
   *
   * @throws {UserError} it cannot be read, or nothing can be told of it
   */
  static async open(path: string): Promise<KernelImage> {
    const file = await readKernel(path);
    const table = embeddedTable(file);
    if (table.symbols.length === 0) {
      throw new UserError(`${path}: no symbols were found in this kernel (CONFIG_KALLSYMS may be off)`);
    }
    return new KernelImage(path, file, isArm64Image(file) ? arm64Layout(file, table) : elfLayout(file, path), table);
  }

  /** The stretches that hold code. */
  code(): readonly Code[] {
    return this.#stretches.filter(({ isCode }) => isCode);
  }

  /** Whether an address lies in code. */
  isCode(address: number): boolean {
    return this.#stretchAt(address)?.isCode ?? false;
  }

  /** Bytes of the image at an address; null where it has none. */
  bytesAt(address: number, size: number): Buffer | null {
    const stretch = this.#stretchAt(address);
    if (!stretch) return null;
    const start = address - stretch.address;
    return start + size <= stretch.bytes.length ? stretch.bytes.subarray(start, start + size) : null;
  }

  /** The section an address lies in, '' where in none. */
  sectionAt(address: number): string {
    return this.#stretchAt(address)?.name ?? '';
  }

  /** A section by name; undefined where the image has none, as an arm64 Image. */
  sectionNamed(name: string): Code | undefined {
    return this.#stretches.find((stretch) => stretch.name === name);
  }

  /** The object of the kernel's data an address lies in. */
  dataAt(address: number): DataPlace {
    const stretch = this.#stretchAt(address);
    const at = lastUpTo(address, this.#data.length, (i) => (this.#data[i] as AddressedSymbol).address);
    const symbol = this.#data[at];
    const next = this.#data[at + 1]?.address ?? Number.POSITIVE_INFINITY;
    if (!symbol || !stretch || symbol.address < stretch.address) return { object: '', offset: 0, room: 0 };
    return { object: symbol.name, offset: address - symbol.address, room: next - symbol.address };
  }

  /** The address of a symbol of the data; null where there is none. */
  addressOf(name: string): number | null {
    return this.#data.find((symbol) => symbol.name === name)?.address ?? null;
  }

  /** Where the kernel keeps addresses, of functions and of all else. */
  keptAddresses(): KeptAddresses {
    const lists = relocationLists(this.#relocations);
    if (lists) return { ...lists, areListed: true };
    const data = this.#stretches.flatMap((stretch) => (stretch.isCode ? [] : wordsLikeAddresses(stretch)));
    return { data, code: [], areListed: false };
  }

  #stretchAt(address: number): Stretch | undefined {
    return this.#stretches.find((one) => address >= one.address && address < one.address + one.bytes.length);
  }
}

interface Layout {
  readonly architecture: ImageArchitecture;
  readonly stretches: readonly Stretch[];
  readonly relocations: Buffer;
  readonly buildId: string;
}

function elfLayout(file: Buffer, path: string): Layout {
  const machine = elfMachine(file);
  if (machine !== EM_X86_64 && machine !== EM_AARCH64) {
    throw new UserError(`${path} is a kernel for another processor than x86-64 and arm64`);
  }
  const sections = elfSections(file, path);
  const stretches = sections
    .filter(({ type, flags, address }) => type === SHT_PROGBITS && flags & SHF_ALLOC && address < 0)
    .map(({ name, flags, address, bytes }) => ({ name, address, bytes, isCode: (flags & SHF_EXECINSTR) !== 0 }));
  return {
    architecture: machine === EM_X86_64 ? 'x86-64' : 'arm64',
    stretches,
    relocations: machine === EM_X86_64 ? file.subarray(elfEnd(file, sections)) : Buffer.alloc(0),
    buildId: buildIdIn(sections),
  };
}

/** An arm64 Image is the kernel as it lies in memory, from `_text` on; the symbols tell what is code. */
function arm64Layout(file: Buffer, { symbols, addresses }: EmbeddedTable): Layout {
  const addressOf = (name: string): number => {
    const index = symbols.findIndex((symbol) => symbol.name === name);
    return index < 0 ? Number.NaN : (addresses?.[index] ?? Number.NaN);
  };
  const text = addressOf('_text');
  const borders = [
    { name: '.text', start: addressOf('_stext'), end: addressOf('_etext'), isCode: true },
    { name: '.init.text', start: addressOf('_sinittext'), end: addressOf('_einittext'), isCode: true },
  ].filter(({ start, end }) => end > start);
  const stretches: Stretch[] = [];
  let at = text;
  const upTo = (end: number, name: string, isCode: boolean): void => {
    const bytes = file.subarray(Math.max(at - text, 0), Math.max(end - text, 0));
    if (bytes.length > 0) stretches.push({ name, address: at, bytes, isCode });
    at = Math.max(at, end);
  };
  for (const { name, start, end, isCode } of borders) {
    upTo(start, '.rodata', false);
    upTo(end, name, isCode);
  }
  upTo(text + file.length, '.data', false);
  return { architecture: 'arm64', stretches, relocations: Buffer.alloc(0), buildId: '' };
}

function buildIdIn(sections: readonly ElfSection[]): string {
  for (const { name, bytes } of sections) {
    const id = name.startsWith('.note') ? buildIdOfNotes(bytes) : '';
    if (id !== '') return id;
  }
  return '';
}

/** `Linux version 6.12.117+deb12-amd64 (…`: the banner that every kernel prints. */
function releaseIn(file: Buffer): string {
  for (let at = file.indexOf('Linux version '); at >= 0; at = file.indexOf('Linux version ', at + 1)) {
    const text = file.toString('latin1', at + 14, at + 14 + 128);
    const found = /^(\d+\.\d+[\w.+~-]*) \(/.exec(text)?.[1];
    if (found) return found;
  }
  return '';
}

/**
 * What x86 kernels relocate themselves by, appended to the ELF kernel: lists of 32-bit addresses, sign-extended, each
 * begun by 0 and read backwards: those of 32 bits, of 32 bits counting down (until 6.14), of 64 bits
 * (arch/x86/tools/relocs.c, arch/x86/boot/compressed/misc.c). Null where there is none.
 */
function relocationLists(bytes: Buffer): { data: number[]; code: number[] } | null {
  const lists: number[][] = [];
  let list: number[] = [];
  for (let at = bytes.length - 4; at >= 0 && lists.length < 3; at -= 4) {
    const address = bytes.readInt32LE(at);
    if (address !== 0) list.push(address);
    else {
      lists.push(list);
      list = [];
    }
  }
  const [code, ...rest] = lists;
  const data = rest.at(-1);
  return code && data ? { data, code } : null;
}

/** Places of aligned words that could be addresses of the image. */
function wordsLikeAddresses({ address, bytes }: Stretch): number[] {
  const places: number[] = [];
  for (let at = (8 - (((address % 8) + 8) % 8)) % 8; at + 8 <= bytes.length; at += 8) {
    const high = bytes.readInt32LE(at + 4);
    if (high < 0 && readAddress(bytes, at) < 0 && bytes.readUInt32LE(at) !== 0xffffffff) places.push(address + at);
  }
  return places;
}
