import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf, UserError } from '../errors.ts';
import type { ByteStream } from './reader.ts';
import { TruncatedInput } from './reader.ts';

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
 * Opens a file ('-' is standard input), plain or compressed.
 *
 * @throws {UserError} no such file, a directory, not readable
 */
export async function openInput(path: string): Promise<Input> {
  return path === '-' ? decompress('standard input', fromStdin()) : decompress(path, await fromFile(path));
}

/** Takes the compression off bytes: gzip, zstd or xz, told by the first of them. */
export async function decompress(name: string, raw: ByteStream): Promise<Input> {
  const { head, rest } = await takeHead(raw, 6);
  const compression = compressionOf(head);
  switch (compression) {
    case 'gzip':
      return { name, compression, bytes: gunzip(rest) };
    case 'zstd':
      return { name, compression, bytes: unzstd(rest) };
    case 'xz':
      return { name, compression, bytes: unxz(rest) };
    default:
      return { name, compression, bytes: rest };
  }
}

function compressionOf(head: Buffer): '' | 'gzip' | 'zstd' | 'xz' {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
  if (head.subarray(0, 6).equals(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]))) return 'xz';
  return '';
}

async function* fromStdin(): AsyncGenerator<Buffer> {
  for await (const chunk of process.stdin) yield chunk as Buffer;
}

async function fromFile(path: string): Promise<AsyncGenerator<Buffer>> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path);
    if ((await handle.stat()).isDirectory()) {
      await handle.close();
      throw new UserError(`${path} is a directory; name the files in it`);
    }
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(fileProblem(path, error), { cause: error });
  }
  return (async function* () {
    // One buffer for the whole file: a chunk is done with when the next one is asked for.
    const buffer = Buffer.allocUnsafe(CHUNK);
    try {
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, CHUNK);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  })();
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

/** Reads at least `length` bytes; fewer only where the stream ends. */
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
  const head = Buffer.concat(taken);
  const rest = async function* () {
    try {
      if (head.length > 0) yield head;
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
  return { head, rest: { [Symbol.asyncIterator]: rest }, isWhole, problem };
}

async function* gunzip(bytes: ByteStream): AsyncGenerator<Buffer> {
  const source = Readable.from(copies(bytes));
  const stream = source.pipe(createGunzip({ chunkSize: CHUNK }));
  source.on('error', (error) => stream.destroy(error));
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    throw decompressionProblem('gzip', error);
  } finally {
    source.destroy();
    stream.destroy();
  }
}

async function* unzstd(bytes: ByteStream): AsyncGenerator<Buffer> {
  const { Decompress } = await import('fzstd');
  let out: Buffer[] = [];
  let isComplete = false;
  const decompressor = new Decompress((chunk, isLast) => {
    if (chunk.length > 0) out.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    isComplete = isLast === true;
  });
  try {
    for await (const chunk of copies(bytes)) {
      decompressor.push(chunk);
      yield* out;
      out = [];
    }
    decompressor.push(new Uint8Array(0), true);
  } catch (error) {
    yield* out;
    throw decompressionProblem('zstd', error);
  }
  yield* out;
  if (!isComplete) throw new TruncatedInput('the zstd data end too early');
}

async function* unxz(bytes: ByteStream): AsyncGenerator<Buffer> {
  const loaded = await import('xz-decompress');
  // CommonJS: loaders disagree on whether its exports are the module's or those of `default`.
  const { XzReadableStream } = loaded.default ?? loaded;
  const source = Readable.toWeb(Readable.from(copies(bytes), { objectMode: true })) as ReadableStream<Uint8Array>;
  const reader = new XzReadableStream(source).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield Buffer.from(value.buffer, value.byteOffset, value.length);
    }
  } catch (error) {
    throw decompressionProblem('xz', error);
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Decompressors keep their input; chunks of a file are views into one buffer. */
async function* copies(bytes: ByteStream): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) yield Buffer.from(chunk);
}

function decompressionProblem(format: string, error: unknown): TruncatedInput {
  const message = messageOf(error);
  const isShort = /unexpected end|unexpected EOF|end of file/i.test(message);
  return new TruncatedInput(
    isShort ? `the ${format} data end too early` : `the ${format} data are damaged: ${message}`,
    {
      cause: error,
    },
  );
}
