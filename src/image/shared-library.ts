import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const CACHE = '/etc/ld.so.cache';
/** Where the dynamic linker looks without a cache. */
const DIRECTORIES = ['/lib64', '/usr/lib64', '/lib', '/usr/lib', '/usr/local/lib'];

/** The start of the cache as glibc 2.32 and newer write it; older ones put it behind a part of their own. */
const MAGIC = 'glibc-ld.so.cache1.1';
const HEADER_SIZE = 48;
const ENTRY_SIZE = 24;
/** What is in the second byte of an entry's flags: 64-bit libraries of x86-64 and arm64. */
const PROCESSOR_FLAGS: Readonly<Record<string, number>> = { x64: 0x03, arm64: 0x0a };

/**
 * The file of a shared library that is named without its path, as the dynamic linker would find it: `libc.so.6`, `libc`
 * or `c`. Undefined where there is none.
 */
export function findSharedLibrary(name: string): string | undefined {
  return libraryIn(cachedLibraries(), name) ?? libraryIn(librariesInDirectories(), name);
}

/** A library's name, such as `libc.so.6`, and its file. */
export interface SharedLibrary {
  readonly name: string;
  readonly path: string;
}

/** Of several versions the first listed, which is the newest in the cache. */
export function libraryIn(libraries: readonly SharedLibrary[], wanted: string): string | undefined {
  const isMeant = [wanted, `${wanted}.so`, `lib${wanted}.so`].map((base) => (name: string) => {
    return name === base || (base.endsWith('.so') && name.startsWith(`${base}.`));
  });
  for (const isOne of isMeant) {
    const found = libraries.find(({ name, path }) => isOne(name) && existsSync(path));
    if (found) return found.path;
  }
  return undefined;
}

/**
 * The libraries of this processor in the bytes of a cache (ldconfig(8)): a header with the number of entries, and for
 * each its flags and where its name and its path are.
 */
export function readCache(cache: Buffer, processor: string = process.arch): SharedLibrary[] {
  const start = cache.indexOf(MAGIC, 0, 'latin1');
  if (start < 0 || start + HEADER_SIZE > cache.length) return [];
  const table = cache.subarray(start);
  const room = Math.floor((table.length - HEADER_SIZE) / ENTRY_SIZE);
  const count = Math.min(table.readUInt32LE(20), room);
  const text = (at: number): string => {
    const end = table.indexOf(0, at);
    return end < 0 ? '' : table.toString('utf8', at, end);
  };
  const found: SharedLibrary[] = [];
  for (let index = 0; index < count; index++) {
    const at = HEADER_SIZE + index * ENTRY_SIZE;
    if (table[at + 1] !== PROCESSOR_FLAGS[processor]) continue;
    found.push({ name: text(table.readUInt32LE(at + 4)), path: text(table.readUInt32LE(at + 8)) });
  }
  return found;
}

function cachedLibraries(): SharedLibrary[] {
  try {
    return readCache(readFileSync(CACHE));
  } catch {
    return []; // other C libraries have none
  }
}

function librariesInDirectories(): SharedLibrary[] {
  return DIRECTORIES.flatMap((directory) => {
    try {
      return readdirSync(directory).map((name) => ({ name, path: join(directory, name) }));
    } catch {
      return [];
    }
  });
}
