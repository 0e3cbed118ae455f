import { Census, UNKNOWN } from './census.ts';
import { mergeCensus } from './merge.ts';
import type { WorkloadPhase } from './workload.ts';

/** A phase of the workload with the calls counted while it ran. */
export interface PhaseCalls {
  readonly phase: WorkloadPhase;
  readonly calls: number;
}

/** Finds the phase in which the calls of a time bucket happened. */
export class PhaseClock {
  readonly phases: readonly WorkloadPhase[];
  readonly #width: number | null;

  /** Phases and buckets are those of the census; a merged census of several runs has no common clock and no phases. */
  constructor(census: Census) {
    const { workloads, bucketMilliseconds } = census.facts;
    this.phases = workloads.length === 1 ? (workloads[0]?.phases ?? []) : [];
    this.#width = bucketMilliseconds;
  }

  /** The phase that ran in the middle of a bucket; null where none did or time was not recorded. */
  phaseOf(bucket: number): WorkloadPhase | null {
    if (bucket === UNKNOWN || this.#width === null) return null;
    const middle = (bucket + 0.5) * this.#width;
    for (const phase of this.phases) {
      const { startMs = 0, endMs } = phase;
      if (endMs !== undefined && startMs <= middle && middle < endMs) return phase;
    }
    return null;
  }
}

/** How many calls each phase of the workload saw; [] where the census has no phases or no times. */
export function callsPerPhase(census: Census): PhaseCalls[] {
  const clock = new PhaseClock(census);
  if (clock.phases.length === 0 || census.facts.bucketMilliseconds === null) return [];
  const calls = new Map<WorkloadPhase, number>();
  for (const row of census.rows) {
    const phase = clock.phaseOf(census.keys.at(row.key).bucket);
    if (phase) calls.set(phase, (calls.get(phase) ?? 0) + row.count);
  }
  return clock.phases.map((phase) => ({ phase, calls: calls.get(phase) ?? 0 }));
}

/**
 * The same census with all calls of a phase in one time bucket, and none for calls outside the phases: the phases are
 * kept, and a long run takes no more rows than a short one.
 */
export function foldIntoPhases(census: Census): Census {
  const clock = new PhaseClock(census);
  const width = census.facts.bucketMilliseconds;
  if (clock.phases.length === 0 || width === null) return census;
  const folded = new Census();
  const firstBuckets = new Map<WorkloadPhase, number>();
  mergeCensus(folded, census, (bucket) => {
    const phase = clock.phaseOf(bucket);
    if (phase?.endMs === undefined) return UNKNOWN;
    // A bucket whose middle lies within the phase, however short that is: the first that was found there.
    let first = firstBuckets.get(phase);
    if (first === undefined) {
      first = bucket;
      firstBuckets.set(phase, first);
    }
    return first;
  });
  return folded;
}

/** Stretches of time that are told apart at most; the page draws no more bars. */
const MOST_STRETCHES = 160;

/**
 * The same census with times as coarse as a chart shows them: stretches of a power of two of time buckets, at most 160 of
 * them, and each of them apart for each phase, so that phases stay exact. A long run takes no more rows than a short one.
 */
export function coarsenTimes(census: Census): Census {
  const { bucketMilliseconds: width, durationSeconds } = census.facts;
  if (width === null || durationSeconds === null) return census;
  let together = 1;
  while ((durationSeconds * 1000) / width / together > MOST_STRETCHES) together *= 2;
  if (together === 1) return census;
  const clock = new PhaseClock(census);
  const stretchOf = (bucket: number) => {
    const phase = clock.phaseOf(bucket);
    return `${Math.floor(bucket / together)}/${phase === null ? '' : clock.phases.indexOf(phase)}`;
  };
  // A stretch is told by its first bucket: that lies within it, and within the phase.
  const firsts = new Map<string, number>();
  for (const { key } of census.rows) {
    const { bucket } = census.keys.at(key);
    if (bucket === UNKNOWN) continue;
    const stretch = stretchOf(bucket);
    firsts.set(stretch, Math.min(bucket, firsts.get(stretch) ?? bucket));
  }
  const coarse = new Census();
  mergeCensus(coarse, census, (bucket) => (bucket === UNKNOWN ? UNKNOWN : (firsts.get(stretchOf(bucket)) ?? bucket)));
  return coarse;
}
