import { type Assembler, R0, R1 } from './asm.ts';
import { FRAME } from './count-registers.ts';

/**
 * When calls happened, coarsely, for runs of any length: buckets of a second, of which there are 128; then buckets of two
 * seconds until there would be more than 128 of them, then of four. A key holds the level in its upper 16 bits and the
 * number of the bucket of that level in the lower ones, so that nothing has to be known of how long the run will be.
 */
export interface CoarseTime {
  /** Seconds of the monotonic clock from which buckets count: not after the first call. */
  readonly base: bigint;
  /**
   * How many keys are told apart by time. Once as many have been inserted, later ones are {@link UNTIMED}: a long run with
   * many of them must not fill the map that has to hold every call.
   */
  readonly mostKeys: number;
  /** Offset of the number of keys that were inserted, in the map of uncounted calls. */
  readonly insertedAt: number;
}

/** The bucket of calls whose time is not told apart. */
export const UNTIMED = 0xffffffff;

/** Seconds of the narrowest bucket. */
export const NARROWEST_SECONDS = 1;

const MOST_BUCKETS = 128;
/** The last level's buckets are as wide as an hour; of those there may be 65536. */
const LEVELS = 12;
const LEVEL_SHIFT = 16;
const NANOSECONDS = 1_000_000_000n;

/** Stores the bucket of now at `at` in the frame. Uses R0 to R5. */
export function emitCoarseTime(
  asm: Assembler,
  { base, mostKeys, insertedAt }: CoarseTime,
  map: number,
  at: number,
): void {
  const untimed = asm.fresh('time');
  const found = asm.fresh('time');
  const done = asm.fresh('time');
  asm.loadMapValue(R1, map).load(8, R1, R1, insertedAt).jumpIf(R1, '>=', mostKeys, untimed);
  asm.call('ktime_get_ns').load64(R1, NANOSECONDS).alu('div', R0, R1).load64(R1, base).alu('sub', R0, R1).mov(R1, 0);
  // No loop: verifiers of old kernels refuse them.
  for (let level = 0; level < LEVELS; level++) {
    asm
      .jumpIf(R0, '<', MOST_BUCKETS, found)
      .alu('rsh', R0, 1)
      .alu('add', R1, 1 << LEVEL_SHIFT);
  }
  asm.label(found).alu('or', R0, R1).store(4, FRAME, at, R0).jump(done);
  asm.label(untimed).store(4, FRAME, at, -1).label(done);
}

/** The width in seconds that holds a run in buckets of one width, no more than there are of a level. */
export function widthOf(seconds: number): number {
  let width = NARROWEST_SECONDS;
  while (seconds / width >= MOST_BUCKETS) width *= 2;
  return width;
}

/** The second, counted from the base, at which a bucket begins; null for {@link UNTIMED}. */
export function beginOf(bucket: number): number | null {
  if (bucket === UNTIMED) return null;
  return (bucket & 0xffff) * NARROWEST_SECONDS * 2 ** (bucket >>> LEVEL_SHIFT);
}
