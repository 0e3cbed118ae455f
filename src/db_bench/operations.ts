/**
 * What one thread does on an open database, as runs of operations: in a run the price of an operation stays near what
 * LevelDB itself costs.
 */
import { UserError } from '../errors.ts';
import { type Address, type LevelDb, Memory } from './leveldb.ts';
import { ValueCursor } from './random.ts';

export interface WriteRun {
  readonly kind: 'put' | 'delete';
  readonly count: number;
  /** Operations that go into one write of LevelDB's log. */
  readonly entriesPerBatch: number;
  readonly valueBytes: number;
  /** Whether LevelDB makes each write durable before it returns. */
  readonly sync: boolean;
  key(index: number): number;
}

export interface ReadRun {
  readonly count: number;
  /** Leaves out the key's last digit, so that no such key exists. */
  readonly missing: boolean;
  key(index: number): number;
}

export interface Walked {
  readonly entries: number;
  /** Keys and values; exact as long as all values are of one size. */
  readonly bytes: number;
}

/** The one who counts along and may want it to stop. */
export interface Watch {
  /** One operation is done. */
  operation(): void;
  /** Many are done at once, and when each was cannot be told. */
  operations(count: number): void;
  /** Whether it wants to know of each as it is done. */
  readonly timesEach: boolean;
  /** Called every {@link SLICE} operations; throws if it is time to stop. */
  pause(): Promise<void> | void;
}

/** Digits of a key after its prefix. */
export const KEY_DIGITS = 16;

/** Operations between two pauses: some milliseconds. */
const SLICE = 4096;

/** Places in the memory that is shared with LevelDB, in bytes. */
const AT = {
  error: 0, // char *
  size: 8, // size_t
  key: 16, // up to 1024 of prefix, and the digits
  pool: 2048,
} as const;

export class Operations {
  readonly #levelDb: LevelDb;
  readonly #database: Address;
  readonly #memory: Memory;
  readonly #keyBytes: number;
  readonly #poolBytes: number;
  readonly #readOptions: Address;
  readonly #writeOptions: Address;

  /**
   * @param database the handle of an open database
   * @param keyPrefix bytes `a` before the 16 digits of a key
   * @param pool what values are cut from
   */
  constructor(levelDb: LevelDb, database: Address, keyPrefix: number, pool: Buffer) {
    this.#levelDb = levelDb;
    this.#database = database;
    this.#keyBytes = keyPrefix + KEY_DIGITS;
    this.#poolBytes = pool.length;
    this.#memory = new Memory(levelDb, AT.pool + Math.ceil(pool.length / 8) * 8);
    this.#memory.bytes.fill(0x61, AT.key, AT.key + keyPrefix);
    this.#memory.bytes.set(pool, AT.pool);
    this.#readOptions = levelDb.call.newReadOptions();
    this.#writeOptions = levelDb.call.newWriteOptions();
  }

