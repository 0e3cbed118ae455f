import { normaliseSymbol } from './symbol-name.ts';

declare const symbolBrand: unique symbol;
/** Index into a {@link SymbolTable}. */
export type SymbolId = number & { readonly [symbolBrand]: 'symbol' };

/**
 * Where a symbol lives: the kernel (with its modules), a user program, or nowhere. A `marker` is no function but a
 * boundary that the source of the stack printed between two contexts, such as the `</IRQ>` of a kernel log.
 */
export type SymbolSpace = 'kernel' | 'user' | 'marker';

/**
 * Interned symbols. Two symbols are the same when raw name, module, space and place in the source are; functions that
 * differ only in compiler suffixes stay apart here and meet in their normalised name.
 */
export class SymbolTable {
  /** Normalised names, by id. */
  readonly #names: string[] = [];
  /** Names as the source printed them, by id. */
  readonly #raws: string[] = [];
  /** Kernel module without brackets, '' for the kernel image; for user symbols the file they come from. */
  readonly #modules: string[] = [];
  readonly #spaces: SymbolSpace[] = [];
  readonly #files: string[] = [];
  readonly #lines: number[] = [];
  readonly #ids = new Map<string, SymbolId>();

  /** How many symbols there are; ids run from 0 to size - 1. */
  get size(): number {
    return this.#raws.length;
  }

  /**
   * `file`: the source file, where the name alone does not tell it but whoever recorded the stack does; `line`: the line
   * in it where the function was, 0 where nobody says.
   */
  intern(raw: string, module = '', space: SymbolSpace = 'kernel', file = '', line = 0): SymbolId {
    // The lengths keep names apart that hold the separator themselves.
    const key = `${raw}\0${module}\0${space}\0${file}\0${line}\0${raw.length}\0${module.length}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#raws.length as SymbolId;
    this.#ids.set(key, id);
    this.#raws.push(raw);
    this.#names.push(space === 'kernel' ? normaliseSymbol(raw) : raw);
    this.#modules.push(module);
    this.#spaces.push(space);
    this.#files.push(file);
    this.#lines.push(line);
    return id;
  }

  /** The normalised name. */
  name(id: SymbolId): string {
    return at(this.#names, id);
  }

  /** The name as the source printed it. */
  raw(id: SymbolId): string {
    return at(this.#raws, id);
  }

  /** The module in which the symbol lives ('' for the kernel image), or a user symbol's file. */
  module(id: SymbolId): string {
    return at(this.#modules, id);
  }

  space(id: SymbolId): SymbolSpace {
    return at(this.#spaces, id);
  }

  /** The kernel source file that defines the function, '' where nobody said: names mostly tell it. */
  file(id: SymbolId): string {
    return at(this.#files, id);
  }

  /** The line of {@link file} where the function was when the stack was taken, 0 where nobody said. */
  line(id: SymbolId): number {
    return at(this.#lines, id);
  }
}

function at<T>(column: readonly T[], id: number): T {
  const value = column[id];
  if (value === undefined) throw new RangeError(`no symbol ${id}`);
  return value;
}
