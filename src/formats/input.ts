import { type FileHandle, open } from 'node:fs/promises';
import { messageOf, UserError } from '../errors.ts';
import { COMPRESSION_HEAD, compressionOf, DamagedCompression, decompressStream } from '../image/compression.ts';
import type { ByteStream } from './reader.ts';
import { TruncatedInput } from './reader.ts';
import { ENCODING_HEAD, encodingOf, inUtf8 } from './text-encoding.ts';

const CHUNK = 1 << 20;

/** The bytes of an input with compression taken off, and what is known of it before reading on. */
export interface Input {
  /** The file's name, `standard input` for '-'. */
  readonly name: string;
  /** How it was compressed, '' where it was not. */
  readonly compression: string;
  readonly bytes: ByteStream;
}

/**
 * Opens a file ('-' is standard input), plain or compressed, and closes it when it was used, read to its end or not.
 *
 * @throws {UserError} no such file, a directory, not readable
 */
export async function withInput<T>(path: string, use: (input: Input) => Promise<T>): Promise<T> {
  if (path === '-') return use(await decompress('standard input', fromStdin()));
  const handle = await openFile(path);
  try {
    return await use(await decompress(path, chunksOf(handle, path)));
  } finally {
    await handle.close();
  }
}

/**
 * Takes the compression off bytes: gzip, zstd or xz, told by the first of them. Text in UTF-16, or with a byte order mark,
 * becomes UTF-8 without one.
 */
export async function decompress(name: string, raw: ByteStream): Promise<Input> {
  const { head, rest } = await takeHead(raw, COMPRESSION_HEAD);
  const compression = compressionOf(head);
  const bytes = compression === '' ? rest : truncatedWhereDamaged(decompressStream(rest, compression));
  return { name, compression, bytes: await asUtf8(bytes) };
}

async function asUtf8(bytes: ByteStream): Promise<ByteStream> {
  const { head, rest } = await takeHead(bytes, ENCODING_HEAD);
  const encoding = encodingOf(head);
  return encoding === null ? rest : inUtf8(rest, encoding);
}

/** What comes before the damage is an input that ends too early. */
async function* truncatedWhereDamaged(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } catch (error) {
    throw error instanceof DamagedCompression ? new TruncatedInput(error.message, { cause: error }) : error;
  }
}

async function* fromStdin(): AsyncGenerator<Buffer> {
  for await (const chunk of process.stdin) yield chunk as Buffer;
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const handle = await open(path);
    if (!(await handle.stat()).isDirectory()) return handle;
    await handle.close();
  } catch (error) {
    throw new UserError(fileProblem(path, error), { cause: error });
  }
  throw new UserError(`${path} is a directory; name the files in it`);
}

async function* chunksOf(handle: FileHandle, path: string): AsyncGenerator<Buffer> {
  // One buffer for the whole file: a chunk is done with when the next one is asked for.
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const bytesRead = await readChunk(handle, buffer, path);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Files of the kernel, and failing disks, open well and cannot be read. */
async function readChunk(handle: FileHandle, buffer: Buffer, path: string): Promise<number> {
  try {
    return (await handle.read(buffer, 0, buffer.length)).bytesRead;
  } catch (error) {
    throw new UserError(fileProblem(path, error), { cause: error });
  }
}

function fileProblem(path: string, error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return `no such file: ${path}`;
    case 'EACCES':
    case 'EPERM':
      return `no permission to read ${path}`;
    default:
      return `cannot read ${path}: ${messageOf(error)}`;
  }
}

/** The first bytes of a stream, and the stream as if nothing had been taken. */
export interface Head {
  readonly head: Buffer;
  readonly rest: ByteStream;
  /** The head is all there is. */
  readonly isWhole: boolean;
  /** Why the stream broke off while the head was read. The rest breaks off at the same place. */
  readonly problem: TruncatedInput | null;
}

/** Takes the first `length` bytes; fewer only where the stream ends. */
export async function takeHead(bytes: ByteStream, length: number): Promise<Head> {
  const iterator = bytes[Symbol.asyncIterator]();
  const taken: Buffer[] = [];
  let size = 0;
  let isWhole = false;
  let problem: TruncatedInput | null = null;
  while (size < length && !isWhole) {
    try {
      const { done, value } = await iterator.next();
      if (done) isWhole = true;
      else {
        taken.push(Buffer.from(value));
        size += value.length;
      }
    } catch (error) {
      if (!(error instanceof TruncatedInput)) throw error;
      problem = error;
      isWhole = true;
    }
  }
  const whole = Buffer.concat(taken);
  const rest = async function* () {
    try {
      if (whole.length > 0) yield whole;
      if (problem) throw problem;
      if (isWhole) return;
      for (;;) {
        const { done, value } = await iterator.next();
        if (done) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  };
  const head = whole.subarray(0, length);
  return {
    head,
    rest: { [Symbol.asyncIterator]: rest },
    isWhole: isWhole && head.length === whole.length,
    problem: head.length === whole.length ? problem : null,
  };
}
