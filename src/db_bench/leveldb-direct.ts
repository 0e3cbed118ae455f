/**
 * LevelDB without Node's thread pool: the shared library inside npm `classic-level` exports LevelDB's C++ interface, and
 * koffi calls it, so that every operation happens on the calling thread, as in the original db_bench: one put is one
 * write(2), and no other thread is woken for it. That is what makes the workload the same to the kernel.
 *
 * C++ has no stable binary interface in general. This rests on one exact build (both packages are pinned), on its
 * LP64 x86-64 layout, and on a check before anything is opened: what LevelDB's own constructor writes into an Options
 * must be its documented defaults at the places assumed here. Wherever that fails, `leveldb-napi.ts` does the work.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { UserError } from '../errors.ts';
import {
  breathe,
  KEY_DIGITS,
  type ReadRun,
  SLICE,
  type Store,
  type StoreOptions,
  type Walked,
  type Watch,
  type WriteRun,
  writeDigits,
} from './store.ts';

type Koffi = typeof import('koffi')['default'];
type NativeFunction = (...args: (bigint | number | null)[]) => unknown;
type Address = number;

const STRING = 'NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE';

/** What is called, by its mangled name: result and arguments (P pointer or number of a pointer's size, I int). */
const FUNCTIONS = {
  optionsConstruct: ['_ZN7leveldb7OptionsC1Ev', 'void', 'P'],
  newLruCache: ['_ZN7leveldb11NewLRUCacheEm', 'void *', 'P'],
  newBloomFilter: ['_ZN7leveldb20NewBloomFilterPolicyEi', 'void *', 'I'],
  open: [`_ZN7leveldb2DB4OpenERKNS_7OptionsERK${STRING}PPS0_`, 'void *', 'PPPP'],
  destroy: [`_ZN7leveldb9DestroyDBERK${STRING}RKNS_7OptionsE`, 'void *', 'PPP'],
  close: ['_ZN7leveldb6DBImplD0Ev', 'void', 'P'],
  put: ['_ZN7leveldb6DBImpl3PutERKNS_12WriteOptionsERKNS_5SliceES6_', 'void *', 'PPPPP'],
  delete: ['_ZN7leveldb6DBImpl6DeleteERKNS_12WriteOptionsERKNS_5SliceE', 'void *', 'PPPP'],
  write: ['_ZN7leveldb6DBImpl5WriteERKNS_12WriteOptionsEPNS_10WriteBatchE', 'void *', 'PPPP'],
  batchConstruct: ['_ZN7leveldb10WriteBatchC1Ev', 'void', 'P'],
  batchClear: ['_ZN7leveldb10WriteBatch5ClearEv', 'void', 'P'],
  batchPut: ['_ZN7leveldb10WriteBatch3PutERKNS_5SliceES3_', 'void', 'PPP'],
  get: ['_ZN7leveldb6DBImpl3GetERKNS_11ReadOptionsERKNS_5SliceEPNS_9ValueSinkE', 'void *', 'PPPPP'],
  newIterator: ['_ZN7leveldb6DBImpl11NewIteratorERKNS_11ReadOptionsE', 'void *', 'PP'],
  property: [`_ZN7leveldb6DBImpl11GetPropertyERKNS_5SliceEP${STRING}`, 'bool', 'PPP'],
  compact: ['_ZN7leveldb6DBImpl12CompactRangeEPKNS_5SliceES3_', 'void', 'PPP'],
  compareBytes: ['memcmp', 'int', 'PPP'],
} as const;

/** Virtual functions of leveldb::Iterator by their place in its table; 0 and 1 are the destructors. */
const ITERATOR = {
  delete: [1, 'void', 'P'],
  valid: [2, 'bool', 'P'],
  first: [3, 'void', 'P'],
  last: [4, 'void', 'P'],
  seek: [5, 'void', 'PP'],
  next: [6, 'void', 'P'],
  previous: [7, 'void', 'P'],
  key: [8, 'void', 'P'],
  value: [9, 'void', 'P'],
} as const;

