import type { FunctionFinder, FunctionMap, KernelFunction } from './function-map.ts';
import { Kallsyms } from './kallsyms.ts';
import { ModuleMap } from './module-map.ts';

/**
 * The kernel's symbols over a run, in which modules and BPF programs may come and go. They are read a second time only
 * where those of before cannot vouch for an address: reading and searching them would take longer than all the rest of
 * a report.
 */
export class RunSymbols implements FunctionFinder {
  readonly #before: Kallsyms;
  readonly #read: () => Kallsyms;
  readonly #loaded: () => ModuleMap;
  #after: Kallsyms | undefined;
  #isUnchanged: boolean | undefined;

  /** To be made when the run is over; `before`: the symbols as they were when it began. */
  constructor(before: Kallsyms, read = () => Kallsyms.read(), loaded = () => ModuleMap.read()) {
    this.#before = before;
    this.#read = read;
    this.#loaded = loaded;
  }

  lookup(address: number): KernelFunction | null {
    return this.#mapOf(address)?.lookup(address) ?? null;
  }

  neighbour(address: number, distance: number): KernelFunction | null {
    return this.#mapOf(address)?.neighbour(address, distance) ?? null;
  }

  /**
   * The symbols that know best about an address. Those of a module that was unloaded during the run are only in what
   * was before, and of one that came and went in neither.
   */
  #mapOf(address: number): FunctionMap | undefined {
    const before = this.#before.map;
    if (before.isInImage(address)) return before;
    this.#isUnchanged ??= this.#loaded().listing === this.#before.modules.listing;
    if (this.#isUnchanged && before.vouchesFor(address)) return before;
    this.#after ??= this.#read();
    const both = [this.#after.map, before];
    return both.find((map) => map.vouchesFor(address)) ?? both.find((map) => map.mayReach(address));
  }
}
