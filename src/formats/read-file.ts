import type { Census } from '../census/census.ts';
import type { KernelKnowledge } from '../census/knowledge.ts';
import { UserError } from '../errors.ts';
import { CensusBuilder } from './builder.ts';
import { Diagnostics } from './diagnostics.ts';
import { foreignFormat } from './foreign.ts';
import { type Input, takeHead, withInput } from './input.ts';
import {
  type ByteStream,
  type FormatReader,
  MalformedInput,
  type ReaderOptions,
  TruncatedInput,
  UnknownFormat,
} from './reader.ts';
import { READERS, sniffReader } from './registry.ts';

/** What one file yielded. */
export interface ReadResult {
  /** The file's name as given, `standard input` for '-'. */
  readonly name: string;
  /** Name of its format. */
  readonly format: string;
  readonly census: Census;
  readonly diagnostics: Diagnostics;
}

/** How much of a file formats are told by, in bytes: first a little, then more where a format asks for it. */
const HEADS = [1 << 12, 1 << 16, 1 << 20];

/** How the reports begin that hold groups and no stacks: JSON, CSV, text. */
const OWN_REPORTS = [
  /^\s*\{\s*"schema": ?"whocalls\/report\//,
  /^rank,count,share,key,site,/,
  /^! \d+ of \d+ calls \(|^Total \d+ calls\b.* attributed \d+ \(/m,
];

/** Sums are exact, or there is none. */
export const TOO_MANY_CALLS = 'tells of more than 2^53 calls, which cannot be added up exactly';

export interface ReadFileOptions {
  readonly knowledge: KernelKnowledge;
  /** Names of targets, for sources that do not tell them. */
  readonly targets?: readonly string[];
  /** Values of what readers declare as their options. */
  readonly options?: ReaderOptions;
  /** The format, where the user says it. */
  readonly reader?: FormatReader;
  /** Called now and then with the number of bytes read so far, compression taken off. */
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Reads a file of any known format ('-' is standard input). What can be read of a damaged or truncated file is
 * returned, with what is missing in `diagnostics`.
 *
 * @throws {UserError} nothing usable: missing file, {@link UnknownFormat}, {@link MalformedInput}
 */
export async function readFile(path: string, options: ReadFileOptions): Promise<ReadResult> {
  return withInput(path, (input) => readInput(input, options));
}

/** {@link readFile} for bytes from anywhere. */
export async function readInput(input: Input, options: ReadFileOptions): Promise<ReadResult> {
  const diagnostics = new Diagnostics();
  const builder = new CensusBuilder(options.knowledge, diagnostics);
  builder.nameTargets(options.targets ?? []);
  const { reader, bytes, head } = await chooseReader(input, options.reader, diagnostics);
  try {
    await reader.read(reporting(bytes, options.onProgress), builder, diagnostics, options.options ?? {});
  } catch (error) {
    if (error instanceof MalformedInput || error instanceof TruncatedInput) {
      throw new MalformedInput(`${input.name}: ${error.message}`, { cause: error });
    }
    throw error;
  }
  const census = builder.finish();
  if (census.total === 0) throw nothingRead(input.name, reader, diagnostics, head);
  if (!Number.isSafeInteger(census.total)) throw new MalformedInput(`${input.name} ${TOO_MANY_CALLS}`);
  return { name: input.name, format: reader.name, census, diagnostics };
}

/** What a file is, by its first bytes. */
export interface FileKind {
  /** How it is compressed: `gzip`; '' where it is not. */
  readonly compression: string;
  readonly reader: FormatReader;
  /** What else there is to say of it, a line each. */
  readonly details: readonly string[];
}

/**
 * Says what a file is without reading it ('-' is standard input).
 *
 * @throws {UserError} missing, empty, or of no format that is read; the message says what it looks like
 */
export async function inspectFile(path: string): Promise<FileKind> {
  return withInput(path, async (input) => {
    const { reader, head } = await chooseReader(input, undefined, new Diagnostics());
    return { compression: input.compression, reader, details: reader.describe?.(head) ?? [] };
  });
}

/** A reader, and the stream with nothing taken from it. */
interface Choice {
  readonly reader: FormatReader;
  readonly bytes: ByteStream;
  /** What the choice was made by. */
  readonly head: Buffer;
}

async function chooseReader(
  { name, bytes }: Input,
  chosen: FormatReader | undefined,
  diagnostics: Diagnostics,
): Promise<Choice> {
  let rest = bytes;
  let head: Buffer = Buffer.alloc(0);
  let isEmpty = true;
  for (const size of HEADS) {
    const taken = await takeHead(rest, size);
    ({ head, rest } = taken);
    isEmpty = head.length === 0;
    if (taken.problem) {
      if (isEmpty) throw new MalformedInput(`${name}: ${taken.problem.message}`, { cause: taken.problem });
      diagnostics.truncated = taken.problem.message;
    }
    if (chosen || isEmpty) break;
    const reader = sniffReader(head, name, taken.isWhole || size === HEADS.at(-1));
    if (typeof reader === 'object') return { reader, bytes: rest, head };
    if (taken.isWhole) break;
  }
  if (isEmpty) throw new UserError(`${name} is empty`);
  if (chosen) return { reader: chosen, bytes: rest, head };
  throw unknownFormat(name, head);
}

function unknownFormat(name: string, head: Buffer): UnknownFormat {
  if (OWN_REPORTS.some((beginning) => beginning.test(head.toString('utf8', 0, 4096)))) {
    return new UnknownFormat(
      `${name} is a report of whocalls, which has no stacks to read; keep a census with -o FILE.pb.gz or FILE.folded`,
    );
  }
  const foreign = foreignFormat(head);
  if (foreign) {
    const instead = foreign.instead === '' ? '' : `: ${foreign.instead}`;
    return new UnknownFormat(`${name} looks like ${foreign.what}, which is not read${instead}`);
  }
  const tried = READERS.map((reader) => reader.name).join(', ');
  return new UnknownFormat(`${name}: no known format (tried ${tried}; --input-format names one)`);
}

function nothingRead(name: string, reader: FormatReader, diagnostics: Diagnostics, head: Buffer): UserError {
  const example = diagnostics.examples[0];
  const detail = diagnostics.truncated
    ? `: ${diagnostics.truncated}`
    : example
      ? `; line ${example.line}: ${example.why}: ${example.text}`
      : '';
  const foreign = foreignFormat(head);
  const guess = foreign ? `; it looks like ${foreign.what}` : '';
  return new MalformedInput(`${name} has no stacks (read as ${reader.name})${guess}${detail}`);
}

async function* reporting(bytes: ByteStream, onProgress: ((bytes: number) => void) | undefined): ByteStream {
  let read = 0;
  for await (const chunk of bytes) {
    yield chunk;
    read += chunk.length;
    onProgress?.(read);
  }
}
