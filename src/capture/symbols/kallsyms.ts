import { readFileSync } from 'node:fs';
import { normaliseSymbol } from '../../census/symbol-name.ts';
import { cannotRead, unlessAbsent } from '../sys/read-error.ts';
import { readWholeAside } from '../sys/whole-file.ts';
import { AscendingLines } from './ascending-lines.ts';
import {
  addressAt,
  endsName,
  functionLines,
  linesEnding,
  linesNamed,
  linesOfModule,
  nameAt,
  startOfLine,
  startOfModules,
} from './kallsyms-text.ts';
import { SortedLines } from './sorted-lines.ts';

/** A function of the running kernel. */
export interface KernelFunction {
  readonly name: string;
  /** As a signed number: the distance below 2^64, exact in a double for every kernel address. */
  readonly address: number;
  /** Module it lives in, '' for the kernel image. */
  readonly module: string;
}

/** Tells which functions addresses lie in. */
export interface FunctionFinder {
  /** The function an address lies in, null below the first one. Of several names of one address, the first listed. */
  lookup(address: number): KernelFunction | null;
  /** The function so many places behind the one an address lies in (before it, where negative); null beyond the ends. */
  neighbour(address: number, distance: number): KernelFunction | null;
}

/** Where a module lies. */
interface LoadedModule {
  readonly name: string;
  readonly base: number;
  /** Bytes of its code and data; the code comes first. */
  readonly size: number;
}

const PAGE = 4096;
/** Bytes of machine code a BPF program may well have. */
const MOST_OF_PROGRAM = 65_536;
const KALLSYMS = '/proc/kallsyms';

/** What is being read before it is asked for. */
let ahead: Promise<Kallsyms> | undefined;

/** Reads a 64-bit little-endian address as a signed number: `0xffffffff81000000` is `-0x7f000000`. */
export function readAddress(bytes: Buffer, offset: number): number {
  return bytes.readInt32LE(offset + 4) * 0x1_0000_0000 + bytes.readUInt32LE(offset);
}

/** The unsigned 64-bit form of an address. */
export function toUnsigned(address: number): bigint {
  return BigInt.asUintN(64, BigInt(address));
}

/** `0xffffffff81000000` */
export function formatAddress(address: number): string {
  return `0x${toUnsigned(address).toString(16)}`;
}

/** Begins to read the running kernel's symbols while other things are done, for {@link Kallsyms.readAside}. */
export function readKallsymsAhead(): void {
  ahead = Kallsyms.readAside();
  ahead.catch(() => {}); // said when it is asked for
}

/**
 * The functions of the running kernel and its modules, from /proc/kallsyms. `__pfx_*` are left out.
 *
 * Holds the file's bytes, hundreds of thousands of lines, and searches them as they are; names become strings when asked
 * for. Only what lies outside the kernel's image has to be sorted, module by module, once it is looked up.
 */
export class Kallsyms implements FunctionFinder {
  /** The loaded modules and where they lie, as they were right before the symbols were read. */
  readonly modules: string;
  readonly #text: Buffer;
  readonly #modulesAt: number;
  readonly #image: AscendingLines;
  /** The addresses of the image's first function and of its last symbol. */
  readonly #imageStart: number;
  readonly #imageEnd: number;
  #initialCode: { readonly start: number; readonly end: number } | undefined;
  #loaded: readonly LoadedModule[] | undefined;
  readonly #ofModules = new Map<string, SortedLines>();
  #allModules: SortedLines | undefined;