/** Places in the memory that is shared with LevelDB. Strings are libstdc++'s: pointer, length, 16 bytes of capacity. */
const AT = {
  status: 0,
  writeOptions: 8, // { bool sync }
  readOptions: 16, // { bool verify_checksums, bool fill_cache, Snapshot* }
  key: 32, // Slice: { data, size }
  value: 48, // Slice
  sink: 64, // StringValueSink: { vtable, std::string* }
  string: 80,
  database: 112, // DB*
  batch: 120, // WriteBatch: { std::string }
  options: 160,
  name: 272, // std::string
  keyBytes: 1024, // up to 1024 of prefix, and the digits
  text: 4096, // a path or a property's name
  pool: 16384,
} as const;

/** leveldb::Options of 1.20: where a field is, in how many bytes, and what its default is. */
const OPTIONS = {
  createIfMissing: [8, 1, 0],
  errorIfExists: [9, 1, 0],
  writeBufferSize: [32, 8, 4 << 20],
  openFiles: [40, 4, 1000],
  cache: [48, 8, 0],
  blockSize: [56, 8, 4096],
  restartInterval: [64, 4, 16],
  maxFileSize: [72, 8, 2 << 20],
  compression: [80, 4, 1],
  reuseLogs: [84, 1, 0],
  filter: [88, 8, 0],
} as const;

const STATUS_NAMES = ['OK', 'NotFound', 'Corruption', 'Not implemented', 'Invalid argument', 'IO error'];
const NOT_FOUND = 1;

/** The library and the functions found in it. */
export interface DirectLibrary {
  readonly koffi: Koffi;
  readonly call: Readonly<Record<keyof typeof FUNCTIONS, NativeFunction>>;
  readonly sinkTable: Address;
}

