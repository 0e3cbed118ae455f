/** One stretch of a workload, such as one benchmark of a db_bench run. */
export interface WorkloadPhase {
  readonly name: string;
  /** Milliseconds since calls began to be counted. */
  readonly startMs?: number;
  readonly endMs?: number;
  /** Operations the phase did, where the workload says so. */
  readonly operations?: number;
  /** As the workload reports it, per operation and thread. */
  readonly microsPerOp?: number;
  /** What else the workload printed of it, with units in the key. */
  readonly [fact: string]: string | number | undefined;
}

/** Something a workload ran beside others, such as one job of fio. */
export interface WorkloadJob {
  readonly name: string;
  readonly operations?: number;
  /** What else the workload printed of it: `what: 'randwrite, 4096B-4096B, psync, depth 1'`. */
  readonly [fact: string]: string | number | undefined;
}

/**
 * What is known of the program that ran while calls were counted. Facts are numbers with the unit in the key
 * (`rawSizeMB`), or texts as they were written (`rawSize: '110.6MB'`); what is not known is absent.
 */
export interface Workload {
  /** `db_bench`, `fio`, `sysbench`, `stress-ng`, or the command's own name if only its phases are known. */
  readonly name: string;
  /** In the order of time. */
  readonly phases?: readonly WorkloadPhase[];
  readonly jobs?: readonly WorkloadJob[];
  readonly [fact: string]: string | number | readonly WorkloadPhase[] | readonly WorkloadJob[] | undefined;
}
