import { type FunctionFinder, Kallsyms, type KernelFunction, loadedModules } from './kallsyms.ts';

/**
 * The kernel's symbols over a run, in which modules and programs of BPF may come and go. They are read a second time only
 * where those of before cannot vouch for an address: reading and searching them would take longer than all the rest of a
 * report.
 */
export class RunSymbols implements FunctionFinder {
  readonly #before: Kallsyms;
  readonly #read: () => Kallsyms;
  readonly #loaded: () => string;
  #after: Kallsyms | undefined;
  #isUnchanged: boolean | undefined;

  /** To be made when the run is over; `before`: the symbols as they were when it began. */
  constructor(before: Kallsyms, read = () => Kallsyms.read(), loaded = loadedModules) {
    this.#before = before;
    this.#read = read;
    this.#loaded = loaded;
  }

  lookup(address: number): KernelFunction | null {
    return this.#listing(address)?.lookup(address) ?? null;
  }

  neighbour(address: number, distance: number): KernelFunction | null {
    return this.#listing(address)?.neighbour(address, distance) ?? null;
  }

  /**
   * The symbols that know best about an address. Those of a module that was unloaded during the run are only in what was
   * before, and of one that came and went in neither.
   */
  #listing(address: number): Kallsyms | undefined {
    const before = this.#before;
    if (before.isInImage(address)) return before;
    this.#isUnchanged ??= this.#loaded() === before.modules;
    if (this.#isUnchanged && before.vouchesFor(address)) return before;
    this.#after ??= this.#read();
    const both = [this.#after, before];
    return both.find((listing) => listing.vouchesFor(address)) ?? both.find((listing) => listing.mayReach(address));
  }
}
