/**
 * LevelDB's C interface (`leveldb/c.h`), called through koffi. Every call happens on the calling thread, as in the
 * original db_bench: one put is one write(2), and no other thread is woken for it. That is what makes the workload the
 * same to the kernel.
 */
import { messageOf, UserError } from '../errors.ts';
import type { LibraryFiles } from './library.ts';

type Koffi = typeof import('koffi')['default'];

/** An address of memory outside JavaScript's heap, as a number. */
export type Address = number;

/** A function of the library. Pointers are numbers, also those it returns. */
type NativeFunction = (...args: readonly (number | string)[]) => number;

/**
 * The functions used, as `leveldb/c.h` declares them. Pointers are written as `uintptr_t`, because koffi takes and gives
 * numbers for it without making objects. The last argument `error` points to a `char *` that is to be null.
 */
const PROTOTYPES = {
  majorVersion: 'int leveldb_major_version()',
  minorVersion: 'int leveldb_minor_version()',
  free: 'void leveldb_free(uintptr_t memory)',

  newOptions: 'uintptr_t leveldb_options_create()',
  freeOptions: 'void leveldb_options_destroy(uintptr_t options)',
  setCreateIfMissing: 'void leveldb_options_set_create_if_missing(uintptr_t options, uint8_t value)',
  setWriteBufferSize: 'void leveldb_options_set_write_buffer_size(uintptr_t options, size_t bytes)',
  setMaxFileSize: 'void leveldb_options_set_max_file_size(uintptr_t options, size_t bytes)',
  setBlockSize: 'void leveldb_options_set_block_size(uintptr_t options, size_t bytes)',
  setOpenFiles: 'void leveldb_options_set_max_open_files(uintptr_t options, int files)',
  setCompression: 'void leveldb_options_set_compression(uintptr_t options, int kind)',
  setCache: 'void leveldb_options_set_cache(uintptr_t options, uintptr_t cache)',
  newCache: 'uintptr_t leveldb_cache_create_lru(size_t bytes)',
  freeCache: 'void leveldb_cache_destroy(uintptr_t cache)',
  setFilter: 'void leveldb_options_set_filter_policy(uintptr_t options, uintptr_t filter)',
  newBloomFilter: 'uintptr_t leveldb_filterpolicy_create_bloom(int bits)',
  freeFilter: 'void leveldb_filterpolicy_destroy(uintptr_t filter)',
  newReadOptions: 'uintptr_t leveldb_readoptions_create()',
  freeReadOptions: 'void leveldb_readoptions_destroy(uintptr_t options)',
  newWriteOptions: 'uintptr_t leveldb_writeoptions_create()',
  freeWriteOptions: 'void leveldb_writeoptions_destroy(uintptr_t options)',
  setSync: 'void leveldb_writeoptions_set_sync(uintptr_t options, uint8_t value)',

  open: 'uintptr_t leveldb_open(uintptr_t options, str path, uintptr_t error)',
  close: 'void leveldb_close(uintptr_t database)',
  destroy: 'void leveldb_destroy_db(uintptr_t options, str path, uintptr_t error)',
  property: 'uintptr_t leveldb_property_value(uintptr_t database, str name)',
  compact:
    'void leveldb_compact_range(uintptr_t database, uintptr_t start, size_t startBytes, uintptr_t end, size_t endBytes)',
  put: 'void leveldb_put(uintptr_t database, uintptr_t options, uintptr_t key, size_t keyBytes, uintptr_t value, size_t valueBytes, uintptr_t error)',
  delete: 'void leveldb_delete(uintptr_t database, uintptr_t options, uintptr_t key, size_t keyBytes, uintptr_t error)',
  write: 'void leveldb_write(uintptr_t database, uintptr_t options, uintptr_t batch, uintptr_t error)',
  get: 'uintptr_t leveldb_get(uintptr_t database, uintptr_t options, uintptr_t key, size_t keyBytes, uintptr_t valueBytes, uintptr_t error)',

  newBatch: 'uintptr_t leveldb_writebatch_create()',
  clearBatch: 'void leveldb_writebatch_clear(uintptr_t batch)',
  freeBatch: 'void leveldb_writebatch_destroy(uintptr_t batch)',
  batchPut:
    'void leveldb_writebatch_put(uintptr_t batch, uintptr_t key, size_t keyBytes, uintptr_t value, size_t valueBytes)',

  newIterator: 'uintptr_t leveldb_create_iterator(uintptr_t database, uintptr_t options)',
  freeIterator: 'void leveldb_iter_destroy(uintptr_t iterator)',
  isValid: 'uint8_t leveldb_iter_valid(uintptr_t iterator)',
  toFirst: 'void leveldb_iter_seek_to_first(uintptr_t iterator)',
  toLast: 'void leveldb_iter_seek_to_last(uintptr_t iterator)',
  seek: 'void leveldb_iter_seek(uintptr_t iterator, uintptr_t key, size_t keyBytes)',
  next: 'void leveldb_iter_next(uintptr_t iterator)',
  previous: 'void leveldb_iter_prev(uintptr_t iterator)',
  iteratorKey: 'uintptr_t leveldb_iter_key(uintptr_t iterator, uintptr_t bytes)',
  iteratorValue: 'uintptr_t leveldb_iter_value(uintptr_t iterator, uintptr_t bytes)',
  iteratorError: 'void leveldb_iter_get_error(uintptr_t iterator, uintptr_t error)',
} as const;

