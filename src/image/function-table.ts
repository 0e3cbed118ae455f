import { normaliseSymbol } from '../census/symbol-name.ts';
import type { Starts } from './direct-calls.ts';

/** A symbol with its address, as {@link FunctionTable} takes it. */
export interface AddressedSymbol {
  readonly name: string;
  readonly address: number;
}

/** What linkers and compilers put beside functions and is none: padding before one, its type's hash. */
const NO_FUNCTION = /^(?:__pfx_|__cfi_|\.L|\$[xd])/;

/** The functions of a kernel image or module by address and by name. Several names of one address are one function. */
export class FunctionTable implements Starts {
  readonly addresses: Float64Array;
  /** By index; the first is the one that stacks show. */
  readonly #names: string[][] = [];
  readonly #byName = new Map<string, number[]>();

  constructor(symbols: Iterable<AddressedSymbol>) {
    const functions = [...symbols].filter(({ name }) => name !== '' && !NO_FUNCTION.test(name));
    // Stable: of one address the order of the symbols stays.
    functions.sort((a, b) => a.address - b.address);
    const addresses: number[] = [];
    for (const { name, address } of functions) {
      if (addresses.at(-1) !== address) {
        addresses.push(address);
        this.#names.push([]);
      }
      this.#names.at(-1)?.push(name);
    }
    this.addresses = Float64Array.from(addresses);
    for (const [index, names] of this.#names.entries()) {
      for (const name of new Set(names.flatMap((one) => [one, normaliseSymbol(one)]))) {
        const known = this.#byName.get(name);
        if (known) known.push(index);
        else this.#byName.set(name, [index]);
      }
    }
  }

  get size(): number {
    return this.addresses.length;
  }

  at(address: number): number {
    const { addresses } = this;
    let low = 0;
    let high = addresses.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((addresses[middle] as number) <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The name of a function as the image has it, with what the compiler appended. */
  name(index: number): string {
    return this.#names[index]?.[0] ?? '';
  }

  /** All names of a function. */
  names(index: number): readonly string[] {
    return this.#names[index] ?? [];
  }

  address(index: number): number {
    return this.addresses[index] ?? Number.NaN;
  }

  /** The functions of this name, and the copies the compiler made of one (`f.constprop.0`). */
  named(name: string): readonly number[] {
    return this.#byName.get(name) ?? [];
  }
}
