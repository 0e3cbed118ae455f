import type { ByteStream } from '../../src/formats/reader.ts';

/** Bytes in pieces of `size`. One buffer serves for all of them, as readers must be ready for. */
export async function* chunked(bytes: Uint8Array, size: number): ByteStream & AsyncGenerator<Buffer> {
  const chunk = Buffer.alloc(Math.min(size, bytes.length));
  for (let at = 0; at < bytes.length; at += size) {
    const length = Math.min(size, bytes.length - at);
    chunk.set(bytes.subarray(at, at + length));
    yield chunk.subarray(0, length);
    chunk.fill(0x2a);
  }
}
