import type { ByteStream } from './reader.ts';

/** How many bytes tell the encoding of a text. */
export const ENCODING_HEAD = 64;

/** Encodings of text other than UTF-8 without a mark in front. */
type Encoding = 'utf-8 with a mark' | 'utf-16le' | 'utf-16be';

/** The encoding by the byte order mark, or, of UTF-16 without one, by zeros in every other byte; null for all else. */
export function encodingOf(head: Buffer): Encoding | null {
  const [first, second, third] = head;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8 with a mark';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  const pairs = head.length >> 1;
  if (pairs < 8) return null;
  let zeros = 0;
  for (let i = 1; i < 2 * pairs; i += 2) if (head[i] === 0 && (head[i - 1] as number) > 8) zeros += 1;
  return zeros === pairs ? 'utf-16le' : null;
}

/** The bytes as UTF-8 without a mark. */
export async function* inUtf8(bytes: ByteStream, encoding: Encoding): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding === 'utf-8 with a mark' ? 'utf-8' : encoding);
  let isFirst = true;
  for await (const chunk of bytes) {
    if (encoding !== 'utf-8 with a mark') yield Buffer.from(decoder.decode(chunk, { stream: true }));
    // Names need not be valid: only the mark is taken off.
    else yield isFirst ? chunk.subarray(3) : chunk;
    isFirst = false;
  }
}
