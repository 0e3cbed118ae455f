/**
 * What is known of the workload a census was taken under. Names are those of the JSON report's `workload`;
 * facts that the workload did not tell are absent.
 */
export interface Workload {
  /** `db_bench`, `fio`, `sysbench`, `stress-ng`, or the command's own name if only its phases are known. */
  readonly name: string;
  /** Whose db_bench: `LevelDB` or `RocksDB`. */
  readonly engine?: string;
  readonly version?: string;
  /** As the benchmark printed it. */
  readonly date?: string;
  readonly cpu?: string;
  readonly cpuCache?: string;
  readonly keyBytes?: number;
  readonly valueBytes?: number;
  readonly compressedValueBytes?: number;
  readonly entries?: number;
  /** Megabytes of 1,048,576 bytes, as printed (estimates). */
  readonly rawSizeMB?: number;
  readonly fileSizeMB?: number;
  readonly threads?: number;
  /** fio's jobs or stress-ng's stressors. */
  readonly jobs?: readonly WorkloadJob[];
  /** In the order of time. */
  readonly phases: readonly Phase[];
}

/** Something that a benchmark runs beside others. */
export interface WorkloadJob {
  readonly name: string;
  /** What it does, for fio: `randwrite, 4096B-4096B, psync, depth 1`. */
  readonly what?: string;
  readonly operations?: number;
}

/** A stretch of the workload. Times are milliseconds on the caller's clock. */
export interface Phase {
  readonly name: string;
  readonly startMs: number;
  /** When the line that ends it was read. */
  readonly endMs: number;
  /** Absent if it cannot be told. */
  readonly operations?: number;
  /** As the benchmark reports it, per operation and thread. */
  readonly microsPerOp?: number;
}

/** A phase or workload under construction. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
