import type { Census } from '../census/census.ts';
import type { Carried } from './reader.ts';

/** Writes a census in one format of stack data. One per format that can be written; `registry.ts` lists them. */
export interface CensusWriter {
  /** The name given to `--format` and `--to`. */
  readonly name: string;
  /** What the format is, for people. */
  readonly summary: string;
  /** What of a census is in the file. */
  readonly carries: readonly Carried[];
  /** Endings of file names that mean this format: `.pb.gz`. */
  readonly endings: readonly string[];
  /** The whole file. */
  write(census: Census): Promise<string | Buffer>;
}
