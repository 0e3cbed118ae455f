import { readdirSync, readFileSync } from 'node:fs';
import { type ElfFile, type ElfFunction, readElf } from './elf.ts';

/** One executable mapping of a process, as /proc/PID/maps has it. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  /** Byte offset in the file that `start` shows. */
  readonly offset: number;
  readonly path: string;
}

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

/** Names the user part of stacks. Processes have to be looked at while they live: {@link remember}. */
export class UserSymbols {
  readonly #mappings = new Map<number, Mapping[]>();
  readonly #files = new Map<string, SortedElf | null>();

  /** Keeps the mappings of a process as they are now, and of everything it started. */
  remember(pid: number): void {
    try {
      const mappings = parseMaps(readFileSync(`/proc/${pid}/maps`, 'utf8'));
      if (mappings.length > 0) this.#mappings.set(pid, mappings);
      for (const task of readdirSync(`/proc/${pid}/task`)) {
        const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
        for (const child of children.split(' ')) if (child !== '') this.remember(Number(child));
      }
    } catch {
      // ended meanwhile
    }
  }

  /** The function an address of a process lies in. */
  locate(pid: number, address: number): UserPlace {
    if (!this.#mappings.has(pid)) {
      this.remember(pid);
      // A process that is gone stays gone: do not look for it at every address.
      if (!this.#mappings.has(pid)) this.#mappings.set(pid, []);
    }
    const mapping = this.#mappings.get(pid)?.find(({ start, end }) => address >= start && address < end);
    const unknown = { name: `0x${address.toString(16)}`, file: mapping?.path ?? '', offset: -1 };
    if (!mapping) return unknown;
    const elf = this.#file(mapping.path);
    const found = elf?.locate(address - mapping.start + mapping.offset);
    return found ? { ...found, file: mapping.path } : unknown;
  }

  #file(path: string): SortedElf | null {
    let file = this.#files.get(path);
    if (file === undefined) {
      try {
        file = new SortedElf(readElf(path));
      } catch {
        file = null; // [vdso], a deleted file, not ELF
      }
      this.#files.set(path, file);
    }
    return file;
  }
}

class SortedElf {
  readonly #functions: ElfFunction[];
  readonly #segments: ElfFile['segments'];

  constructor({ functions, segments }: ElfFile) {
    this.#functions = functions.toSorted((a, b) => a.address - b.address);
    this.#segments = segments;
  }

  locate(fileOffset: number): { name: string; offset: number } | null {
    const segment = this.#segments.find((s) => fileOffset >= s.offset && fileOffset < s.offset + s.size);
    if (!segment) return null;
    const address = fileOffset - segment.offset + segment.address;
    let low = 0;
    let high = this.#functions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#functions[middle]?.address ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.#functions[low - 1];
    // Hand-written functions have size 0; others end where they say.
    if (!found || (found.size > 0 && address > found.address + found.size)) return null;
    return { name: found.name, offset: address - found.address };
  }
}
