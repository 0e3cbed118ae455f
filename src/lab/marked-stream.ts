/**
 * Passes bytes on until a mark, which ends the stream and is not part of it.
 * The virtio ports have no end of their own; the guest sends the mark, 32 random characters, behind the last byte.
 * Only bytes that may be the beginning of the mark are held back, so nothing waits.
 */
export class MarkedStream {
  readonly #mark: Buffer;
  readonly #emit: (bytes: Buffer) => void;
  #held: Buffer = Buffer.alloc(0);
  /** Whether the mark has come; everything before it has been passed on. */
  ended = false;

  constructor(mark: string, emit: (bytes: Buffer) => void) {
    this.#mark = Buffer.from(mark);
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    if (this.ended) return;
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    const end = bytes.length - this.#mark.length;
    this.ended = end >= 0 && bytes.subarray(end).equals(this.#mark);
    const keep = this.ended ? this.#mark.length : this.#possibleMark(bytes);
    if (bytes.length > keep) this.#emit(bytes.subarray(0, bytes.length - keep));
    this.#held = this.ended ? Buffer.alloc(0) : bytes.subarray(bytes.length - keep);
  }

  /** What is still held back, when the stream broke off before its mark. */
  flush(): void {
    if (this.#held.length > 0) this.#emit(this.#held);
    this.#held = Buffer.alloc(0);
  }

  /** Length of the longest end of `bytes` that is a beginning of the mark. */
  #possibleMark(bytes: Buffer): number {
    for (let length = Math.min(this.#mark.length - 1, bytes.length); length > 0; length--) {
      if (bytes.subarray(bytes.length - length).equals(this.#mark.subarray(0, length))) return length;
    }
    return 0;
  }
}
