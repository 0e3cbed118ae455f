import { UserError } from '../errors.ts';
import { type Address, type LevelDb, Memory, takeText } from './leveldb.ts';

/** How to open a database; `undefined` leaves LevelDB's own default. */
export interface DatabaseOptions {
  readonly path: string;
  readonly createIfMissing: boolean;
  readonly writeBufferSize: number | undefined;
  readonly maxFileSize: number | undefined;
  readonly blockSize: number | undefined;
  /** Bytes of the block cache. */
  readonly cacheSize: number | undefined;
  readonly openFiles: number | undefined;
  /** Bits per key of the Bloom filter; undefined is none. */
  readonly bloomBits: number | undefined;
  readonly compression: boolean;
}

/** One database, which can be opened, closed and destroyed again and again; its cache and filter stay. */
export class Database {
  readonly #levelDb: LevelDb;
  readonly #path: string;
  readonly #options: Address;
  readonly #cache: Address;
  readonly #filter: Address;
  readonly #memory: Memory;
  #address: Address = 0;

  constructor(levelDb: LevelDb, options: DatabaseOptions) {
    const { call } = levelDb;
    this.#levelDb = levelDb;
    this.#path = options.path;
    this.#memory = new Memory(levelDb, 8);
    this.#options = call.newOptions();
    this.#cache = options.cacheSize === undefined ? 0 : call.newCache(options.cacheSize);
    this.#filter = options.bloomBits === undefined ? 0 : call.newBloomFilter(options.bloomBits);
    const set = (setter: (options: Address, value: number) => number, value: number | undefined) => {
      if (value !== undefined) setter(this.#options, value);
    };
    set(call.setCreateIfMissing, Number(options.createIfMissing));
    set(call.setWriteBufferSize, options.writeBufferSize);
    set(call.setMaxFileSize, options.maxFileSize);
    set(call.setBlockSize, options.blockSize);
    set(call.setOpenFiles, options.openFiles);
    set(call.setCompression, Number(options.compression));
    if (this.#cache !== 0) set(call.setCache, this.#cache);
    if (this.#filter !== 0) set(call.setFilter, this.#filter);
  }

  /** LevelDB's handle, which any thread may use while the database is open. */
  get address(): Address {
    if (this.#address === 0) throw new Error('the database is not open');
    return this.#address;
  }

  /** @throws {UserError} with LevelDB's own message if it cannot be opened */
  open(): void {
    this.#address = this.#levelDb.call.open(this.#options, this.#path, this.#memory.base);
    const failure = this.#memory.takeError();
    if (failure !== undefined) throw new UserError(`open error: ${failure}`);
  }

  close(): void {
    if (this.#address !== 0) this.#levelDb.call.close(this.#address);
    this.#address = 0;
  }

  /** Removes a closed database's files. What cannot be removed is left, as in db_bench. */
  destroy(): void {
    this.#levelDb.call.destroy(this.#options, this.#path, this.#memory.base);
    this.#memory.takeError();
  }

  /** A property such as `leveldb.stats`; undefined if LevelDB does not know it. */
  property(name: string): string | undefined {
    const text = this.#levelDb.call.property(this.address, name);
    return text === 0 ? undefined : takeText(this.#levelDb, text);
  }

  /** Closes it and gives back what opening it again would need. */
  free(): void {
    const { call } = this.#levelDb;
    this.close();
    call.freeOptions(this.#options);
    if (this.#cache !== 0) call.freeCache(this.#cache);
    if (this.#filter !== 0) call.freeFilter(this.#filter);
    this.#memory.free();
  }
}
