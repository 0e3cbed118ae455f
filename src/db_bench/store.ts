/**
 * What db_bench asks of a LevelDB, as runs of operations instead of single ones: a run is where an implementation can
 * keep the price per operation down to what LevelDB itself costs.
 */
export interface Store {
  /** Puts or deletes keys. */
  write(run: WriteRun, watch: Watch): Promise<void>;
  /** Steps through all entries in key order (or backwards), at most `limit` of them. */
  walk(backwards: boolean, limit: number, watch: Watch): Promise<Walked>;
  /** Looks keys up; returns how many were there. */
  get(run: ReadRun, watch: Watch): Promise<number>;
  /** Positions an iterator at keys, a new one for each unless `reuse`; returns how many keys were there. */
  seek(run: ReadRun & { readonly reuse: boolean }, watch: Watch): Promise<number>;
  /** Compacts everything. */
  compact(): Promise<void>;
  /** A property such as `leveldb.stats`; undefined if LevelDB does not know it. */
  property(name: string): string | undefined;
  close(): Promise<void>;
}

/** How to open a database; `undefined` leaves LevelDB's own default. */
export interface StoreOptions {
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
  /** Bytes `a` before the 16 digits of a key. */
  readonly keyPrefix: number;
  /** What values are cut from. */
  readonly pool: Buffer;
}

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
  readonly signal: AbortSignal;
}

/** Digits of a key after its prefix. */
export const KEY_DIGITS = 16;

/** Operations between two looks at signals and timers: some milliseconds. */
export const SLICE = 4096;

/** Lets signals and timers in; throws if it is time to stop. */
export async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise((resume) => setImmediate(resume));
  signal.throwIfAborted();
}

/** Writes a key's digits so that they end before `end`. */
export function writeDigits(into: Uint8Array, end: number, key: number): void {
  let rest = key;
  for (let at = end - 1; at >= end - KEY_DIGITS; at -= 1) {
    const tenth = Math.trunc(rest / 10);
    into[at] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
}
