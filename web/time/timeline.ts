// When calls happened: bars of equal width where times were recorded, else what fell into each phase of the workload.
import type { PageData } from '../data/columns.ts';
import type { Report } from '../report.ts';

/** A phase of the workload with the calls that fell into it. */
export interface PhaseCalls {
  readonly name: string;
  /** Milliseconds since counting began. */
  readonly from: number;
  readonly to: number;
  readonly calls: number;
  /** null where the workload does not say. */
  readonly operations: number | null;
}

/** A stretch of time with its calls. */
export interface Bar {
  readonly from: number;
  readonly to: number;
  readonly calls: number;
  /** By family of the subsystem that called, in the order of `PageData.families`. */
  readonly byFamily: Float64Array;
}

export interface Timeline {
  /** Milliseconds. */
  readonly end: number;
  /** Whether times were recorded, or only the phase of each call; `null`: neither. */
  readonly kind: 'times' | 'phases' | null;
  readonly phases: readonly PhaseCalls[];
  /** Where times were recorded: bars of one width, without gaps. */
  readonly bars: readonly Bar[];
  /** Calls in none of the phases, those without a time among them. */
  readonly outside: number;
  /** Calls of which no time is known. */
  readonly untimed: number;
  readonly total: number;
}

/** Bars of a chart; more are not told apart. */
const MOST_BARS = 160;

/** @param included by row: 1 where it is shown; null: all are */
export function timelineOf(data: PageData, report: Report, included: Uint8Array | null): Timeline {
  const { rows, bucketMilliseconds: width } = data;
  const { bucket } = rows;
  const phases = timedPhases(report);
  const total = sumOf(rows.calls, included);
  const lastBucket = bucket?.reduce((most, one) => Math.max(most, one), -1) ?? -1;
  if (bucket === null || width === null || lastBucket < 0) {
    return { end: 0, kind: null, phases: [], bars: [], outside: total, untimed: total, total };
  }
  const end = Math.max(
    (report.durationSeconds ?? 0) * 1000,
    (lastBucket + 1) * width,
    ...phases.map(({ endMs }) => endMs),
  );
  const phaseOf = phaseFinder(phases, width);
  const calls = new Float64Array(phases.length);
  let untimed = 0;
  let outside = 0;
  for (let row = 0; row < rows.count; row++) {
    if (included !== null && !included[row]) continue;
    const count = rows.calls[row] as number;
    if ((bucket[row] as number) < 0) untimed += count;
    const phase = phaseOf(bucket[row] as number);
    if (phase < 0) outside += count;
    else (calls[phase] as number) += count;
  }
  const kind = isByPhaseOnly(bucket, phases.length, phaseOf) ? 'phases' : 'times';
  return {
    end,
    kind,
    phases: phases.map(({ name, startMs, endMs, operations = null }, i) => ({
      name,
      from: startMs,
      to: endMs,
      calls: calls[i] as number,
      operations,
    })),
    bars: kind === 'times' ? barsOf(data, included, end) : [],
    outside,
    untimed,
    total,
  };
}

type TimedPhase = Report['workload'] extends infer W
  ? W extends { readonly phases: readonly (infer P)[] }
    ? P & { readonly startMs: number; readonly endMs: number }
    : never
  : never;

function timedPhases({ workload }: Report): TimedPhase[] {
  return (workload?.phases ?? []).flatMap((phase) => {
    const { startMs = 0, endMs } = phase;
    return endMs === undefined ? [] : [{ ...phase, startMs, endMs }];
  });
}

/** A call belongs to the phase that ran in the middle of its time bucket; -1: none. */
function phaseFinder(phases: readonly TimedPhase[], width: number): (bucket: number) => number {
  const known = new Map<number, number>();
  return (bucket) => {
    if (bucket < 0) return -1;
    let phase = known.get(bucket);
    if (phase === undefined) {
      const middle = (bucket + 0.5) * width;
      phase = phases.findIndex(({ startMs, endMs }) => startMs <= middle && middle < endMs);
      known.set(bucket, phase);
    }
    return phase;
  };
}

/** Captures that kept only the phases have one bucket for each, and none besides. */
function isByPhaseOnly(bucket: Int32Array, phases: number, phaseOf: (bucket: number) => number): boolean {
  if (phases === 0) return false;
  const seen = new Map<number, number>();
  for (const one of bucket) {
    if (one < 0) continue;
    const phase = phaseOf(one);
    if (phase < 0 || (seen.get(phase) ?? one) !== one) return false;
    seen.set(phase, one);
  }
  return true;
}

function barsOf(data: PageData, included: Uint8Array | null, end: number): Bar[] {
  const { rows, families } = data;
  const width = data.bucketMilliseconds as number;
  const bucket = rows.bucket as Int32Array;
  // A power of two, as coarse times are kept (src/census/phases.ts): a stretch of theirs is in one bar.
  let together = 1;
  while (end / width / together > MOST_BARS) together *= 2;
  const step = together * width;
  const bars = Array.from({ length: Math.max(1, Math.ceil(end / step)) }, (_, i) => ({
    from: i * step,
    to: (i + 1) * step,
    calls: 0,
    byFamily: new Float64Array(families.length),
  }));
  const familyOf = familyByRow(data);
  for (let row = 0; row < rows.count; row++) {
    const one = bucket[row] as number;
    const bar = bars[Math.floor(one / together)];
    if (one < 0 || bar === undefined || (included !== null && !included[row])) continue;
    const count = rows.calls[row] as number;
    bar.calls += count;
    (bar.byFamily[familyOf(row)] as number) += count;
  }
  return bars;
}

/** The family of the subsystem that decided to call; the last one where it is not known. */
function familyByRow({ dimensions, symbols, families }: PageData): (row: number) => number {
  const bySubsystem = new Map<string, number>();
  for (let symbol = 0; symbol < symbols.count; symbol++) {
    const subsystem = symbols.subsystem(symbol);
    if (subsystem !== '') bySubsystem.set(subsystem, symbols.family[symbol] as number);
  }
  const dimension = dimensions.find(({ name }) => name === 'subsystem');
  const core = Math.max(0, families.indexOf('core'));
  const byValue = (dimension?.values ?? []).map((value) => bySubsystem.get(value) ?? core);
  return (row) => byValue[dimension?.of[row] ?? -1] ?? core;
}

function sumOf(values: Float64Array, included: Uint8Array | null): number {
  let sum = 0;
  for (let row = 0; row < values.length; row++) if (included === null || included[row]) sum += values[row] as number;
  return sum;
}
