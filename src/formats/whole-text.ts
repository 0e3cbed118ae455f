import { type ByteStream, MalformedInput } from './reader.ts';

/** Formats that are one value (JSON, XML) are held as a whole; larger files are refused. */
const MOST_BYTES = 128 << 20;

/**
 * All of a stream as text, for formats that cannot be read piece by piece.
 *
 * @throws {MalformedInput} more than 128 MiB
 */
export async function wholeText(bytes: ByteStream): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > MOST_BYTES)
      throw new MalformedInput('is larger than 128 MiB, which is the most that is read of this format');
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString('utf8');
}
