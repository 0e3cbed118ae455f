import { readFileSync } from 'node:fs';
import { normaliseSymbol } from '../census/symbol-name.ts';

/** A function of the running kernel. */
export interface KernelFunction {
  readonly name: string;
  /** As a signed number: the distance below 2^64, exact in a double for every kernel address. */
  readonly address: number;
  /** Module it lives in, '' for the kernel image. */
  readonly module: string;
}

interface Columns {
  /** Ascending. */
  readonly addresses: Float64Array;
  /** Where the name begins in the text, by position in `addresses`. */
  readonly names: Uint32Array;
}

const NEWLINE = 10;
const TAB = 9;
const BRACKET = 91;

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

/**
 * The functions of the running kernel and its modules, from /proc/kallsyms.
 *
 * Holds the file's bytes; to find a function by name they are searched as they are, and only looking addresses up
 * makes sorted columns of them. Names become strings when asked for. `__pfx_*` (padding before functions, half of the
 * symbols of a 6.12) are left out.
 */
export class Kallsyms {
  readonly #text: Buffer;
  #columns: Columns | undefined;

  constructor(text: Buffer) {
    this.#text = text;
  }

  /** The running kernel's symbols. */
  static read(): Kallsyms {
    return new Kallsyms(readFileSync('/proc/kallsyms'));
  }

  /** Whether the kernel shows addresses; it prints zeros to those who may not see them (kernel.kptr_restrict). */
  get hasAddresses(): boolean {
    const first = this.#text.indexOf(' _stext\n');
    return first < 0 || parseAddress(this.#text, first - 18) !== 0;
  }

  /** How many functions there are. */
  get size(): number {
    return this.#sorted().addresses.length;
  }

  /** The function of this position, in ascending order of addresses. */
  at(position: number): KernelFunction {
    const { addresses, names } = this.#sorted();
    return { ...this.#nameAt(names[position] as number), address: addresses[position] as number };
  }

  *[Symbol.iterator](): Generator<KernelFunction> {
    for (let i = 0; i < this.size; i++) yield this.at(i);
  }

  /** Every function of exactly this name. */
  named(name: string): KernelFunction[] {
    const found: KernelFunction[] = [];
    const text = this.#text;
    const wanted = Buffer.from(` ${name}`, 'latin1');
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
      const after = text[at + wanted.length];
      if (after !== undefined && after !== NEWLINE && after !== TAB) continue;
      const line = at - 18; // 16 digits, space, type, space
      if (!isText(text, line)) continue;
      found.push({ ...this.#nameAt(at + 1), address: parseAddress(text, line) });
    }
    return found;
  }

  /** The copies a compiler made of a function, or of parts of it: `name.isra.0`, `name.constprop.0`, `name.part.0`. */
  copies(name: string): KernelFunction[] {
    const found: KernelFunction[] = [];
    const wanted = Buffer.from(` ${name}.`, 'latin1');
    for (let at = this.#text.indexOf(wanted); at >= 0; at = this.#text.indexOf(wanted, at + 1)) {
      const copy = this.#nameAt(at + 1);
      if (normaliseSymbol(copy.name) === name && isText(this.#text, at - 18)) {
        found.push({ ...copy, address: parseAddress(this.#text, at - 18) });
      }
    }
    return found;
  }

  /** Whether any symbol belongs to this module. */
  hasModule(module: string): boolean {
    return this.#text.includes(`\t[${module}]`);
  }

  /** The normalised name of every function. */
  *names(): Generator<string> {
    for (const { name } of this) yield normaliseSymbol(name);
  }

  /** The function an address lies in, null below the first one. Of several names of one address, the first listed. */
  lookup(address: number): KernelFunction | null {
    const position = this.#positionOf(address);
    return position < 0 ? null : this.at(position);
  }

  /** The function so many places behind the one an address lies in (before it, where negative); null beyond the ends. */
  neighbour(address: number, distance: number): KernelFunction | null {
    const position = this.#positionOf(address) + distance;
    return position < 0 || position >= this.size ? null : this.at(position);
  }

  /** Position of the function an address lies in, negative below the first one. */
  #positionOf(address: number): number {
    const { addresses } = this.#sorted();
    let low = 0;
    let high = addresses.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((addresses[middle] as number) <= address) low = middle + 1;
      else high = middle;
    }
    let position = low - 1;
    while (position > 0 && addresses[position - 1] === addresses[position]) position--;
    return position;
  }

  #sorted(): Columns {
    if (this.#columns) return this.#columns;
    const text = this.#text;
    const addresses: number[] = [];
    const names: number[] = [];
    for (let at = 0; at < text.length; ) {
      let end = text.indexOf(NEWLINE, at);
      if (end < 0) end = text.length;
      if (isText(text, at) && !isPadding(text, at + 19)) {
        addresses.push(parseAddress(text, at));
        names.push(at + 19);
      }
      at = end + 1;
    }
    // The kernel's part is sorted already, and modules follow it: sort positions only where it is needed.
    const order = new Uint32Array(addresses.length);
    for (let i = 0; i < order.length; i++) order[i] = i;
    if (!isAscending(addresses)) order.sort((a, b) => (addresses[a] as number) - (addresses[b] as number) || a - b);
    this.#columns = {
      addresses: Float64Array.from(order, (i) => addresses[i] as number),
      names: Uint32Array.from(order, (i) => names[i] as number),
    };
    return this.#columns;
  }

  #nameAt(at: number): { name: string; module: string } {
    const text = this.#text;
    let nameEnd = at;
    while (nameEnd < text.length && text[nameEnd] !== NEWLINE && text[nameEnd] !== TAB) nameEnd++;
    let module = '';
    if (text[nameEnd] === TAB && text[nameEnd + 1] === BRACKET) {
      const end = text.indexOf(NEWLINE, nameEnd);
      module = text.toString('latin1', nameEnd + 2, (end < 0 ? text.length : end) - 1);
    }
    return { name: text.toString('latin1', at, nameEnd), module };
  }
}

/** Text symbols are t, T, w and W: `ffffffff81000000 T _stext`, with `\t[module]` behind those of modules. */
function isText(text: Buffer, line: number): boolean {
  const type = (text[line + 17] ?? 0) | 0x20;
  return type === 0x74 || type === 0x77;
}

function isPadding(text: Buffer, at: number): boolean {
  // "__pfx_"
  return text[at] === 95 && text[at + 2] === 112 && text[at + 3] === 102 && text[at + 4] === 120 && text[at + 5] === 95;
}

function parseAddress(text: Buffer, at: number): number {
  let high = 0;
  let low = 0;
  for (let i = 0; i < 8; i++) high = (high << 4) | digit(text[at + i] as number);
  for (let i = 8; i < 16; i++) low = (low << 4) | digit(text[at + i] as number);
  return high * 0x1_0000_0000 + (low >>> 0);
}

function digit(character: number): number {
  return character <= 57 ? character - 48 : character - 87;
}

function isAscending(values: readonly number[]): boolean {
  for (let i = 1; i < values.length; i++) if ((values[i] as number) < (values[i - 1] as number)) return false;
  return true;
}
