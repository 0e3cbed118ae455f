/**
 * LevelDB through the public interface of npm `classic-level`, for machines where `leveldb-direct.ts` cannot, and for
 * several threads. Its writes run in Node's thread pool: with a pool of as many threads as there are db_bench threads,
 * a put is still one write(2) of LevelDB's log, and many in flight hide the way there and back. The kernel also sees
 * the wake-ups between the threads, which the original does not cause.
 */
import { mkdirSync, statSync } from 'node:fs';
import type { ClassicLevel } from 'classic-level';
import { messageOf, UserError } from '../errors.ts';
import { ValueCursor } from './random.ts';
import {
  breathe,
  KEY_DIGITS,
  type ReadRun,
  type Store,
  type StoreOptions,
  type Walked,
  type Watch,
  type WriteRun,
  writeDigits,
} from './store.ts';

type Database = ClassicLevel<Uint8Array, Uint8Array>;

/** Operations that are handed to the pool before the oldest of them is waited for, and bytes of their values. */
const WINDOW = 1000;
const WINDOW_BYTES = 8 << 20;

/** Iterators that are open at a time. */
const SEEK_WINDOW = 100;

/** Bits per key of the Bloom filter that is built into classic-level. */
export const NAPI_BLOOM_BITS = 10;

/** @throws UserError with LevelDB's own message if it cannot be opened */
export async function openNapi(options: StoreOptions, threads: number): Promise<Store> {
  const { ClassicLevel } = await import('classic-level');
  const database: Database = new ClassicLevel(options.path, { keyEncoding: 'view', valueEncoding: 'view' });
  // As LevelDB does, only the last folder is made. (classic-level's own way never returns for a path under /proc.)
  if (options.createIfMissing) {
    try {
      mkdirSync(options.path);
    } catch (error) {
      if (!statSync(options.path, { throwIfNoEntry: false })?.isDirectory()) {
        throw new UserError(`open error: IO error: ${messageOf(error)}`, { cause: error });
      }
    }
  }
  try {
    await database.open({
      createIfMissing: options.createIfMissing,
      compression: options.compression,
      ...(options.writeBufferSize !== undefined && { writeBufferSize: options.writeBufferSize }),
      ...(options.maxFileSize !== undefined && { maxFileSize: options.maxFileSize }),
      ...(options.blockSize !== undefined && { blockSize: options.blockSize }),
      ...(options.cacheSize !== undefined && { cacheSize: options.cacheSize }),
      ...(options.openFiles !== undefined && { maxOpenFiles: options.openFiles }),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new UserError(`open error: ${messageOf(cause)}`, { cause: error });
  }
  return new NapiStore(database, options, threads);
}

/** Removes a database's files. What cannot be removed is left, as in db_bench. */
export async function destroyNapi(path: string): Promise<void> {
  const { ClassicLevel } = await import('classic-level');
  await ClassicLevel.destroy(path).catch(() => undefined);
}

class NapiStore implements Store {
  readonly #database: Database;
  readonly #pool: Buffer;
  readonly #keyPrefix: number;
  readonly #threads: number;

  constructor(database: Database, options: StoreOptions, threads: number) {
    this.#database = database;
    this.#pool = options.pool;
    this.#keyPrefix = options.keyPrefix;
    this.#threads = threads;
  }

  async write(run: WriteRun, watch: Watch): Promise<void> {
    const database = this.#database;
    const key = this.#newKey();
    const cursor = new ValueCursor(this.#pool.length);
    const done = () => watch.operation();
    const window = Math.max(1, Math.min(WINDOW, Math.floor(WINDOW_BYTES / (run.valueBytes + 1))));
    const write = run.sync ? { sync: true } : {};
    const next = (index: number) => {
      writeDigits(key, key.length, run.key(index));
      const start = run.kind === 'put' ? cursor.next(run.valueBytes) : 0;
      return this.#pool.subarray(start, start + run.valueBytes);
    };
    try {
      if (run.entriesPerBatch > 1) {
        for (let i = 0; i < run.count; ) {
          const batch = database.batch();
          const end = Math.min(run.count, i + run.entriesPerBatch);
          const size = end - i;
          for (; i < end; i += 1) {
            const value = next(i);
            batch.put(key, value);
          }
          await batch.write(write);
          watch.operations(size);
          watch.signal.throwIfAborted();
        }
        return;
      }
      // The key's bytes are copied by the call, so that one buffer serves all.
      let earlier: Promise<unknown> = Promise.resolve();
      for (let i = 0; i < run.count; ) {
        const end = Math.min(run.count, i + window);
        const started: Promise<void>[] = [];
        for (; i < end; i += 1) {
          const value = next(i);
          const one = run.kind === 'put' ? database.put(key, value, write) : database.del(key, write);
          started.push(one.then(done));
        }
        await earlier;
        earlier = Promise.all(started);
        earlier.catch(() => undefined); // thrown where it is awaited
        watch.signal.throwIfAborted();
      }
      await earlier;
    } catch (error) {
      if (watch.signal.aborted) throw error;
      throw new UserError(`${run.kind === 'put' ? 'put' : 'del'} error: ${messageOf(error)}`, { cause: error });
    }
  }

  async walk(backwards: boolean, limit: number, watch: Watch): Promise<Walked> {
    // Text is the cheapest to hand over; the values of db_bench are ASCII, so lengths are bytes.
    const iterator = this.#database.iterator<string, string>({
      reverse: backwards,
      limit,
      keyEncoding: 'utf8',
      valueEncoding: 'utf8',
      signal: watch.signal,
    });
    let entries = 0;
    let bytes = 0;
    try {
      for (;;) {
        const some = await iterator.nextv(1000);
        if (some.length === 0) break;
        for (const [key, value] of some) bytes += key.length + value.length;
        entries += some.length;
        watch.operations(some.length);
      }
    } finally {
      await iterator.close();
    }
    return { entries, bytes };
  }

  async get(run: ReadRun, watch: Watch): Promise<number> {
    const whole = this.#newKey();
    const key = run.missing ? whole.subarray(0, -1) : whole;
    let found = 0;
    if (this.#threads === 1) {
      for (let i = 0; i < run.count; i += 1) {
        writeDigits(whole, whole.length, run.key(i));
        if (this.#database.getSync(key) !== undefined) found += 1;
        watch.operation();
        if (i % WINDOW === WINDOW - 1) await breathe(watch.signal);
      }
      return found;
    }
    for (let i = 0; i < run.count; ) {
      const end = Math.min(run.count, i + WINDOW);
      const started: Promise<void>[] = [];
      for (; i < end; i += 1) {
        writeDigits(whole, whole.length, run.key(i));
        const one = this.#database.get(Buffer.from(key)).then((value) => {
          if (value !== undefined) found += 1;
          watch.operation();
        });
        started.push(one);
      }
      await Promise.all(started);
      watch.signal.throwIfAborted();
    }
    return found;
  }

  async seek(run: ReadRun & { readonly reuse: boolean }, watch: Watch): Promise<number> {
    const key = this.#newKey();
    const kept = run.reuse ? this.#database.iterator({ values: false }) : undefined;
    let found = 0;
    try {
      for (let i = 0; i < run.count; ) {
        const end = Math.min(run.count, i + (kept ? 1 : SEEK_WINDOW));
        const started: Promise<void>[] = [];
        for (; i < end; i += 1) {
          writeDigits(key, key.length, run.key(i));
          const target = Buffer.from(key);
          const iterator = kept ?? this.#database.iterator({ values: false });
          iterator.seek(target);
          const look = async () => {
            const entry = await iterator.next();
            if (entry && Buffer.compare(entry[0], target) === 0) found += 1;
            if (!kept) await iterator.close();
            watch.operation();
          };
          started.push(look());
        }
        await Promise.all(started);
        watch.signal.throwIfAborted();
      }
    } finally {
      await kept?.close();
    }
    return found;
  }

  async compact(): Promise<void> {
    await this.#database.compactRange(Buffer.alloc(0), Buffer.alloc(this.#keyPrefix + KEY_DIGITS, 0xff));
  }

  property(name: string): string | undefined {
    return this.#database.getProperty(name) || undefined;
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  #newKey(): Buffer {
    return Buffer.alloc(this.#keyPrefix + KEY_DIGITS, 'a');
  }
}
