/**
 * Where LevelDB's shared library comes from: the file that the user names, the system, the cache, or else Debian's
 * packages, which are unpacked into the cache as the lab does with kernels. Nothing is installed.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, UserError } from '../errors.ts';
import { hasApt, packageNames, unpackPackage, updateLists } from '../host/apt.ts';
import { buildInPlace } from '../host/cache.ts';

/** What the dynamic loader is to load, in this order: the last one is LevelDB. Names without a slash are the system's. */
export type LibraryFiles = readonly string[];

/** How to come by the library. */
export interface LibrarySearch {
  /** A file the user names; nothing else is tried then. */
  readonly file: string | undefined;
  /** Folders of the cache to look into; the first is where fetched packages go. */
  readonly caches: readonly string[];
  /** Why packages are not to be fetched, and what to do instead; undefined where they may be. */
  readonly noFetching: string | undefined;
  /** Told before something is downloaded. */
  readonly say: (text: string) => void;
  /** Whether the dynamic loader takes these files; why not, otherwise. */
  readonly load: (files: LibraryFiles) => string | undefined;
}

/** Debian's packages, in the order in which their libraries are loaded, and the names that programs are linked with. */
const PACKAGES = [
  { name: 'libsnappy1v5', library: 'libsnappy.so.1' },
  { name: 'libleveldb1d', library: 'libleveldb.so.1d' },
] as const;

/** Names of the library where a package manager has installed it: Debian and Ubuntu, others, macOS with Homebrew. */
const SYSTEM_NAMES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ['libleveldb.so.1d', 'libleveldb.so.1'],
  darwin: ['/opt/homebrew/lib/libleveldb.dylib', '/usr/local/lib/libleveldb.dylib'],
};

const OTHERWISE =
  "install LevelDB's shared library (libleveldb1d on Debian and Ubuntu, leveldb on Fedora, Arch and Homebrew), or name it: --library=FILE";

/**
 * Finds and loads LevelDB, fetching it if need be.
 *
 * @throws {UserError} it cannot be had here; the message says what to do
 */
export function findLibrary(search: LibrarySearch): LibraryFiles {
  const { file, caches, load } = search;
  if (file !== undefined) {
    const problem = load([file]);
    if (problem === undefined) return [file];
    throw new UserError(`cannot load LevelDB from ${file}: ${problem}`);
  }
  const here = [
    ...(SYSTEM_NAMES[process.platform] ?? []).map((name): LibraryFiles => [name]),
    ...caches.map(filesIn).filter((files) => files.every(existsSync)),
  ];
  const found = here.find((files) => load(files) === undefined);
  return found ?? fetchLibrary(search);
}

/** A cache may be shared by machines of several kinds. */
function folderIn(cache: string): string {
  return join(cache, 'leveldb', process.arch);
}

function filesIn(cache: string): LibraryFiles {
  return PACKAGES.map(({ library }) => join(folderIn(cache), library));
}

function fetchLibrary({ caches, noFetching, say, load }: LibrarySearch): LibraryFiles {
  const [cache] = caches;
  const files = cache === undefined ? [] : filesIn(cache);
  if (cache === undefined || noFetching !== undefined) {
    throw new UserError(`LevelDB is not here, and ${noFetching ?? 'there is no cache'}`);
  }
  if (process.platform !== 'linux' || !hasApt()) throw new UserError(`LevelDB is not here; ${OTHERWISE}`);
  const names = PACKAGES.map(({ name }) => name);
  const folder = folderIn(cache);
  if (existsSync(folder)) {
    if (load(files) === undefined) return files; // another process has just put it there
    rmSync(folder, { recursive: true, force: true });
  }
  say(`downloading LevelDB (${names.join(', ')}) to ${folder}, without installing it`);
  try {
    if (packageNames('libleveldb1d').length === 0) refreshLists();
    buildInPlace(folder, unpackLibraries);
  } catch (error) {
    throw new UserError(`LevelDB is not here and cannot be fetched: ${messageOf(error)}; ${OTHERWISE}`, {
      cause: error,
    });
  }
  const problem = load(files);
  if (problem !== undefined) throw new UserError(`cannot load LevelDB from ${folder}: ${problem}; ${OTHERWISE}`);
  return files;
}

function refreshLists(): void {
  if (process.getuid?.() !== 0)
    throw new UserError('the package lists lack it; refresh them with: sudo apt-get update');
  updateLists();
}

/** Leaves the libraries alone in a folder: Debian has them in `usr/lib/x86_64-linux-gnu`, `usr/lib/aarch64-linux-gnu`, … */
function unpackLibraries(draft: string): void {
  mkdirSync(draft, { recursive: true });
  for (const { name, library } of PACKAGES) {
    const unpacked = `${draft}.${name}`;
    try {
      unpackPackage(name, unpacked);
      const below = join(unpacked, 'usr', 'lib');
      const from = readdirSync(below)
        .map((triplet) => join(below, triplet, library))
        .find(existsSync);
      if (from === undefined) throw new UserError(`the package ${name} has no ${library} in it`);
      copyFileSync(from, join(draft, library));
    } finally {
      rmSync(unpacked, { recursive: true, force: true });
    }
  }
}
