import { kernelKnowledge } from '../atlas/knowledge.ts';
import type { Census } from '../census/census.ts';
import { mergeCensus } from '../census/merge.ts';
import { messageOf, UserError } from '../errors.ts';
import { type ReadResult, readFile } from '../formats/read-file.ts';
import type { FormatReader, ReaderOptions } from '../formats/reader.ts';
import { readerNamed } from '../formats/registry.ts';
import { type InputFile, inputFile } from './report.ts';

/** What the bytes of recordings do not tell. */
export interface InputOptions {
  /** Name of the format; told by the content otherwise. */
  readonly format?: string;
  /** Names of targets, for sources that do not tell them. */
  readonly targets?: readonly string[];
  /** Values of the options that readers declare. */
  readonly readerOptions?: ReaderOptions;
  /** Called now and then with the file being read and the bytes read of it so far, compression taken off. */
  readonly onProgress?: (file: string, bytes: number) => void;
  /** Called when a file was read, or given up. */
  readonly onDone?: () => void;
}

/** A file of which nothing could be used. */
export interface UnreadableFile {
  readonly name: string;
  readonly why: string;
}

/** Several recordings counted together. */
export interface Inputs {
  readonly census: Census;
  /** The files that were read, in the order given. */
  readonly files: readonly InputFile[];
  readonly unreadable: readonly UnreadableFile[];
}

/**
 * Reads one recording of any known format ('-' is standard input).
 *
 * @throws {UserError} nothing usable in it
 */
export function readRecording(file: string, options: InputOptions = {}): Promise<ReadResult> {
  const reader: FormatReader | undefined = options.format === undefined ? undefined : readerNamed(options.format);
  const { targets, readerOptions, onProgress } = options;
  return readFile(file, {
    knowledge: kernelKnowledge(),
    ...(reader && { reader }),
    ...(readerOptions && { options: readerOptions }),
    ...(targets && { targets }),
    ...(onProgress && { onProgress: (bytes: number) => onProgress(file, bytes) }),
  });
}

/**
 * Reads recordings and counts them together. A file of which nothing can be used is told of, and the others are read.
 *
 * @throws {UserError} nothing usable in any file
 */
export async function readInputs(files: readonly string[], options: InputOptions = {}): Promise<Inputs> {
  const results: ReadResult[] = [];
  const unreadable: UnreadableFile[] = [];
  for (const name of files) {
    try {
      results.push(await readRecording(name, options));
    } catch (error) {
      if (!(error instanceof UserError) || error.exitStatus === 2) throw error;
      unreadable.push({ name, why: messageOf(error) });
    } finally {
      options.onDone?.();
    }
  }
  const [first, ...others] = results;
  if (!first) throw new UserError(unreadable.map(({ why }) => why).join('\nwhocalls: '));
  for (const other of others) mergeCensus(first.census, other.census);
  return { census: first.census, files: results.map(inputFile), unreadable };
}
