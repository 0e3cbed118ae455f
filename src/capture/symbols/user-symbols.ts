import { readdirSync, readFileSync } from 'node:fs';
import { debugFileOf } from '../../image/debug-file.ts';
import { type ElfFile, type ElfFunction, readElf } from '../../image/elf.ts';
import { type Mapping, ProcessMappings } from './process-mappings.ts';

/** Where an address of a process lies. */
export interface UserPlace {
  /** Function, or the address where none is known. */
  readonly name: string;
  /** The file, '' where unknown. */
  readonly file: string;
  /** Bytes from the start of the function; -1 where unknown. */
  readonly offset: number;
}

/** The executable mappings of files in the text of a /proc/PID/maps. */
export function parseMaps(text: string): Mapping[] {
  const mappings: Mapping[] = [];
  for (const line of text.split('\n')) {
    // 55d0c6a00000-55d0c6a21000 r-xp 00002000 fe:01 1234   /usr/bin/my program
    const found = /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) \S+ \d+\s+(.+)$/.exec(line);
    if (!found) continue;
    const [, start = '', end = '', offset = '', path = ''] = found;
    mappings.push({
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16),
      offset: Number.parseInt(offset, 16),
      path,
    });
  }
  return mappings;
}

/** The name of every address that lies in no file of its process, or whose process is not known. */
export const UNKNOWN_CODE = '[unknown]';

/** Names the user part of stacks. Processes have to be looked at while they live: {@link remember}. */
export class UserSymbols {
  /** Stripped files in which an address was looked up and found no name. */
  readonly stripped = new Set<string>();
  /** Also what lay there before a process executed another file. */
  readonly #mappings = new ProcessMappings();
  /**
   * Processes that were forked while their mappings were watched, with their parents: they began with what those had
   * mapped.
   */
  readonly #parents = new Map<number, number>();
  /** Processes whose mappings were read, or could not be. */
  readonly #read = new Set<number>();
  readonly #files = new Map<string, SortedElf | null>();

  /** Keeps the mappings of a process as they are now. */
  remember(pid: number): void {
    this.#read.add(pid);
    try {
      for (const mapping of parseMaps(readFileSync(`/proc/${pid}/maps`, 'utf8'))) this.#mappings.add(pid, mapping);
    } catch {
      // ended meanwhile
    }
  }

  /** {@link remember} for a process and everything it started. */
  rememberFamily(pid: number): void {
    this.remember(pid);
    try {
      for (const task of readdirSync(`/proc/${pid}/task`)) {
        const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
        for (const child of children.split(' ')) if (child !== '') this.rememberFamily(Number(child));
      }
    } catch {
      // ended meanwhile
    }
  }

  /** A process has mapped a file to run code from it. */
  mapped(pid: number, mapping: Mapping): void {
    if (!/^(?:\/(?!\/)|\[)/.test(mapping.path)) return; // no file: `//anon`
    this.#mappings.add(pid, mapping);
  }

  /** A process has made another. */
  forked(pid: number, parent: number): void {
    // Numbers are used again: what an older process had mapped is not this one's.
    if (this.#parents.has(pid)) this.#mappings.forget(pid);
    // It may be gone when its children's addresses are looked up.
    if (!this.#parents.has(parent) && !this.#read.has(parent)) this.remember(parent);
    this.#parents.set(pid, parent);
  }

  /**
   * The function an address of a process lies in. A return address belongs to the call before it: to the byte before,
   * or a call that ends a function would be its successor's.
   */
  locate(pid: number, address: number, isReturn = false): UserPlace {
    const inside = isReturn ? address - 1 : address;
    const mapping = this.#mappingOf(pid, inside);
    if (!mapping) return { name: UNKNOWN_CODE, file: '', offset: -1 };
    const { path: file } = mapping;
    const fileOffset = inside - mapping.start + mapping.offset;
    const elf = this.#file(file);
    const found = elf?.locate(fileOffset);
    if (found) return { name: found.name, file, offset: found.offset + address - inside };
    if (elf?.isStripped) this.stripped.add(file);
    // Stripped code: its place in the file, which is the same in every process and what addr2line(1) takes.
    const place = (elf?.addressOf(fileOffset) ?? fileOffset) + address - inside;
    return { name: `0x${place.toString(16)} in ${file.slice(file.lastIndexOf('/') + 1)}`, file, offset: -1 };
  }

  #mappingOf(pid: number, address: number): Mapping | undefined {
    const seen = new Set<number>();
    for (let of: number | undefined = pid; of !== undefined && !seen.has(of); of = this.#parents.get(of)) {
      seen.add(of);
      const found = this.#mappings.find(of, address);
      if (found) return found;
      // A process older than the watch is asked once; one that is gone stays gone.
      if (this.#parents.has(of) || this.#read.has(of)) continue;
      this.remember(of);
      const late = this.#mappings.find(of, address);
      if (late) return late;
    }
    return undefined;
  }

  #file(path: string): SortedElf | null {
    let file = this.#files.get(path);
    if (file === undefined) {
      try {
        file = sortedElf(path);
      } catch {
        file = null; // [vdso], a deleted file, not ELF
      }
      this.#files.set(path, file);
    }
    return file;
  }
}

/** With the names of a package with debug symbols, where one is installed and the file has lost its own. */
function sortedElf(path: string): SortedElf {
  const elf = readElf(path);
  const debug = elf.isStripped ? debugFileOf(path) : undefined;
  return new SortedElf(debug === undefined ? elf : { ...readElf(debug), segments: elf.segments });
}

class SortedElf {
  readonly isStripped: boolean;
  readonly #functions: ElfFunction[];
  readonly #segments: ElfFile['segments'];

  constructor({ functions, segments, isStripped }: ElfFile) {
    this.isStripped = isStripped;
    this.#functions = functions.toSorted((a, b) => a.address - b.address);
    this.#segments = segments;
  }

  /** The address as linked of a byte of the file, null where it is not loaded. */
  addressOf(fileOffset: number): number | null {
    const segment = this.#segments.find((s) => fileOffset >= s.offset && fileOffset < s.offset + s.size);
    return segment ? fileOffset - segment.offset + segment.address : null;
  }

  locate(fileOffset: number): { name: string; offset: number } | null {
    const address = this.addressOf(fileOffset);
    if (address === null) return null;
    let low = 0;
    let high = this.#functions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#functions[middle]?.address ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.#functions[low - 1];
    // Hand-written functions have size 0; others end where they say.
    if (!found || (found.size > 0 && address >= found.address + found.size)) return null;
    return { name: found.name, offset: address - found.address };
  }
}
