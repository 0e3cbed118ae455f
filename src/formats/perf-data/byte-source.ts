import type { ByteStream } from '../reader.ts';

/** Takes bytes off a stream in the pieces that a format has. */
export class ByteSource {
  readonly #iterator: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Position in the stream of the next byte. */
  position = 0;

  constructor(bytes: ByteStream) {
    this.#iterator = bytes[Symbol.asyncIterator]();
  }

  /** The next `length` bytes, which are not taken yet; fewer where the stream ends before. */
  async peek(length: number): Promise<Buffer> {
    if (this.held < length) await this.#fill(length);
    return this.#held.subarray(this.#at, this.#at + length);
  }

  /** The next `length` bytes; fewer where the stream ends before. They stay as they are. */
  async take(length: number): Promise<Buffer> {
    if (this.#held.length - this.#at < length) await this.#fill(length);
    const taken = this.#held.subarray(this.#at, this.#at + length);
    this.#at += taken.length;
    this.position += taken.length;
    return taken;
  }

  /** Bytes that are held already. */
  get held(): number {
    return this.#held.length - this.#at;
  }

  /** Whether the stream has ended; what is held may be left. */
  isDone = false;

  /** Goes on at a later position. */
  async skipTo(position: number): Promise<void> {
    while (this.position < position) {
      const step = Math.min(position - this.position, 1 << 20);
      const taken = await this.take(Math.max(1, Math.min(step, this.held || step)));
      if (taken.length === 0) return;
    }
  }

  async #fill(length: number): Promise<void> {
    const parts = [Buffer.from(this.#held.subarray(this.#at))];
    let size = parts[0]?.length ?? 0;
    while (size < length && !this.isDone) {
      const { done, value } = await this.#iterator.next();
      if (done) {
        this.isDone = true;
        break;
      }
      // A chunk is valid only until the next one is asked for.
      parts.push(Buffer.from(value));
      size += value.length;
    }
    this.#held = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    this.#at = 0;
  }
}
