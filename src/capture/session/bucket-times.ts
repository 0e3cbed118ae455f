import { UNKNOWN } from '../../census/call-key.ts';
import { beginOf, type CoarseTime, widthOf } from '../bpf/coarse-time.ts';

/** What the buckets in keys of a map are in a census, where all have one width and count from the start. */
export interface BucketTimes {
  readonly milliseconds: number;
  /** The bucket of a census for one of a key; {@link UNKNOWN} for keys without a time. */
  readonly of: (bucket: number) => number;
}

/**
 * Buckets of one width, numbered by the monotonic clock. The first began when the clock last passed a multiple of the
 * width.
 *
 * @param startedAt nanoseconds of that clock
 */
export function evenTimes(milliseconds: number, startedAt: bigint): BucketTimes {
  const first = Number(BigInt.asUintN(32, startedAt / BigInt(Math.round(milliseconds * 1e6))));
  return { milliseconds, of: (bucket) => (bucket - first) >>> 0 };
}

/** Buckets that are wider the later they are become as wide as the last one. */
export function coarseTimes({ base }: CoarseTime, startedAt: bigint, stoppedAt: bigint): BucketTimes {
  const secondOf = (time: bigint) => Number(time / 1_000_000_000n - base);
  const width = widthOf(secondOf(stoppedAt));
  const first = Math.floor(secondOf(startedAt) / width);
  return {
    milliseconds: width * 1000,
    of: (bucket) => {
      const begin = beginOf(bucket);
      return begin === null ? UNKNOWN : Math.max(0, Math.floor(begin / width) - first);
    },
  };
}
