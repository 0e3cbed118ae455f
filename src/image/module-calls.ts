import { type CallKind, KIND_OF_BRANCH } from './direct-calls.ts';
import { EM_X86_64, elfMachine } from './elf.ts';
import { FunctionTable } from './function-table.ts';
import {
  type ElfSection,
  elfSections,
  readAddress,
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHT_RELA,
  SHT_SYMTAB,
  stringAt,
} from './kernel-elf.ts';
import { BRANCH, stepX86, type X86Instruction } from './x86-length.ts';

/** A place in a module's code that calls, jumps to or takes the address of a function. */
export interface ModulePlace {
  /** The function it lies in, as the module names it. */
  readonly function: string;
  /** Bytes from that function's start. */
  readonly offset: number;
  /** Of the instruction. */
  readonly length: number;
  /** The function that is reached: of this module, of the kernel or another module; '' through a pointer. */
  readonly target: string;
  readonly kind: CallKind;
  /** The module takes the function from elsewhere. */
  readonly isExternal: boolean;
}

/** A place in a module's data that holds the address of a function. */
export interface ModuleHolder {
  readonly object: string;
  readonly offset: number;
  readonly target: string;
}

export interface ModuleCalls {
  readonly places: readonly ModulePlace[];
  readonly holders: readonly ModuleHolder[];
  /** Names of its functions. */
  readonly functions: readonly string[];
}

const STT_OBJECT = 1;
const STT_FUNC = 2;
const STT_SECTION = 3;
const SYMBOL = 24;
const RELA = 24;
const R_X86_64_64 = 1;
const R_X86_64_32S = 11;
const R_AARCH64_ABS64 = 257;
const R_AARCH64_ADR_PREL_PG_HI21 = 275;
const R_AARCH64_JUMP26 = 282;
const R_AARCH64_CALL26 = 283;

/** Sections that list code for tools of the kernel; nobody calls through them. */
const LISTS = /mcount|orc|altinstr|return_sites|retpoline|call_sites|ibt_endbr|static_call|parainstr|bug|ex_table|jump/;
const MORE_LISTS = /smp_locks|ksymtab|discard|export|gnu\.linkonce|kprobe_blacklist|error_injection|note|modinfo/;

interface ModuleSymbol {
  readonly name: string;
  readonly type: number;
  readonly section: number;
  readonly value: number;
}

/**
 * What a kernel module (.ko, decompressed) calls: relocations name what lies elsewhere, within a section branches are
 * already resolved.
 *
 * @param wanted which targets are of interest
 * @throws {UserError} it is no ELF file, or damaged
 */
export function moduleCalls(file: Buffer, what: string, wanted: (name: string) => boolean): ModuleCalls {
  const sections = elfSections(file, what);
  const symbols = symbolsOf(sections);
  const tables = new Map<number, FunctionTable>();
  const tableOf = (section: number): FunctionTable => {
    let table = tables.get(section);
    if (!table) {
      table = new FunctionTable(functionsIn(section, symbols, sections));
      tables.set(section, table);
    }
    return table;
  };
  const places: ModulePlace[] = [];
  const holders: ModuleHolder[] = [];
  const functions: string[] = [];
  const relocations = new Map<number, ElfSection>();
  for (const section of sections) if (section.type === SHT_RELA) relocations.set(section.info, section);
  const targetOf = ({ name, type, section, value }: ModuleSymbol, addend: number): string | undefined => {
    if (section === 0) return name;
    if (((sections[section]?.flags ?? 0) & SHF_EXECINSTR) === 0) return undefined;
    const table = tableOf(section);
    const address = type === STT_SECTION ? addend : value + addend;
    const index = table.at(address);
    return index >= 0 && table.address(index) === address ? table.name(index) : undefined;
  };
  for (const section of sections) {
    if ((section.flags & SHF_ALLOC) === 0) continue;
    const entries = relaOf(relocations.get(section.index), symbols);
    if (section.flags & SHF_EXECINSTR) {
      const table = tableOf(section.index);
      for (let i = 0; i < table.size; i++) functions.push(...table.names(i));
      const walk = elfMachine(file) === EM_X86_64 ? walkX86 : walkArm64;
      walk(section, table, entries, (at, length, symbol, addend, kind) => {
        const local = typeof symbol === 'string';
        const target = local ? symbol : targetOf(symbol, addend);
        if (target === undefined || !wanted(target)) return;
        const holder = table.at(at);
        if (kind === 'jump' && table.names(holder).includes(target)) return;
        places.push({
          function: table.name(holder),
          offset: at - (holder < 0 ? 0 : table.address(holder)),
          length,
          target,
          kind,
          isExternal: !local && symbol.section === 0,
        });
      });
    } else if (!LISTS.test(section.name) && !MORE_LISTS.test(section.name)) {
      const objects = symbols
        .filter(({ type, section: own }) => own === section.index && type === STT_OBJECT)
        .sort((a, b) => a.value - b.value);
      for (const [at, { symbol, addend, type }] of entries) {
        if (type !== R_X86_64_64 && type !== R_AARCH64_ABS64) continue;
        const target = targetOf(symbol, addend);
        if (target === undefined || !wanted(target) || (symbol.section === 0 && symbol.type === STT_OBJECT)) continue;
        const object = objects.findLast(({ value }) => value <= at);
        holders.push({ object: object?.name ?? section.name, offset: at - (object?.value ?? 0), target });
      }
    }
  }
  return { places, holders, functions };
}

