import { Readable } from 'node:stream';
import { createGunzip, gunzipSync } from 'node:zlib';
import { messageOf, UserError } from '../errors.ts';
import { unpackX86Xz } from './xz-x86.ts';

/** How bytes are compressed; '' where they are not. */
export type Compression = '' | 'gzip' | 'zstd' | 'xz';

/** So many first bytes tell the compression, and how much memory it takes: the longest header of a zstd frame. */
export const COMPRESSION_HEAD = 18;

const MAGICS: readonly (readonly [Compression, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
];

/** Compressed data that end too early or are damaged. What came before was passed on. */
export class DamagedCompression extends UserError {
  override readonly name = 'DamagedCompression';
}

/** Tells the compression by the first bytes. */
export function compressionOf(head: Uint8Array): Compression {
  const found = MAGICS.find(([, magic]) => magic.equals(head.subarray(0, magic.length)));
  return found?.[0] ?? '';
}

/**
 * Takes the compression off a stream of bytes. A chunk may be changed once the next one is asked for, on both sides.
 *
 * @throws {DamagedCompression} while the stream is read
 */
export function decompressStream(bytes: AsyncIterable<Buffer>, compression: Compression): AsyncIterable<Buffer> {
  switch (compression) {
    case 'gzip':
      return gunzip(bytes);
    case 'zstd':
      return unzstd(bytes);
    case 'xz':
      return unxz(bytes);
    case '':
      return bytes;
  }
}

/**
 * Takes the compression off bytes, as kernels and their modules have it: xz with the x86 filter, too, and zstd with a
 * window as large as the kernel. What is not compressed, or in another way (LZ4, LZO, LZMA, bzip2), comes back as it is.
 *
 * @param size how many bytes come out, where that is known: zstd with a large window takes long without
 * @throws {DamagedCompression}
 */
export async function decompressBytes(bytes: Buffer, size?: number): Promise<Buffer> {
  const compression = compressionOf(bytes);
  try {
    switch (compression) {
      case 'gzip':
        return gunzipSync(bytes);
      case 'zstd': {
        const { decompress } = await import('fzstd');
        return asBuffer(size === undefined ? decompress(bytes) : decompress(bytes, new Uint8Array(size)));
      }
      case 'xz':
        return (await unpackX86Xz(bytes, unxzBytes)) ?? (await unxzBytes(bytes));
      case '':
        return bytes;
    }
  } catch (error) {
    throw problemOf(compression, error);
  }
}

async function unxzBytes(bytes: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of unxz(Readable.from([bytes]))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* gunzip(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = Readable.from(copies(bytes));
  const stream = source.pipe(createGunzip({ chunkSize: 1 << 20 }));
  source.on('error', (error) => stream.destroy(error));
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    throw problemOf('gzip', error);
  } finally {
    source.destroy();
    stream.destroy();
  }
}

/** The largest window that zstd itself takes unasked: so much memory the data of a stranger may ask for. */
const LARGEST_WINDOW = 1 << 27;

/** A block of 4 bytes can be 128 KiB: so few are taken at once that what comes out of them is held in memory. */
const ZSTD_PUSH = 256;

/**
 * How much memory a frame of zstd asks for, in bytes; 0 where its header is not whole. RFC 8878, 3.1.1.1: a descriptor, then the
 * window as exponent and eighths, or the size of the content in its place.
 */
function zstdWindow(header: Buffer): number {
  const descriptor = header[4] ?? 0;
  const isSingle = (descriptor & 0x20) !== 0;
  if (!isSingle) {
    const window = header[5] ?? 0;
    return 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  }
  const at = 5 + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  const size = [1, 2, 4, 8][descriptor >> 6] ?? 0;
  if (header.length < at + size) return 0;
  if (size === 8) return Number(header.readBigUInt64LE(at));
  return header.readUIntLE(at, size) + (size === 2 ? 256 : 0);
}

/** The same bytes in small pieces. */
async function* pieces(bytes: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size);
  }
}

async function* unzstd(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { Decompress } = await import('fzstd');
  let out: Buffer[] = [];
  let isComplete = false;
  let isFirst = true;
  const decompressor = new Decompress((chunk, isLast) => {
    if (chunk.length > 0) out.push(asBuffer(chunk));
    isComplete = isLast === true;
  });
  try {
    for await (const chunk of pieces(copies(bytes), ZSTD_PUSH)) {
      if (isFirst && zstdWindow(chunk) > LARGEST_WINDOW) {
        throw new DamagedCompression(
          'the zstd data ask for a window of more than 128 MiB; unpack them first: zstd -d --long=31',
        );
      }
      isFirst = false;
      decompressor.push(chunk);
      yield* out;
      out = [];
    }
    decompressor.push(new Uint8Array(0), true);
  } catch (error) {
    yield* out;
    throw problemOf('zstd', error);
  }
  yield* out;
  if (!isComplete) throw new DamagedCompression('the zstd data end too early');
}

async function* unxz(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const loaded = await import('xz-decompress');
  // CommonJS: loaders disagree on whether its exports are the module's or those of `default`.
  const { XzReadableStream } = loaded.default ?? loaded;
  const source = Readable.toWeb(Readable.from(copies(bytes), { objectMode: true })) as ReadableStream<Uint8Array>;
  const reader = new XzReadableStream(source).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield asBuffer(value);
    }
  } catch (error) {
    throw problemOf('xz', error);
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Decompressors keep their input; chunks of a file are views into one buffer. */
async function* copies(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) yield Buffer.from(chunk);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** An error of the input itself passes through: only what a decompressor says is about compression. */
function problemOf(format: string, error: unknown): Error {
  if (error instanceof UserError) return error;
  const message = messageOf(error);
  const isShort = /unexpected end|unexpected EOF|end of file/i.test(message);
  return new DamagedCompression(
    isShort ? `the ${format} data end too early` : `the ${format} data are damaged: ${message}`,
    { cause: error },
  );
}
