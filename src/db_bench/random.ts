/**
 * The pseudo-random sequence of LevelDB's db_bench: Lehmer's generator x -> 16807 x mod (2^31 - 1).
 * The same seeds therefore visit the same keys in the same order as the original does.
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    const state = seed % 2 ** 31;
    this.#state = state === 0 || state === MODULUS ? 1 : state;
  }

  /** The next number of the sequence, in 1 … 2^31 - 2. */
  next(): number {
    // The product stays below 2^46, so a double holds it exactly.
    this.#state = (this.#state * 16807) % MODULUS;
    return this.#state;
  }

  /** A number in 0 … limit - 1. */
  below(limit: number): number {
    return this.next() % limit;
  }
}

const MODULUS = 2 ** 31 - 1;

/** Length of {@link valuePool} in bytes: more than Snappy's window, more than any usual value. */
export const POOL_BYTES = 2 ** 20;

const PIECE_BYTES = 100;

/**
 * Bytes from which values are cut: printable random text, in pieces of 100 bytes, of which each repeats itself so that
 * a compressor gets it down to `ratio` of its size.
 */
export function valuePool(ratio: number): Buffer {
  const random = new Random(301);
  const fresh = Math.max(1, Math.trunc(PIECE_BYTES * ratio));
  const pool = Buffer.alloc(Math.ceil(POOL_BYTES / PIECE_BYTES) * PIECE_BYTES);
  for (let piece = 0; piece < pool.length; piece += PIECE_BYTES) {
    for (let i = 0; i < PIECE_BYTES; i += 1)
      pool[piece + i] = i < fresh ? 0x20 + random.below(95) : (pool[piece + i - fresh] ?? 0);
  }
  return pool;
}

/** Walks through the pool, value after value, and starts again where the rest is too short. */
export class ValueCursor {
  #position = 0;
  readonly #poolBytes: number;

  constructor(poolBytes: number) {
    this.#poolBytes = poolBytes;
  }

  /** Where in the pool the next value of this length begins. */
  next(length: number): number {
    if (this.#position + length > this.#poolBytes) this.#position = 0;
    const start = this.#position;
    this.#position += length;
    return start;
  }
}