/** Loads the library; where this machine cannot, says why. */
export async function loadDirect(): Promise<DirectLibrary | { readonly cannot: string }> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { cannot: `known for linux-x64 only, not ${process.platform}-${process.arch}` };
  }
  try {
    const { default: koffi } = await import('koffi');
    const entry = createRequire(import.meta.url).resolve('classic-level');
    const path: string = createRequire(entry)('node-gyp-build').path(dirname(entry));
    const library = koffi.load(path);
    keepLoaded(koffi, path);
    const call = Object.fromEntries(
      Object.entries(FUNCTIONS).map(([name, [symbol, result, args]]) => [
        name,
        library.func(symbol, result, argumentTypes(args)),
      ]),
    ) as unknown as DirectLibrary['call'];
    const sinkTable = Number(koffi.address(library.symbol('_ZTVN7leveldb15StringValueSinkE', 'void *'))) + 16;
    const loaded = { koffi, call, sinkTable };
    const wrong = new Memory(loaded, Buffer.alloc(0)).checkLayout();
    return wrong === undefined ? loaded : { cannot: `the layout of Options is another one (${wrong})` };
  } catch (error) {
    return { cannot: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * koffi unloads its libraries when the process ends, but LevelDB's background thread is never joined: it would be left
 * without the code it stands in.
 */
function keepLoaded(koffi: Koffi, path: string): void {
  const RTLD_NOW = 2;
  const RTLD_NODELETE = 0x1000;
  const handle = koffi.load(null).func('dlopen', 'void *', ['str', 'int'])(path, RTLD_NOW | RTLD_NODELETE);
  if (!handle) throw new Error(`${path} cannot be kept loaded`);
}

/** Removes a database's files. What cannot be removed is left, as in db_bench. */
export function destroyDirect(library: DirectLibrary, path: string): void {
  const memory = new Memory(library, Buffer.alloc(0));
  memory.constructOptions();
  memory.setText(AT.name, path);
  library.call.destroy(memory.at(AT.status), memory.at(AT.name), memory.at(AT.options));
  memory.takeStatus();
}

/** @throws UserError with LevelDB's own message if it cannot be opened */
export function openDirect(library: DirectLibrary, options: StoreOptions): Store {
  return new DirectStore(library, options);
}

/** Memory outside JavaScript's heap that LevelDB reads and writes by address. */
class Memory {
  readonly bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #base: Address;
  readonly #library: DirectLibrary;

  constructor(library: DirectLibrary, pool: Buffer) {
    const size = AT.pool + Math.ceil(pool.length / 8) * 8;
    const block = library.koffi.alloc('uint8_t', size);
    const view = library.koffi.view(block, size);
    this.#library = library;
    this.#base = Number(library.koffi.address(block));
    this.bytes = new Uint8Array(view);
    this.#words = new Uint32Array(view);
    this.bytes.fill(0);
    this.bytes.set(pool, AT.pool);
    this.bytes[AT.readOptions + 1] = 1; // fill_cache
    this.set64(AT.sink, library.sinkTable);
    this.set64(AT.sink + 8, this.at(AT.string));
    this.#emptyString(AT.string);
  }

  at(place: number): Address {
    return this.#base + place;
  }

  set64(place: number, value: number): void {
    this.#words[place >> 2] = value % 2 ** 32;
    this.#words[(place >> 2) + 1] = Math.floor(value / 2 ** 32);
  }

  get64(place: number): number {
    return (this.#words[place >> 2] ?? 0) + (this.#words[(place >> 2) + 1] ?? 0) * 2 ** 32;
  }

  setSlice(place: number, data: number, size: number): void {
    this.set64(place, this.at(data));
    this.set64(place + 8, size);
  }

  /** A std::string or a Slice, which begin alike, over text kept in this memory. */
  setText(place: number, text: string): void {
    const bytes = Buffer.from(`${text}\0`);
    if (bytes.length > AT.pool - AT.text) throw new UserError(`the path is too long: ${text}`);
    this.bytes.set(bytes, AT.text);
    this.setSlice(place, AT.text, bytes.length - 1);
    if (place === AT.name) this.set64(place + 16, bytes.length - 1);
  }

  text(place: number): string {
    const length = this.get64(place + 8);
    return length === 0 ? '' : this.#library.koffi.decode(BigInt(this.get64(place)), 'char', length);
  }

  /** After a call that returned a Status: undefined if it was good, else the code and text; frees it. */
  takeStatus(): { code: number; message: string } | undefined {
    const state = this.get64(AT.status);
    if (state === 0) return undefined;
    const { koffi } = this.#library;
    const length: number = koffi.decode(BigInt(state), 'uint32_t'); // Status: { uint32 length, uint8 code, text }
    const code: number = koffi.decode(BigInt(state + 4), 'uint8_t');
    const message = code === NOT_FOUND ? '' : koffi.decode(BigInt(state + 5), 'char', length);
    koffi.free(BigInt(state));
    this.set64(AT.status, 0);
    return { code, message: `${STATUS_NAMES[code] ?? `Unknown code(${code})`}: ${message}` };
  }

  constructOptions(): void {
    this.#library.call.optionsConstruct(this.at(AT.options));
  }

  setOption(name: keyof typeof OPTIONS, value: number | boolean | undefined): void {
    if (value === undefined) return;
    const [offset, size] = OPTIONS[name];
    if (size === 1) this.bytes[AT.options + offset] = Number(value);
    else if (size === 4) this.#words[(AT.options + offset) >> 2] = Number(value);
    else this.set64(AT.options + offset, Number(value));
  }

  /** The first option whose default is not where it is expected. */
  checkLayout(): string | undefined {
    this.bytes.fill(0xa5, AT.options, AT.name);
    this.constructOptions();
    for (const [name, [offset, size, expected]] of Object.entries(OPTIONS)) {
      const place = AT.options + offset;
      const found = size === 1 ? this.bytes[place] : size === 4 ? this.#words[place >> 2] : this.get64(place);
      if (found !== expected) return name;
    }
    return this.bytes[AT.options + 96] === 0xa5 ? undefined : 'size';
  }

  #emptyString(place: number): void {
    this.set64(place, this.at(place + 16));
    this.set64(place + 8, 0);
  }
}

class DirectStore implements Store {
  readonly #library: DirectLibrary;
  readonly #memory: Memory;
  readonly #keyBytes: number;
  readonly #poolBytes: number;
  readonly #database: Address;
  #cursor = 0;
  #iteratorTable = 0;
  #iteratorCalls: Readonly<Record<keyof typeof ITERATOR, NativeFunction>> | undefined;

  constructor(library: DirectLibrary, options: StoreOptions) {
    const { call } = library;
    const memory = new Memory(library, options.pool);
    this.#library = library;
    this.#memory = memory;
    this.#keyBytes = options.keyPrefix + KEY_DIGITS;
    this.#poolBytes = options.pool.length;
    memory.bytes.fill(0x61, AT.keyBytes, AT.keyBytes + options.keyPrefix);
    memory.setSlice(AT.key, AT.keyBytes, this.#keyBytes);

    memory.constructOptions();
    memory.setOption('createIfMissing', options.createIfMissing);
    memory.setOption('writeBufferSize', options.writeBufferSize);
    memory.setOption('maxFileSize', options.maxFileSize);
    memory.setOption('blockSize', options.blockSize);
    memory.setOption('openFiles', options.openFiles);
    memory.setOption('compression', options.compression);
    if (options.cacheSize !== undefined) memory.setOption('cache', Number(call.newLruCache(options.cacheSize)));
    if (options.bloomBits !== undefined) memory.setOption('filter', Number(call.newBloomFilter(options.bloomBits)));
    memory.setText(AT.name, options.path);
    call.open(memory.at(AT.status), memory.at(AT.options), memory.at(AT.name), memory.at(AT.database));
    const failure = memory.takeStatus();
    if (failure) throw new UserError(`open error: ${failure.message}`);
    this.#database = memory.get64(AT.database);
    call.batchConstruct(memory.at(AT.batch));
  }

  async write(run: WriteRun, watch: Watch): Promise<void> {
    const { call } = this.#library;
    const memory = this.#memory;
    const [status, options, key, value, batch] = this.#addresses();
    const database = this.#database;
    const end = AT.keyBytes + this.#keyBytes;
    memory.bytes[AT.writeOptions] = run.sync ? 1 : 0;
    memory.set64(AT.value + 8, run.valueBytes);
    if (run.entriesPerBatch > 1) call.batchClear(batch);
    // Hot loop: what is not LevelDB in here is about 0.3 microseconds.
    for (let i = 0; i < run.count; i += 1) {
      writeDigits(memory.bytes, end, run.key(i));
      if (run.kind === 'delete') {
        call.delete(status, database, options, key);
      } else {
        memory.set64(AT.value, memory.at(AT.pool + this.#nextValue(run.valueBytes)));
        if (run.entriesPerBatch === 1) call.put(status, database, options, key, value);
        else {
          call.batchPut(batch, key, value);
          if ((i + 1) % run.entriesPerBatch === 0 || i + 1 === run.count) {
            call.write(status, database, options, batch);
            call.batchClear(batch);
          }
        }
      }
      if (memory.get64(AT.status) !== 0) {
        throw new UserError(`${run.kind === 'put' ? 'put' : 'del'} error: ${memory.takeStatus()?.message}`);
      }
      watch.operation();
      if (i % SLICE === SLICE - 1) await breathe(watch.signal);
    }
  }

  async walk(backwards: boolean, limit: number, watch: Watch): Promise<Walked> {
    const iterator = this.#newIterator();
    const it = this.#iterator(iterator);
    const step = backwards ? it.previous : it.next;
    let entries = 0;
    let sampled = 0;
    let sampledBytes = 0;
    try {
      if (limit > 0) (backwards ? it.last : it.first)(iterator);
      while (entries < limit && it.valid(iterator)) {
        // Sizes come back in a pair of registers, which is dear to read: one entry in 1024 is asked.
        sampled += 1;
        sampledBytes += this.#slice(iterator, 'key').size + this.#slice(iterator, 'value').size;
        const end = Math.min(limit, entries + 1024);
        const start = entries;
        // Hot loop: two calls per entry are most of its price.
        do {
          step(iterator);
          entries += 1;
          if (watch.timesEach) watch.operations(1);
        } while (entries < end && it.valid(iterator));
        if (!watch.timesEach) watch.operations(entries - start);
        if (entries % SLICE === 0) await breathe(watch.signal);
      }
    } finally {
      it.delete(iterator);
    }
    return { entries, bytes: sampled === 0 ? 0 : Math.round((sampledBytes / sampled) * entries) };
  }

  async get(run: ReadRun, watch: Watch): Promise<number> {
    const { call } = this.#library;
    const memory = this.#memory;
    const [status, , key] = this.#addresses();
    const options = memory.at(AT.readOptions);
    const sink = memory.at(AT.sink);
    const end = AT.keyBytes + this.#keyBytes;
    memory.set64(AT.key + 8, this.#keyBytes - (run.missing ? 1 : 0));
    let found = 0;
    try {
      for (let i = 0; i < run.count; i += 1) {
        writeDigits(memory.bytes, end, run.key(i));
        call.get(status, this.#database, options, key, sink);
        if (memory.get64(AT.status) === 0) found += 1;
        else this.#expectNotFound();
        watch.operation();
        if (i % SLICE === SLICE - 1) await breathe(watch.signal);
      }
    } finally {
      memory.set64(AT.key + 8, this.#keyBytes);
    }
    return found;
  }

  async seek(run: ReadRun & { readonly reuse: boolean }, watch: Watch): Promise<number> {
    const { call } = this.#library;
    const memory = this.#memory;
    const key = memory.at(AT.key);
    const end = AT.keyBytes + this.#keyBytes;
    let kept = run.reuse ? this.#newIterator() : 0;
    let found = 0;
    try {
      for (let i = 0; i < run.count; i += 1) {
        const iterator = kept === 0 ? this.#newIterator() : kept;
        const it = this.#iterator(iterator);
        writeDigits(memory.bytes, end, run.key(i));
        it.seek(iterator, key);
        if (it.valid(iterator)) {
          const { data, size } = this.#slice(iterator, 'key');
          const same = size === this.#keyBytes && call.compareBytes(data, memory.at(AT.keyBytes), size) === 0;
          if (same) found += 1;
        }
        if (kept === 0) it.delete(iterator);
        watch.operation();
        if (i % SLICE === SLICE - 1) await breathe(watch.signal);
      }
    } finally {
      if (kept !== 0) this.#iterator(kept).delete(kept);
      kept = 0;
    }
    return found;
  }

  async compact(): Promise<void> {
    this.#library.call.compact(this.#database, null, null);
  }

  property(name: string): string | undefined {
    const memory = this.#memory;
    memory.setText(AT.value, name);
    const known = this.#library.call.property(this.#database, memory.at(AT.value), memory.at(AT.string));
    return known ? memory.text(AT.string) : undefined;
  }

  async close(): Promise<void> {
    this.#library.call.close(this.#database);
  }

  #addresses(): [Address, Address, Address, Address, Address] {
    const memory = this.#memory;
    return [
      memory.at(AT.status),
      memory.at(AT.writeOptions),
      memory.at(AT.key),
      memory.at(AT.value),
      memory.at(AT.batch),
    ];
  }

  #nextValue(length: number): number {
    if (this.#cursor + length > this.#poolBytes) this.#cursor = 0;
    const start = this.#cursor;
    this.#cursor += length;
    return start;
  }

  #expectNotFound(): void {
    const failure = this.#memory.takeStatus();
    if (failure && failure.code !== NOT_FOUND) throw new UserError(`get error: ${failure.message}`);
  }

  #newIterator(): Address {
    return Number(this.#library.call.newIterator(this.#database, this.#memory.at(AT.readOptions)));
  }

  /** The functions of an iterator's class. */
  #iterator(iterator: Address): Readonly<Record<keyof typeof ITERATOR, NativeFunction>> {
    const { koffi } = this.#library;
    if (this.#iteratorCalls === undefined) {
      this.#iteratorTable = Number(koffi.decode(BigInt(iterator), 'void *'));
      this.#iteratorCalls = Object.fromEntries(
        Object.entries(ITERATOR).map(([name, [place, result, args]]) => [
          name,
          koffi.decode(this.#virtual(place), koffi.proto(result, argumentTypes(args))),
        ]),
      ) as unknown as Readonly<Record<keyof typeof ITERATOR, NativeFunction>>;
    }
    return this.#iteratorCalls;
  }

  #virtual(place: number): bigint {
    return this.#library.koffi.decode(BigInt(this.#iteratorTable + 8 * place), 'void *');
  }

  #sliceCalls: Record<'key' | 'value', NativeFunction> | undefined;

  #slice(iterator: Address, what: 'key' | 'value'): { data: bigint; size: number } {
    const { koffi } = this.#library;
    if (this.#sliceCalls === undefined) {
      const slice = koffi.struct({ data: 'uint64_t', size: 'size_t' });
      const proto = koffi.proto(slice, ['void *']);
      this.#sliceCalls = {
        key: koffi.decode(this.#virtual(ITERATOR.key[0]), proto),
        value: koffi.decode(this.#virtual(ITERATOR.value[0]), proto),
      };
    }
    const { data, size } = this.#sliceCalls[what](iterator) as { data: number | bigint; size: number | bigint };
    return { data: BigInt(data), size: Number(size) };
  }
}

function argumentTypes(letters: string): string[] {
  return [...letters].map((letter) => (letter === 'I' ? 'int' : 'void *'));
}
