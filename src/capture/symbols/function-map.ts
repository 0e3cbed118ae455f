import { AscendingLines } from './ascending-lines.ts';
import { addressAt, functionLines, linesOfModule, nameAt, startOfLine } from './kallsyms-text.ts';
import type { LoadedModule, ModuleMap } from './module-map.ts';
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
  /** The function so many places after the one an address lies in (before it, where negative); null beyond the ends. */
  neighbour(address: number, distance: number): KernelFunction | null;
}

const PAGE = 4096;
/** Bytes of machine code that a BPF program may have. */
const MOST_OF_BPF_PROGRAM = 65_536;

/**
 * Where the functions of a listing of /proc/kallsyms lie. The image's are found in the text as it is; those of modules
 * have to be sorted, module by module, once one is looked up.
 */
export class FunctionMap implements FunctionFinder {
  readonly #text: Buffer;
  /** Position in the text at which the modules' part begins. */
  readonly #modulesAt: number;
  readonly #modules: ModuleMap;
  readonly #image: AscendingLines;
  /** The addresses of the image's first function and of its last symbol. */
  readonly #imageStart: number;
  readonly #imageEnd: number;
  readonly #sections = new Map<string, SortedLines>();
  #modulePart: SortedLines | undefined;

  constructor(text: Buffer, modulesAt: number, modules: ModuleMap) {
    this.#text = text;
    this.#modulesAt = modulesAt;
    this.#modules = modules;
    const [first = -1] = functionLines(text, 0, modulesAt);
    this.#image = new AscendingLines(text, Math.max(first, 0), first < 0 ? 0 : modulesAt);
    this.#imageStart = first < 0 ? Number.POSITIVE_INFINITY : addressAt(text, first);
    this.#imageEnd = first < 0 ? Number.NEGATIVE_INFINITY : addressAt(text, startOfLine(text, modulesAt - 1));
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
      const section = this.#ownSection(address) ?? this.modulePart();
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
   * kernel's image, or between two functions of one module. After a module's last function there may be another one by
   * now, and BPF programs (`[bpf]`) and trampolines (`[__builtin__ftrace]`) come and go as they please.
   */
  vouchesFor(address: number): boolean {
    if (this.isInImage(address) || this.#ownSection(address)) return true;
    const part = this.modulePart();
    const last = part.lastPlaceOf(address);
    const [here, next] = [part.lineAt(last), part.lineAt(last + 1)];
    if (here === undefined || next === undefined) return false;
    const { module } = nameAt(this.#text, here);
    return module === nameAt(this.#text, next).module && module !== 'bpf' && !module.startsWith('__builtin__');
  }

  /**
   * Whether the function that {@link lookup} gives may reach as far as the address. What was loaded after the symbols
   * were read has no symbol, and the function before it belongs to something else.
   */
  mayReach(address: number): boolean {
    const found = this.lookup(address);
    if (!found?.module) return this.isInImage(address);
    const distance = address - found.address;
    if (found.module === 'bpf') return distance < MOST_OF_BPF_PROGRAM;
    if (found.module.startsWith('__builtin__')) return distance < PAGE;
    return this.#moduleAt(address)?.name === found.module;
  }

  /** The functions of all modules, ascending. */
  modulePart(): SortedLines {
    this.#modulePart ??= new SortedLines(this.#text, this.#modulesAt, this.#text.length);
    return this.#modulePart;
  }

  /** The line of the function an address lies in, -1 below the first one. */
  #lineOf(address: number): number {
    if (address >= 0) return -1; // a process's
    const own = this.isInImage(address) ? undefined : this.#ownSection(address);
    if (own) return own.lineAt(own.placeOf(address)) ?? -1;
    const image = this.#image.find(address);
    if (this.isInImage(address)) return image;
    const part = this.modulePart();
    const line = part.lineAt(part.placeOf(address));
    if (line === undefined) return image;
    return image < 0 || addressAt(this.#text, line) > addressAt(this.#text, image) ? line : image;
  }

  /**
   * The functions of the module whose code an address lies in; undefined where it is in none, or after its last one.
   */
  #ownSection(address: number): SortedLines | undefined {
    const module = this.#moduleAt(address)?.name;
    if (module === undefined) return undefined;
    let section = this.#sections.get(module);
    if (!section) {
      section = new SortedLines(this.#text, ...linesOfModule(this.#text, this.#modulesAt, module));
      this.#sections.set(module, section);
    }
    return section.encloses(address) ? section : undefined;
  }

  #moduleAt(address: number): LoadedModule | undefined {
    return this.#modules.at(address);
  }

  #functionAt(line: number): KernelFunction {
    return functionAt(this.#text, line);
  }
}

/** The function on a line of the text. */
export function functionAt(text: Buffer, line: number): KernelFunction {
  return { ...nameAt(text, line), address: addressAt(text, line) };
}