  /** Puts or deletes keys. */
  async write(run: WriteRun, watch: Watch): Promise<void> {
    const { call } = this.#levelDb;
    const { bytes, base } = this.#memory;
    const [database, options, error] = [this.#database, this.#writeOptions, base + AT.error];
    const [key, keyBytes, end] = [base + AT.key, this.#keyBytes, AT.key + this.#keyBytes];
    const cursor = new ValueCursor(this.#poolBytes);
    const batch = run.entriesPerBatch > 1 ? call.newBatch() : 0;
    call.setSync(options, Number(run.sync));
    try {
      // Hot loop: what is not LevelDB in here is about a tenth of a microsecond.
      for (let i = 0; i < run.count; i += 1) {
        writeDigits(bytes, end, run.key(i));
        if (run.kind === 'delete') call.delete(database, options, key, keyBytes, error);
        else {
          const value = base + AT.pool + cursor.next(run.valueBytes);
          if (batch === 0) call.put(database, options, key, keyBytes, value, run.valueBytes, error);
          else {
            call.batchPut(batch, key, keyBytes, value, run.valueBytes);
            if ((i + 1) % run.entriesPerBatch === 0 || i + 1 === run.count) {
              call.write(database, options, batch, error);
              call.clearBatch(batch);
            }
          }
        }
        if (this.#memory.hasError) this.#fail(run.kind === 'put' ? 'put' : 'del');
        watch.operation();
        if (i % SLICE === SLICE - 1) await watch.pause();
      }
    } finally {
      if (batch !== 0) call.freeBatch(batch);
    }
  }

  /** Steps through all entries in key order (or backwards), at most `limit` of them. */
  async walk(backwards: boolean, limit: number, watch: Watch): Promise<Walked> {
    const { call } = this.#levelDb;
    const { base } = this.#memory;
    const iterator = call.newIterator(this.#database, this.#readOptions);
    const step = backwards ? call.previous : call.next;
    let entries = 0;
    let sampled = 0;
    let sampledBytes = 0;
    try {
      if (limit > 0) (backwards ? call.toLast : call.toFirst)(iterator);
      while (entries < limit && call.isValid(iterator)) {
        // Asking for sizes is two more calls and two reads: one entry in 1024 is asked.
        sampled += 1;
        call.iteratorKey(iterator, base + AT.size);
        sampledBytes += this.#memory.word(AT.size);
        call.iteratorValue(iterator, base + AT.size);
        sampledBytes += this.#memory.word(AT.size);
        const end = Math.min(limit, entries + 1024);
        const start = entries;
        // Hot loop: two calls per entry are most of its price.
        do {
          step(iterator);
          entries += 1;
          if (watch.timesEach) watch.operation();
        } while (entries < end && call.isValid(iterator));
        if (!watch.timesEach) watch.operations(entries - start);
        if (entries % SLICE === 0) await watch.pause();
      }
      this.#checkIterator(iterator);
    } finally {
      call.freeIterator(iterator);
    }
    return { entries, bytes: sampled === 0 ? 0 : Math.round((sampledBytes / sampled) * entries) };
  }

  /** Looks keys up; returns how many were there. */
  async get(run: ReadRun, watch: Watch): Promise<number> {
    const { call } = this.#levelDb;
    const { bytes, base } = this.#memory;
    const [database, options, error] = [this.#database, this.#readOptions, base + AT.error];
    const [key, size, end] = [base + AT.key, base + AT.size, AT.key + this.#keyBytes];
    const keyBytes = this.#keyBytes - (run.missing ? 1 : 0);
    let found = 0;
    for (let i = 0; i < run.count; i += 1) {
      writeDigits(bytes, end, run.key(i));
      const value = call.get(database, options, key, keyBytes, size, error);
      if (value !== 0) {
        found += 1;
        call.free(value);
      } else if (this.#memory.hasError) this.#fail('get');
      watch.operation();
      if (i % SLICE === SLICE - 1) await watch.pause();
    }
    return found;
  }

  /** Positions an iterator at keys, a new one for each unless `reuse`; returns how many keys were there. */
  async seek(run: ReadRun & { readonly reuse: boolean }, watch: Watch): Promise<number> {
    const { call, compareBytes } = this.#levelDb;
    const { bytes, base } = this.#memory;
    const [key, keyBytes, end] = [base + AT.key, this.#keyBytes, AT.key + this.#keyBytes];
    const newIterator = () => call.newIterator(this.#database, this.#readOptions);
    const kept = run.reuse ? newIterator() : 0;
    let found = 0;
    try {
      for (let i = 0; i < run.count; i += 1) {
        const iterator = kept === 0 ? newIterator() : kept;
        writeDigits(bytes, end, run.key(i));
        call.seek(iterator, key, keyBytes);
        if (call.isValid(iterator)) {
          const there = call.iteratorKey(iterator, base + AT.size);
          if (this.#memory.word(AT.size) === keyBytes && compareBytes(there, key, keyBytes) === 0) found += 1;
        }
        if (kept === 0) call.freeIterator(iterator);
        watch.operation();
        if (i % SLICE === SLICE - 1) await watch.pause();
      }
    } finally {
      if (kept !== 0) call.freeIterator(kept);
    }
    return found;
  }

  /** Compacts everything. */
  compact(): void {
    this.#levelDb.call.compact(this.#database, 0, 0, 0, 0);
  }

  /** Gives back its memory; it cannot be used afterwards. */
  free(): void {
    const { call } = this.#levelDb;
    call.freeReadOptions(this.#readOptions);
    call.freeWriteOptions(this.#writeOptions);
    this.#memory.free();
  }

  #checkIterator(iterator: Address): void {
    this.#levelDb.call.iteratorError(iterator, this.#memory.base + AT.error);
    if (this.#memory.hasError) this.#fail('read');
  }

  #fail(what: string): never {
    throw new UserError(`${what} error: ${this.#memory.takeError()}`);
  }
}

/** Writes a key's digits so that they end before `end`. */
function writeDigits(into: Uint8Array, end: number, key: number): void {
  let rest = key;
  for (let at = end - 1; at >= end - KEY_DIGITS; at -= 1) {
    const tenth = Math.trunc(rest / 10);
    into[at] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
}