/** LevelDB, loaded. */
export interface LevelDb {
  readonly call: Readonly<Record<keyof typeof PROTOTYPES, NativeFunction>>;
  /** `1.23` */
  readonly version: string;
  /** memcmp(3) */
  readonly compareBytes: NativeFunction;
  readonly koffi: Koffi;
}

/**
 * The functions of a library that {@link tryLoad} has loaded.
 *
 * @throws {UserError} it is not LevelDB's library
 */
export function bindLevelDb(koffi: Koffi, files: LibraryFiles): LevelDb {
  const file = files.at(-1) ?? '';
  try {
    const library = koffi.load(file);
    const call = Object.fromEntries(
      Object.entries(PROTOTYPES).map(([name, prototype]) => [name, library.func(prototype)]),
    ) as unknown as LevelDb['call'];
    const compareBytes = koffi.load(null).func('int memcmp(uintptr_t a, uintptr_t b, size_t bytes)');
    return { call, version: `${call.majorVersion()}.${call.minorVersion()}`, compareBytes, koffi };
  } catch (error) {
    throw new UserError(`${file} is not LevelDB's library: ${messageOf(error)}`, { cause: error });
  }
}

/** @throws {UserError} the optional package is not there */
export async function loadKoffi(): Promise<Koffi> {
  try {
    return (await import('koffi')).default;
  } catch (error) {
    throw new UserError(
      `db_bench calls LevelDB through the optional package koffi, which cannot be loaded: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * Loads libraries for good, each for those after it; why it cannot, otherwise. koffi would unload them when the process
 * ends, but LevelDB's background thread is never joined: it would be left without the code it stands in.
 */
export function tryLoad(koffi: Koffi, files: LibraryFiles): string | undefined {
  const c = koffi.load(null);
  const open = c.func('uintptr_t dlopen(str file, int flags)');
  const reason = c.func('str dlerror()');
  const RTLD_NOW = 2;
  const RTLD_NODELETE = process.platform === 'darwin' ? 0x80 : 0x1000;
  for (const file of files) if (!open(file, RTLD_NOW | RTLD_NODELETE)) return reason() ?? 'no reason was given';
  return undefined;
}

/** Names the calling thread: Node has names of its own for its threads. Linux only. */
export function nameThread(koffi: Koffi, name: string): void {
  const PR_SET_NAME = 15;
  if (process.platform === 'linux') koffi.load(null).func('int prctl(int option, str name)')(PR_SET_NAME, name);
}

/** Memory outside JavaScript's heap, which LevelDB reads and writes by address. */
export class Memory {
  readonly bytes: Uint8Array;
  readonly base: Address;
  readonly #words: Uint32Array;
  readonly #levelDb: LevelDb;
  readonly #block: unknown;

  /** @param size in bytes, a multiple of 8; the first eight are for {@link takeError} */
  constructor(levelDb: LevelDb, size: number) {
    const { koffi } = levelDb;
    const block = koffi.alloc('uint8_t', size);
    const view = koffi.view(block, size);
    this.#levelDb = levelDb;
    this.#block = block;
    this.base = Number(koffi.address(block));
    this.bytes = new Uint8Array(view);
    this.bytes.fill(0);
    this.#words = new Uint32Array(view);
  }

  /** Gives it back; nothing may use it afterwards. */
  free(): void {
    this.#levelDb.koffi.free(this.#block);
  }

  /** Reads a pointer or size_t. Both kinds of processor are little-endian, and addresses stay below 2^53. */
  word(offset: number): number {
    return (this.#words[offset >> 2] ?? 0) + (this.#words[(offset >> 2) + 1] ?? 0) * 2 ** 32;
  }

  /** Whether a call has left an error text in the first word. */
  get hasError(): boolean {
    return this.#words[0] !== 0 || this.#words[1] !== 0;
  }

  /** The error text, if there is one; frees it. `IO error: /nowhere/db: No such file or directory` */
  takeError(): string | undefined {
    const address = this.word(0);
    if (address === 0) return undefined;
    this.#words[0] = 0;
    this.#words[1] = 0;
    return takeText(this.#levelDb, address);
  }
}

/** A text that LevelDB has allocated; frees it. */
export function takeText({ koffi, call }: LevelDb, address: Address): string {
  const text = koffi.decode.string(BigInt(address));
  call.free(address);
  return text;
}
