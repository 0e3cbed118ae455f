import { UserError } from '../errors.ts';
import type { CensusBuilder } from './builder.ts';
import type { Diagnostics } from './diagnostics.ts';

/** A stream of bytes. A chunk is valid only until the next one is asked for: keep a copy, not a view. */
export type ByteStream = AsyncIterable<Buffer>;

/** What a reader thinks of the first bytes of a file; `more` asks for a longer head. */
export type SniffResult = 'yes' | 'no' | 'more';

/** A choice of the user that a reader cannot make from the bytes alone. */
export interface ReaderOption {
  /** The key in {@link ReaderOptions}. */
  readonly name: string;
  /** The option of the command line: `--leaf-first`, `--kallsyms <file>`. */
  readonly flag: string;
  readonly summary: string;
}

/** Values of the options that readers declare, by name. */
export type ReaderOptions = Readonly<Record<string, boolean | string | undefined>>;

/** What a format can carry besides stacks and how often each came, in the order in which it is told. */
export const CARRIED = [
  'targets',
  'process',
  'pid',
  'CPU',
  'time',
  'argument',
  'report',
  'measures',
  'losses',
  'offsets',
  'modules',
  'user frames',
  'source lines',
  'unreliable frames',
  'inlined frames',
] as const;
export type Carried = (typeof CARRIED)[number];

/** Reads one format of stack data. One per format; `registry.ts` lists them. */
export interface FormatReader {
  /** The name shown in reports and given to `--input-format`. */
  readonly name: string;
  /** What the format is, for people. */
  readonly summary: string;
  /** What files of it can hold; no file need have all of it. */
  readonly carries: readonly Carried[];
  readonly options?: readonly ReaderOption[];
  /** Whether these first bytes are of this format. `isWhole` says that the file ends with them. */
  sniff(head: Buffer, fileName: string, isWhole: boolean): SniffResult;
  /** What there is to say of a file by its first bytes, such as its version and parts: a line each. */
  describe?(head: Buffer): readonly string[];
  /**
   * Reads all of `bytes` into the builder. What cannot be read is counted in `diagnostics` and skipped.
   *
   * @throws {MalformedInput} where nothing sensible can follow
   */
  read(bytes: ByteStream, builder: CensusBuilder, diagnostics: Diagnostics, options: ReaderOptions): Promise<void>;
}

/** The bytes are of no known format. */
export class UnknownFormat extends UserError {
  override readonly name = 'UnknownFormat';
}

/** The format is known and the bytes break its rules. */
export class MalformedInput extends UserError {
  override readonly name = 'MalformedInput';
}

/** The input ends too early; what came before was read. */
export class TruncatedInput extends UserError {
  override readonly name = 'TruncatedInput';
}