/** Whether a module's file speaks of a function at all: cheaper to ask first. */
export function mentions(file: Buffer, name: string): boolean {
  return file.includes(`\0${name}\0`, 0, 'latin1');
}

function symbolsOf(sections: readonly ElfSection[]): ModuleSymbol[] {
  const table = sections.find(({ type }) => type === SHT_SYMTAB);
  const strings = table && sections[table.link]?.bytes;
  if (!table || !strings) return [];
  const symbols: ModuleSymbol[] = [];
  for (let at = 0; at + SYMBOL <= table.bytes.length; at += SYMBOL) {
    symbols.push({
      name: stringAt(strings, table.bytes.readUInt32LE(at)),
      type: (table.bytes[at + 4] ?? 0) & 15,
      section: table.bytes.readUInt16LE(at + 6),
      value: readAddress(table.bytes, at + 8),
    });
  }
  return symbols;
}

function functionsIn(
  section: number,
  symbols: readonly ModuleSymbol[],
  sections: readonly ElfSection[],
): { name: string; address: number }[] {
  const size = sections[section]?.size ?? 0;
  return symbols
    .filter(({ section: own, type, value, name }) => {
      const isCode = type === STT_FUNC || type === 0;
      return own === section && isCode && value < size && !name.startsWith('__UNIQUE_ID');
    })
    .sort((a, b) => b.type - a.type)
    .map(({ name, value }) => ({ name, address: value }));
}

interface Relocation {
  readonly symbol: ModuleSymbol;
  readonly addend: number;
  readonly type: number;
}

/** Relocations by the place they change. */
function relaOf(section: ElfSection | undefined, symbols: readonly ModuleSymbol[]): Map<number, Relocation> {
  const found = new Map<number, Relocation>();
  const bytes = section?.bytes;
  for (let at = 0; bytes && at + RELA <= bytes.length; at += RELA) {
    const symbol = symbols[bytes.readUInt32LE(at + 12)];
    if (!symbol) continue;
    const place = readAddress(bytes, at);
    found.set(place, { symbol, addend: readAddress(bytes, at + 16), type: bytes.readUInt32LE(at + 8) });
  }
  return found;
}

/** In place of the name of what a pointer leads to. */
const UNKNOWN = '';

type Take = (at: number, length: number, target: ModuleSymbol | string, addend: number, kind: CallKind) => void;

function walkX86({ bytes }: ElfSection, table: FunctionTable, rela: ReadonlyMap<number, Relocation>, take: Take): void {
  const found: X86Instruction = { branch: BRANCH.none, displacement: 0, field: 0 };
  let next = 0;
  for (let at = 0; at < bytes.length; ) {
    while (next < table.size && table.address(next) <= at) next++;
    const limit = next < table.size ? Math.min(table.address(next), bytes.length) : bytes.length;
    const length = stepX86(bytes, at, bytes.length, found);
    if (length === 0 || at + length > limit) {
      at = length === 0 ? at + 1 : limit;
      continue;
    }
    const kind = KIND_OF_BRANCH[found.branch] ?? null;
    if (kind === 'pointer call' || kind === 'pointer jump') take(at, length, UNKNOWN, 0, kind);
    else if (kind) {
      const relocation = found.field < 0 ? undefined : rela.get(found.field);
      if (relocation) take(at, length, relocation.symbol, relocation.addend + length - (found.field - at), kind);
      else {
        const to = at + length + found.displacement;
        const index = table.at(to);
        if (index >= 0 && table.address(index) === to) take(at, length, table.name(index), 0, kind);
      }
    }
    at += length;
  }
  // Addresses that stand in instructions as they are.
  for (const [at, { symbol, addend, type }] of rela) if (type === R_X86_64_32S) take(at, 4, symbol, addend, 'address');
}

function walkArm64(
  { bytes }: ElfSection,
  table: FunctionTable,
  rela: ReadonlyMap<number, Relocation>,
  take: Take,
): void {
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const relocation = rela.get(at);
    if (relocation) {
      const { symbol, addend, type } = relocation;
      if (type === R_AARCH64_CALL26) take(at, 4, symbol, addend, 'call');
      else if (type === R_AARCH64_JUMP26) take(at, 4, symbol, addend, 'jump');
      else if (type === R_AARCH64_ADR_PREL_PG_HI21) take(at, 4, symbol, addend, 'address');
      continue;
    }
    const word = bytes.readUInt32LE(at);
    const pointer = (word & 0xfffffc1f) >>> 0;
    if (pointer === 0xd63f0000 || pointer === 0xd61f0000) {
      take(at, 4, UNKNOWN, 0, pointer === 0xd63f0000 ? 'pointer call' : 'pointer jump');
    }
    const opcode = word >>> 26;
    if (opcode !== 0x25 && opcode !== 0x05) continue;
    const to = at + ((word << 6) >> 4);
    const index = table.at(to);
    if (index >= 0 && table.address(index) === to) take(at, 4, table.name(index), 0, opcode === 0x25 ? 'call' : 'jump');
  }
}