  constructor(text: Buffer, modules = '') {
    this.#text = text;
    this.modules = modules;
    this.#modulesAt = startOfModules(text);
    const [first = -1] = functionLines(text, 0, this.#modulesAt);
    this.#image = new AscendingLines(text, Math.max(first, 0), first < 0 ? 0 : this.#modulesAt);
    this.#imageStart = first < 0 ? Number.POSITIVE_INFINITY : addressAt(text, first);
    this.#imageEnd = first < 0 ? Number.NEGATIVE_INFINITY : addressAt(text, startOfLine(text, this.#modulesAt - 1));
  }

  /**
   * The running kernel's symbols.
   * @throws {UserError} they cannot be read
   */
  static read(): Kallsyms {
    const modules = loadedModules();
    return new Kallsyms(readSymbols(), modules);
  }

  /** The same, read on another thread: the kernel gives the file a page at a time, some two thousand of them. */
  static async readAside(): Promise<Kallsyms> {
    if (ahead) {
      const reading = ahead;
      ahead = undefined;
      return reading;
    }
    const modules = loadedModules();
    const text = await readWholeAside(KALLSYMS).catch(readSymbols);
    return new Kallsyms(text, modules);
  }

  /** Whether the kernel shows addresses; it prints zeros to those who may not see them (kernel.kptr_restrict). */
  get hasAddresses(): boolean {
    const first = this.#text.indexOf(' _stext\n');
    return first < 0 || addressAt(this.#text, first - 18) !== 0;
  }

  /** How many functions there are. */
  get size(): number {
    let image = 0;
    for (const _ of functionLines(this.#text, 0, this.#modulesAt)) image++;
    return image + this.#modulePart().length;
  }

  /** The kernel image's functions, then those of modules, ascending. */
  *[Symbol.iterator](): Generator<KernelFunction> {
    for (const line of functionLines(this.#text, 0, this.#modulesAt)) yield this.#functionAt(line);
    const modules = this.#modulePart();
    for (let place = 0; place < modules.length; place++) yield this.#functionAt(modules.lineAt(place) ?? 0);
  }

  /** Every function of exactly this name. */
  named(name: string): KernelFunction[] {
    return Array.from(linesNamed(this.#text, name, endsName), (line) => this.#functionAt(line));
  }

  /** The address of any kind of symbol of the kernel image, data too; null where there is none of this name. */
  addressOf(name: string): number | null {
    const at = this.#text.indexOf(` ${name}\n`, 0, 'latin1');
    return at < 18 ? null : addressAt(this.#text, at - 18);
  }

  /** The copies a compiler made of a function, or of parts of it: `name.isra.0`, `name.constprop.0`, `name.part.0`. */
  copies(name: string): KernelFunction[] {
    const lines = linesNamed(this.#text, `${name}.`, () => true);
    return Array.from(lines, (line) => this.#functionAt(line)).filter((copy) => normaliseSymbol(copy.name) === name);
  }

  /** The functions that make up a system call, by the name they share: `sys_clone`; no function is called so itself. */
  systemCall(name: string): KernelFunction[] {
    const [, call] = /^((?:compat_)?sys_\w+)$/.exec(name) ?? [];
    if (call === undefined) return [];
    const lines = linesEnding(this.#text, `_${call}`);
    return Array.from(lines, (line) => this.#functionAt(line)).filter((one) => normaliseSymbol(one.name) === name);
  }

  /** Whether an address lies in code that was only there while the kernel started (`__init`); its symbols stay. */
  isGone(address: number): boolean {
    this.#initialCode ??= { start: this.addressOf('_sinittext') ?? 0, end: this.addressOf('_einittext') ?? 0 };
    return address >= this.#initialCode.start && address < this.#initialCode.end;
  }

  /** Whether any symbol belongs to this module. */
  hasModule(module: string): boolean {
    return this.#text.includes(`\t[${module}]`, this.#modulesAt, 'latin1');
  }

  lookup(address: number): KernelFunction | null {
    const line = this.#lineOf(address);
    return line < 0 ? null : this.#functionAt(line);
  }

  neighbour(address: number, distance: number): KernelFunction | null {
    let line: number | undefined;
    if (this.isInImage(address)) {
      line = this.#lineOf(address);
      for (let left = distance; left < 0 && line >= 0; left++) line = this.#image.before(line);
      for (let left = distance; left > 0 && line >= 0; left--) line = this.#image.after(line);
    } else {
      const section = this.#ownSection(address) ?? this.#modulePart();
      line = section.lineAt(section.placeOf(address) + distance);
    }
    return line === undefined || line < 0 ? null : this.#functionAt(line);
  }

  /** Whether an address lies in the kernel's image, where everything stays as it is. */
  isInImage(address: number): boolean {
    return address >= this.#imageStart && address <= this.#imageEnd;
  }

  /**
   * Whether {@link lookup} is sure to be right about an address as long as the same modules are loaded: it lies in the
   * kernel's image, or between two functions of one module. Behind a module's last function there may be another one by
   * now, and programs of BPF (`[bpf]`) and trampolines (`[__builtin__ftrace]`) come and go as they please.
   */
  vouchesFor(address: number): boolean {
    if (this.isInImage(address) || this.#ownSection(address)) return true;
    const part = this.#modulePart();
    const last = part.lastPlaceOf(address);
    const [here, next] = [part.lineAt(last), part.lineAt(last + 1)];
    if (here === undefined || next === undefined) return false;
    const { module } = nameAt(this.#text, here);
    return module === nameAt(this.#text, next).module && module !== 'bpf' && !module.startsWith('__builtin__');
  }

  /**
   * Whether the function that {@link lookup} gives may reach as far as the address. What was loaded when nobody looked has
   * no symbol, and the function before it is of somebody else.
   */
  mayReach(address: number): boolean {
    const found = this.lookup(address);
    if (!found?.module) return this.isInImage(address);
    const distance = address - found.address;
    if (found.module === 'bpf') return distance < MOST_OF_PROGRAM;
    if (found.module.startsWith('__builtin__')) return distance < PAGE;
    return this.#moduleAt(address)?.name === found.module;
  }

  /** The line of the function an address lies in, -1 below the first one. */
  #lineOf(address: number): number {
    if (address >= 0) return -1; // a program's
    const own = this.isInImage(address) ? undefined : this.#ownSection(address);
    if (own) return own.lineAt(own.placeOf(address)) ?? -1;
    const image = this.#image.find(address);
    if (this.isInImage(address)) return image;
    const part = this.#modulePart();
    const line = part.lineAt(part.placeOf(address));
    if (line === undefined) return image;
    return image < 0 || addressAt(this.#text, line) > addressAt(this.#text, image) ? line : image;
  }

  /** The functions of the module whose code an address lies in; undefined where it is of none, or behind its last one. */
  #ownSection(address: number): SortedLines | undefined {
    const module = this.#moduleAt(address)?.name;
    if (module === undefined) return undefined;
    let section = this.#ofModules.get(module);
    if (!section) {
      section = new SortedLines(this.#text, ...linesOfModule(this.#text, this.#modulesAt, module));
      this.#ofModules.set(module, section);
    }
    return section.encloses(address) ? section : undefined;
  }

  #moduleAt(address: number): LoadedModule | undefined {
    this.#loaded ??= parseModules(this.modules);
    let nearest: LoadedModule | undefined;
    for (const module of this.#loaded) {
      if (module.base <= address && (nearest === undefined || module.base > nearest.base)) nearest = module;
    }
    return nearest && address < nearest.base + nearest.size ? nearest : undefined;
  }

  #modulePart(): SortedLines {
    this.#allModules ??= new SortedLines(this.#text, this.#modulesAt, this.#text.length);
    return this.#allModules;
  }

  #functionAt(line: number): KernelFunction {
    return { ...nameAt(this.#text, line), address: addressAt(this.#text, line) };
  }
}

/** @throws {UserError} */
function readSymbols(): Buffer {
  try {
    return readFileSync(KALLSYMS);
  } catch (error) {
    throw cannotRead(KALLSYMS, error);
  }
}

/** Name, size, state and address of every loaded module; '' where the kernel has none. */
export function loadedModules(): string {
  let text: string;
  try {
    text = readFileSync('/proc/modules', 'latin1');
  } catch (error) {
    unlessAbsent(error, '/proc/modules');
    return '';
  }
  // ext4 1142784 1 - Live 0xffffffffc035e000: how many use it, and who, may change.
  return text.replace(/^(\S+ \d+) \S+ \S+/gm, '$1');
}

function parseModules(listing: string): LoadedModule[] {
  return Array.from(listing.matchAll(/^(\S+) (\d+) \S+ 0x([0-9a-f]+)/gm), ([, name = '', size, base]) => ({
    name,
    base: Number(BigInt.asIntN(64, BigInt(`0x${base}`))),
    size: Number(size),
  }));
}
