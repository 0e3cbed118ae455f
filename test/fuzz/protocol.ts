import type { CaseOptions } from './case.ts';

/** What a worker is started with: it tries cases `from`, `from + step`, … until it is ended. */
export interface WorkerPlan extends CaseOptions {
  readonly from: number;
  readonly step: number;
  /** No case of this number or above. */
  readonly end: number;
  /** Float64Array of {@link CELLS}, by which the main thread sees where the worker is. */
  readonly shared: SharedArrayBuffer;
  /** A file of the worker's own. */
  readonly scratch: string;
}

/** Places in the shared array. */
export const CELLS = { current: 0, done: 1, refused: 2, bytes: 3 } as const;

/** What a worker tells. */
export interface Finding {
  readonly number: number;
  readonly problem: string;
}

/** Bounds for one case, beyond what the process has already used. */
export const BOUNDS = { cpuSeconds: 10, megabytes: 300, bytesPerStack: 4096 } as const;
