/** The flags, by db_bench's names. */
export interface DbBenchFlags {
  readonly benchmarks: string;
  readonly num: number;
  /** Read operations; negative means as many as `num`. */
  readonly reads: number;
  readonly threads: number;
  readonly value_size: number;
  readonly compression_ratio: number;
  readonly compression: boolean;
  readonly histogram: boolean;
  readonly use_existing_db: boolean;
  /** 0 (files: undefined) leaves LevelDB's default. */
  readonly write_buffer_size: number;
  readonly max_file_size: number;
  readonly block_size: number;
  readonly open_files: number;
  /** Negative leaves LevelDB's default. */
  readonly cache_size: number;
  /** Negative is no filter. */
  readonly bloom_bits: number;
  readonly key_prefix: number;
  readonly db: string | undefined;
}

/** Run when `--benchmarks` is not given: the original's list without those that only exercise a checksum or codec. */
export const DEFAULT_BENCHMARKS =
  'fillseq,fillsync,fillrandom,overwrite,readrandom,readrandom,readseq,readreverse,compact,readrandom,readseq,readreverse,fill100K';
