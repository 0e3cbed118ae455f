import { join } from 'node:path';
import { toUnsigned } from '../symbols/address.ts';
import type { Kallsyms } from '../symbols/kallsyms.ts';
import { has } from '../sys/features.ts';
import { readLine } from '../sys/kernel.ts';
import { allocate } from '../sys/native.ts';
import { CODE_TABLE, CODE_TABLE_SIZE, type OrcFormat } from './frame-rules.ts';
import { readKernelMemory } from './read-kernel.ts';

/** More modules than this have never been seen; the stacks of those beyond are left to the kernel. */
const MOST_TABLES = 512;

/** Since Linux 6.4 the image has a hash of the layout of its tables (`.orc_header`). */
const HEADER_BYTES = 20;
const FORMATS: Readonly<Record<string, OrcFormat>> = {
  // Read on 6.12 and 6.18. From 7.1 on there is another one (137c36ad…), where registers have other numbers.
  fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24: '3-bit',
};

/** Where one piece of code keeps what the kernel's unwinder (ORC) has to know about it. */
export interface CodeTable {
  /** Where the code starts. */
  readonly start: bigint;
  /** Address of the table of code addresses, 4 bytes each and relative to where they stand. */
  readonly addresses: bigint;
  /** Address of the table of `struct orc_entry`, 6 bytes each. */
  readonly entries: bigint;
  readonly count: number;
}

/** The ORC tables of a kernel. */
export interface OrcTables {
  readonly format: OrcFormat;
  /** Ascending by the start of the code. */
  readonly tables: readonly CodeTable[];
}

/**
 * The ORC tables of the running kernel. null where it unwinds without, or where BPF programs cannot read them;
 * `unknown` where it has some of a layout that is not known here.
 */
export function orcTables(kallsyms: Kallsyms): OrcTables | 'unknown' | null {
  const kernel = kernelTable(kallsyms);
  if (!kernel) return null;
  const format = orcFormat(kallsyms);
  if (format === null || format === 'unknown') return format;
  const tables = [kernel, ...moduleTables(kallsyms.modules.names)];
  return { format, tables: tables.sort((a, b) => (a.start < b.start ? -1 : 1)).slice(0, MOST_TABLES) };
}

/** The entries of one table of code, as the program reads them. */
export function encodeCodeTable({ start, addresses, entries, count }: CodeTable): Buffer {
  const value = allocate(CODE_TABLE_SIZE);
  value.writeBigUInt64LE(start, CODE_TABLE.start);
  value.writeBigUInt64LE(addresses, CODE_TABLE.addresses);
  value.writeBigUInt64LE(entries, CODE_TABLE.entries);
  value.writeBigUInt64LE(BigInt(count), CODE_TABLE.count);
  return value;
}

/** How the tables are laid out; null where BPF programs cannot read them. */
function orcFormat(kallsyms: Kallsyms): OrcFormat | 'unknown' | null {
  const header = kallsyms.addressOf('__start_orc_header');
  // Without a header 6.3 had a layout between the two.
  if (header === null) {
    if (!has('kernel reads')) return null;
    return has('ORC signal bit') ? 'unknown' : '2-bit';
  }
  const hash = readKernelMemory(toUnsigned(header), HEADER_BYTES)?.toString('hex');
  return hash === undefined ? null : (FORMATS[hash] ?? 'unknown');
}

function kernelTable(kallsyms: Kallsyms): CodeTable | null {
  const at = (name: string) => {
    const address = kallsyms.addressOf(name);
    return address === null ? null : toUnsigned(address);
  };
  const start = at('_stext');
  const addresses = at('__start_orc_unwind_ip');
  const end = at('__stop_orc_unwind_ip');
  const entries = at('__start_orc_unwind');
  if (start === null || addresses === null || end === null || entries === null) return null;
  return { start, addresses, entries, count: Number((end - addresses) / 4n) };
}

/**
 * The tables of modules, by the places of their sections, which only root may see. How many entries there are is not
 * said; one table follows right upon the other, and a module where that is not so is left out.
 */
function* moduleTables(loaded: readonly string[]): Generator<CodeTable> {
  // Not every directory of /sys/module: most are of what is built in, and have no sections.
  for (const module of loaded) {
    const address = (section: string) => {
      const text = readLine(join('/sys/module', module, 'sections', section));
      return text === null || !/^0x[0-9a-f]+$/.test(text) ? 0n : BigInt(text);
    };
    const entries = address('.orc_unwind');
    const addresses = entries && address('.orc_unwind_ip');
    const start = addresses && address('.text');
    const bytes = Number(addresses - entries);
    if (start > 0n && bytes > 0 && bytes % 6 === 0 && bytes < 1e8)
      yield { start, addresses, entries, count: bytes / 6 };
  }
}
