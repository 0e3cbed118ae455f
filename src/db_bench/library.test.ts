import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { findLibrary, type LibraryFiles, type LibrarySearch } from './library.ts';

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-leveldb-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const filled = join(scratch, 'filled');
const libraries = ['libsnappy.so.1', 'libleveldb.so.1d'].map((name) => join(filled, 'leveldb', process.arch, name));
mkdirSync(join(filled, 'leveldb', process.arch), { recursive: true });
for (const library of libraries) writeFileSync(library, '');
const empty = join(scratch, 'empty');

/** A machine whose loader takes these files and no others, and that fetches nothing. */
function search(loadable: readonly LibraryFiles[], more: Partial<LibrarySearch> = {}): LibrarySearch {
  const isKnown = (files: LibraryFiles) => loadable.some((some) => some.join() === files.join());
  const load = (files: LibraryFiles) => (isKnown(files) ? undefined : 'no such library');
  return { file: undefined, caches: [empty, filled], noFetching: 'this is a test', say: vi.fn(), load, ...more };
}

test('the file that is named, and no other', () => {
  expect(findLibrary(search([['/my/lib.so'], ['libleveldb.so.1d']], { file: '/my/lib.so' }))).toEqual(['/my/lib.so']);
  expect(() => findLibrary(search([['libleveldb.so.1d']], { file: '/my/lib.so' }))).toThrow(
    'cannot load LevelDB from /my/lib.so: no such library',
  );
});

test("the system's goes before the cache's", () => {
  expect(findLibrary(search([['libleveldb.so.1'], libraries]))).toEqual(['libleveldb.so.1']);
});

test('from the cache Snappy is loaded first', () => {
  expect(findLibrary(search([libraries]))).toEqual(libraries);
});

test('where none is to be fetched, none is', () => {
  const nowhere = search([]);
  expect(() => findLibrary(nowhere)).toThrow(/^LevelDB is not here, and this is a test$/);
  expect(nowhere.say).not.toHaveBeenCalled();
});

describe.runIf(process.platform === 'linux')('from packages', () => {
  const programs = join(scratch, 'programs');
  afterEach(() => vi.unstubAllEnvs());

  /** Stand-ins for the programs of a distribution. */
  function distribution(aptGet: string): void {
    mkdirSync(programs, { recursive: true });
    const scripts = {
      'apt-get': aptGet,
      'apt-cache': 'echo libleveldb1d',
      // dpkg -x PACKAGE FOLDER
      dpkg: 'mkdir -p "$3/usr/lib/riscv64-linux-gnu" && for name in libsnappy.so.1 libleveldb.so.1d; do echo "$2" > "$3/usr/lib/riscv64-linux-gnu/$name"; done',
    };
    for (const [name, script] of Object.entries(scripts))
      writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${programs}:${process.env.PATH}`);
  }

  test('the libraries of both go into the cache, and nothing else', () => {
    distribution('for name; do :; done; touch "$name.deb"'); // apt-get … download NAME
    const cache = join(scratch, 'fetched');
    const folder = join(cache, 'leveldb', process.arch);
    const expected = ['libsnappy.so.1', 'libleveldb.so.1d'].map((name) => join(folder, name));
    const fetching = search([expected], { noFetching: undefined, caches: [cache] });
    expect(
      findLibrary({ ...fetching, load: (files) => (existsSync(files[0]!) ? fetching.load(files) : 'none') }),
    ).toEqual(expected);
    expect(readdirSync(cache, { recursive: true, encoding: 'utf8' }).sort()).toEqual(
      ['leveldb', folder, ...expected].map((path) => (path.startsWith('/') ? relative(cache, path) : path)).sort(),
    );
    expect(fetching.say).toHaveBeenCalledWith(
      `downloading LevelDB (libsnappy1v5, libleveldb1d) to ${folder}, without installing it`,
    );
  });

  test('what keeps them from being fetched is said, with what to do', () => {
    distribution("echo 'E: Temporary failure resolving' >&2; exit 100");
    const cache = join(scratch, 'unreachable');
    expect(() => findLibrary(search([], { noFetching: undefined, caches: [cache] }))).toThrow(
      /^LevelDB is not here and cannot be fetched: .*E: Temporary failure resolving; install LevelDB's shared library .*--library=FILE$/,
    );
    expect(readdirSync(join(cache, 'leveldb'))).toEqual([]);
  });
});
