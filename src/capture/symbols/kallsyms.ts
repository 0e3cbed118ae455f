import { readFileSync } from 'node:fs';
import { normaliseSymbol } from '../../census/symbol-name.ts';
import { cannotRead } from '../sys/read-error.ts';
import { readWholeAside } from '../sys/whole-file.ts';
import { FunctionMap, functionAt, type KernelFunction } from './function-map.ts';
import { addressAt, endsName, functionLines, linesEnding, linesNamed, startOfModules } from './kallsyms-text.ts';
import { ModuleMap } from './module-map.ts';

const KALLSYMS = '/proc/kallsyms';

/** What is being read before it is asked for. */
let ahead: Promise<Kallsyms> | undefined;

/** Begins to read the running kernel's symbols while other things are done, for {@link Kallsyms.readAside}. */
export function readKallsymsAhead(): void {
  ahead = Kallsyms.readAside();
  ahead.catch(() => {}); // said when it is asked for
}

/**
 * The functions of the running kernel and its modules, as /proc/kallsyms lists them. `__pfx_*` are left out.
 *
 * Holds the file's bytes, hundreds of thousands of lines, and searches them as they are; names become strings when
 * asked for.
 */
export class Kallsyms {
  /** The loaded modules, as they were right before the symbols were read. */
  readonly modules: ModuleMap;
  /** Where the functions lie. */
  readonly map: FunctionMap;
  readonly #text: Buffer;
  readonly #modulesAt: number;
  #initialCode: { readonly start: number; readonly end: number } | undefined;

  constructor(text: Buffer, modules = new ModuleMap()) {
    this.#text = text;
    this.modules = modules;
    this.#modulesAt = startOfModules(text);
    this.map = new FunctionMap(text, this.#modulesAt, modules);
  }

  /**
   * The running kernel's symbols.
   * @throws {UserError} they cannot be read
   */
  static read(): Kallsyms {
    const modules = ModuleMap.read();
    return new Kallsyms(readSymbols(), modules);
  }

  /** The same, read on another thread: the kernel gives the file a page at a time, some two thousand of them. */
  static async readAside(): Promise<Kallsyms> {
    if (ahead) {
      const reading = ahead;
      ahead = undefined;
      return reading;
    }
    const modules = ModuleMap.read();
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
    return image + this.map.modulePart().length;
  }

  /** The kernel image's functions, then those of modules, ascending. */
  *[Symbol.iterator](): Generator<KernelFunction> {
    for (const line of functionLines(this.#text, 0, this.#modulesAt)) yield functionAt(this.#text, line);
    const modules = this.map.modulePart();
    for (let place = 0; place < modules.length; place++) yield functionAt(this.#text, modules.lineAt(place) ?? 0);
  }

  /** Every function of exactly this name. */
  named(name: string): KernelFunction[] {
    return this.#functionsAt(linesNamed(this.#text, name, endsName));
  }

  /** The address of any kind of symbol of the kernel image, data too; null where there is none of this name. */
  addressOf(name: string): number | null {
    const at = this.#text.indexOf(` ${name}\n`, 0, 'latin1');
    return at < 18 ? null : addressAt(this.#text, at - 18);
  }

  /** The copies a compiler made of a function, or of parts of it: `name.isra.0`, `name.constprop.0`, `name.part.0`. */
  copies(name: string): KernelFunction[] {
    const copies = this.#functionsAt(linesNamed(this.#text, `${name}.`, () => true));
    return copies.filter((copy) => normaliseSymbol(copy.name) === name);
  }

  /** The functions that make up a system call, by the name they share: `sys_clone`; no function is called so itself. */
  systemCall(name: string): KernelFunction[] {
    const [, call] = /^((?:compat_)?sys_\w+)$/.exec(name) ?? [];
    if (call === undefined) return [];
    return this.#functionsAt(linesEnding(this.#text, `_${call}`)).filter((one) => normaliseSymbol(one.name) === name);
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

  #functionsAt(lines: Iterable<number>): KernelFunction[] {
    return Array.from(lines, (line) => functionAt(this.#text, line));
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
