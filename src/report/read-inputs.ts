import { kernelKnowledge } from '../atlas/knowledge.ts';
import type { Census } from '../census/census.ts';
import { mergeCensus } from '../census/merge.ts';
import { messageOf, UserError } from '../errors.ts';
import { filesUnder } from '../formats/directory.ts';
import { type ReadResult, readFile, TOO_MANY_CALLS } from '../formats/read-file.ts';
import type { FormatReader, ReaderOptions } from '../formats/reader.ts';
import { readerNamed } from '../formats/registry.ts';
import { type InputFile, inputFile, type ReportInput, type UnreadableFile } from './report.ts';

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

/** Several recordings counted together. */
export interface Inputs extends ReportInput {
  readonly census: Census;
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
 * Reads recordings and counts them together. Of a directory all files are read. A file of which nothing can be used is
 * told of, and the others are read.
 *
 * @throws {UserError} nothing usable in any file
 */
export async function readInputs(names: readonly string[], options: InputOptions = {}): Promise<Inputs> {
  let census: Census | undefined;
  const files: InputFile[] = [];
  const unreadable: UnreadableFile[] = [];
  const attempt = async (name: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof UserError) || error.exitStatus === 2) throw error;
      unreadable.push({ name, why: messageOf(error) });
    }
  };
  for (const given of names) {
    await attempt(given, async () => {
      for (const name of await filesOf(given)) {
        await attempt(name, async () => {
          const result = await readRecording(name, options).finally(() => options.onDone?.());
          if (!Number.isSafeInteger((census?.total ?? 0) + result.census.total)) {
            throw new UserError(`${name} ${TOO_MANY_CALLS} with those of the other files`);
          }
          files.push(inputFile(result));
          if (census) mergeCensus(census, result.census);
          else census = result.census;
        });
      }
    });
  }
  if (census) return { census, files: files.sort(byName), unreadable: unreadable.sort(byName) };
  throw new UserError(noneRead(unreadable));
}

/** Reports of the same files are the same, whatever the order in which they were named. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

async function filesOf(name: string): Promise<string[]> {
  const files = await filesUnder(name);
  if (files.length === 0) throw new UserError(`${name} is a directory without files`);
  return files;
}

function noneRead(unreadable: readonly UnreadableFile[]): string {
  const reasons = unreadable.map(({ why }) => why);
  return reasons.length === 1
    ? reasons.join()
    : [`none of ${reasons.length} files could be read:`, ...reasons].join('\n  ');
}
