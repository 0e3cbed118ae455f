import type { Diagnostics } from './diagnostics.ts';
import { type ByteStream, TruncatedInput } from './reader.ts';

const NEWLINE = 10;

/** Longer lines are skipped: no format has them, and memory must not follow the input. */
const MAXIMUM_LINE = 1 << 20;

const FIRST_BUFFER = 1 << 14;

/** Binary formats have a zero among their first bytes; text may have one where a machine crashed, much later. */
const BINARY_HEAD = 64;

/** Whether the beginning of a file is that of a binary format. */
export function isBinary(head: Buffer): boolean {
  return head.subarray(0, BINARY_HEAD).includes(0);
}

/**
 * Reads lines out of a region of bytes: `consume(buffer, start, end)` handles as much as it can of the complete
 * lines in [start, end) and returns where it stopped, a line start; what it leaves is offered again with more behind.
 * It must not leave more than a mebibyte.
 * With `isLast` set no more will come.
 */
export interface LineConsumer {
  consume(buffer: Buffer, start: number, end: number, isLast: boolean): number;
  /** How many lines were consumed so far. */
  readonly line: number;
  /** One line was too long and was left out. */
  skipLine(): void;
}

/** A consumer that takes one line after the other, for formats in which no line has to be read fast. */
export abstract class SingleLines implements LineConsumer {
  line = 0;

  /** Reads the line in [start, newline). */
  protected abstract readLine(buffer: Buffer, start: number, newline: number): void;

  skipLine(): void {
    this.line += 1;
  }

  consume(buffer: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const newline = buffer.indexOf(NEWLINE, at);
      this.line += 1;
      this.readLine(buffer, at, newline);
      at = newline + 1;
    }
    return at;
  }
}

/**
 * Feeds a stream of bytes to a consumer of lines, in regions that end with a newline (one is added at the end of the
 * input where it is missing).
 *
 * Lines over `longest` bytes are left out. A truncated stream is noted in `diagnostics`; what came before it is consumed.
 */
export async function feedLines(
  bytes: ByteStream,
  consumer: LineConsumer,
  diagnostics: Diagnostics,
  longest = MAXIMUM_LINE,
): Promise<void> {
  // Grows with the pieces that come: most files are small, and new memory costs.
  let buffer: Buffer = Buffer.allocUnsafe(FIRST_BUFFER);
  let start = 0;
  let end = 0;
  let isDiscarding = false;
  const iterator = bytes[Symbol.asyncIterator]();
  for (;;) {
    let chunk: Buffer;
    try {
      const next = await iterator.next();
      if (next.done) break;
      chunk = next.value;
    } catch (error) {
      if (!(error instanceof TruncatedInput)) throw error;
      diagnostics.truncated = error.message;
      break;
    }
    if (isDiscarding) {
      const newline = chunk.indexOf(NEWLINE);
      if (newline < 0) continue;
      isDiscarding = false;
      chunk = chunk.subarray(newline + 1);
    }
    if (end + chunk.length + 1 > buffer.length) {
      const kept = end - start;
      const larger = kept + chunk.length + 1 > buffer.length ? Buffer.allocUnsafe(4 * (kept + chunk.length)) : buffer;
      buffer.copy(larger, 0, start, end);
      buffer = larger;
      start = 0;
      end = kept;
    }
    chunk.copy(buffer, end);
    end += chunk.length;
    const lastNewline = buffer.lastIndexOf(NEWLINE, end - 1);
    if (lastNewline >= start) start = consumer.consume(buffer, start, lastNewline + 1, false);
    if (end - start > longest && lastNewline < start) {
      diagnostics.skip(
        consumer.line + 1,
        buffer.toString('latin1', start, start + 200),
        `longer than ${longest >> 20} MiB`,
      );
      consumer.skipLine();
      start = 0;
      end = 0;
      isDiscarding = true;
    }
  }
  if (end > start && buffer[end - 1] !== NEWLINE) buffer[end++] = NEWLINE;
  consumer.consume(buffer, start, end, true);
}
