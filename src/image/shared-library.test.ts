import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findSharedLibrary, libraryIn, readCache } from './shared-library.ts';

/** A cache of these libraries: flags, name, path. */
function cacheOf(...libraries: readonly [flags: number, name: string, path: string][]): Buffer {
  const header = Buffer.alloc(48);
  header.write('glibc-ld.so.cache1.1', 'latin1');
  header.writeUInt32LE(libraries.length, 20);
  const entries = Buffer.alloc(24 * libraries.length);
  let strings = '';
  const place = (text: string) => {
    const at = header.length + entries.length + strings.length;
    strings += `${text}\0`;
    return at;
  };
  for (const [index, [flags, name, path]] of libraries.entries()) {
    entries.writeInt32LE(flags, 24 * index);
    entries.writeUInt32LE(place(name), 24 * index + 4);
    entries.writeUInt32LE(place(path), 24 * index + 8);
  }
  return Buffer.concat([header, entries, Buffer.from(strings)]);
}

const CACHE = cacheOf(
  [0x0303, 'libz.so.2', '/etc/hostname'],
  [0x0303, 'libz.so.1', '/etc/passwd'],
  [0x0003, 'libz.so.1', '/lib32/libz.so.1'],
  [0x0a03, 'libz.so.1', '/arm/libz.so.1'],
  [0x0303, 'libzoo.so.1', '/etc/passwd'],
  [0x0303, 'libgone.so.1', '/nowhere/libgone.so.1'],
);

describe('shared libraries', () => {
  it('are those of this processor in the cache, also behind the part of older C libraries', () => {
    expect(readCache(CACHE, 'x64').map(({ path }) => path)).toHaveLength(4);
    expect(readCache(CACHE, 'arm64')).toEqual([{ name: 'libz.so.1', path: '/arm/libz.so.1' }]);
    expect(readCache(Buffer.concat([Buffer.from('ld.so-1.7.0\0'), CACHE]), 'x64')).toHaveLength(4);
  });

  it('of a damaged cache are those that can be read', () => {
    for (let length = 0; length < CACHE.length; length++) readCache(CACHE.subarray(0, length), 'x64');
    expect(readCache(Buffer.from('nothing'), 'x64')).toEqual([]);
  });

  it('are found by the whole name, without the version, and without lib', () => {
    const libraries = readCache(CACHE, 'x64');
    expect(libraryIn(libraries, 'libz.so.1')).toBe('/etc/passwd');
    for (const word of ['libz', 'z', 'libz.so']) expect(libraryIn(libraries, word)).toBe('/etc/hostname');
    for (const word of ['gone', 'libzo', 'so', '']) expect(libraryIn(libraries, word)).toBeUndefined();
  });

  it('of this machine are files', () => {
    const paths = ['c', 'libc', 'libc.so.6'].map(findSharedLibrary);
    expect(new Set(paths).size).toBe(1);
    expect(existsSync(paths[0] ?? '')).toBe(true);
  });
});
