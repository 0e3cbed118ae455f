import { readFileSync } from 'node:fs';
import { unlessAbsent } from '../sys/read-error.ts';

const MODULES = '/proc/modules';

/** Where a module lies. */
export interface LoadedModule {
  readonly name: string;
  /** As a signed number, like every address of the kernel. */
  readonly base: number;
  /** Bytes of its code and data; the code comes first. */
  readonly size: number;
}

/** Which modules are loaded and where they lie: /proc/modules without what changes while a module is used. */
export class ModuleMap {
  /** A line for each module: `ext4 1142784 Live 0xffffffffc035e000`. Equal listings are the same modules. */
  readonly listing: string;
  #modules: readonly LoadedModule[] | undefined;

  constructor(listing = '') {
    this.listing = listing;
  }

  /**
   * The modules of the running kernel; none where it has none.
   * @throws {UserError} they cannot be read
   */
  static read(): ModuleMap {
    try {
      // ext4 1142784 1 - Live 0xffffffffc035e000: how many use it, and who, may change.
      return new ModuleMap(readFileSync(MODULES, 'latin1').replace(/^(\S+ \d+) \S+ \S+/gm, '$1'));
    } catch (error) {
      unlessAbsent(error, MODULES);
      return new ModuleMap();
    }
  }

  get names(): string[] {
    return this.#all().map(({ name }) => name);
  }

  /** The module whose code or data an address lies in. */
  at(address: number): LoadedModule | undefined {
    let nearest: LoadedModule | undefined;
    for (const module of this.#all()) {
      if (module.base <= address && (nearest === undefined || module.base > nearest.base)) nearest = module;
    }
    return nearest && address < nearest.base + nearest.size ? nearest : undefined;
  }

  #all(): readonly LoadedModule[] {
    this.#modules ??= Array.from(
      this.listing.matchAll(/^(\S+) (\d+) \S+ 0x([0-9a-f]+)/gm),
      ([, name = '', size, base]) => ({
        name,
        base: Number(BigInt.asIntN(64, BigInt(`0x${base}`))),
        size: Number(size),
      }),
    );
    return this.#modules;
  }
}
