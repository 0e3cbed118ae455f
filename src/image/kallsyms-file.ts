import { readFileSync } from 'node:fs';
import { messageOf, UserError } from '../errors.ts';
import { lastUpTo } from './ascending.ts';

/** A function found by address. */
export interface FoundFunction {
  /** As kallsyms has it. */
  readonly name: string;
  /** '' for the kernel image. */
  readonly module: string;
  readonly offset: number;
}

/** Functions by address. */
export interface AddressNames {
  /** null below the first function, or beyond the last one's end. */
  lookup(address: number): FoundFunction | null;
  /** The address of a symbol; null where there is none. */
  addressOf(name: string): number | null;
}

/** A line of /proc/kallsyms: `ffffffff81000000 T _stext\t[module]`. */
const LINE = /^([0-9a-f]{16}) ([a-zA-Z]) ([^\t\n]+)(?:\t\[([^\]\n]+)\])?$/;
/** No function is longer than this after the last symbol. */
const LONGEST = 1 << 20;

/**
 * Functions of a copy of /proc/kallsyms.
 *
 * @throws {UserError} it cannot be read, or holds no addresses (the kernel hides them from all but root)
 */
export function readKallsymsFile(path: string): AddressNames {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  return kallsymsNames(text, path);
}

/** {@link readKallsymsFile} of a text. */
export function kallsymsNames(text: string, what: string): AddressNames {
  const functions: { address: number; name: string; module: string }[] = [];
  const others = new Map<string, number>();
  let isHidden = false;
  for (const line of text.split('\n')) {
    const [, digits = '', type = '', name = '', module = ''] = LINE.exec(line) ?? [];
    if (digits === '' || name.startsWith('__pfx_')) continue;
    const address = Number(BigInt.asIntN(64, BigInt(`0x${digits}`)));
    if (/[tTwW]/.test(type)) {
      if (address === 0) isHidden = true;
      else functions.push({ address, name, module });
    }
    if (module === '' && !others.has(name)) others.set(name, address);
  }
  if (functions.length === 0) {
    throw new UserError(
      isHidden
        ? `${what} holds no addresses: the kernel shows them to root only`
        : `${what} is no copy of /proc/kallsyms`,
    );
  }
  functions.sort((a, b) => a.address - b.address);
  return {
    lookup: (address) => {
      const found = functions[lastUpTo(address, functions.length, (i) => functions[i]?.address ?? 0)];
      if (!found || address - found.address > LONGEST) return null;
      return { name: found.name, module: found.module, offset: address - found.address };
    },
    addressOf: (name) => others.get(name) ?? null,
  };
}
