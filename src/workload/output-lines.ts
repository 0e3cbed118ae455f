const NEWLINE = 0x0a;

/** Longer lines are cut here: no line that says something about a benchmark comes near. */
const LONGEST_LINE = 4096;

/**
 * Cuts a byte stream into lines of text, chunk by chunk. A carriage return ends a line too, since progress displays
 * overwrite themselves with it; colours and other terminal codes are taken out.
 * `"... finished 100 ops     \rfillseq : 1.7 micros/op;\n"` is two lines.
 */
export class OutputLines {
  /** The beginning of a line whose end has not come yet. */
  #kept: Buffer[] = [];
  #keptBytes = 0;

  /** Calls `each` with every line that is complete with this chunk. */
  push(chunk: Uint8Array, each: (line: string) => void): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start);
      if (end < 0) break;
      this.#keep(bytes.subarray(start, end));
      this.end(each);
      start = end + 1;
    }
    this.#keep(bytes.subarray(start));
  }

  /** The stream is over: what is left is a line as well. */
  end(each: (line: string) => void): void {
    if (this.#keptBytes === 0) return;
    const text = Buffer.concat(this.#kept).toString('utf8');
    this.#kept = [];
    this.#keptBytes = 0;
    for (const line of text.split('\r')) {
      const plain = line.includes(ESC) ? line.replace(TERMINAL_CODES, '') : line;
      if (plain.trim() !== '') each(plain.trimEnd());
    }
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#kept.push(Buffer.from(bytes)); // the caller may use the chunk's memory again
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > LONGEST_LINE) this.#forgetProgress();
  }

  /** Of a long line only what follows the last carriage return can still matter, and no more than the longest line. */
  #forgetProgress(): void {
    const all = Buffer.concat(this.#kept);
    const rest = all.subarray(Math.max(all.lastIndexOf(0x0d) + 1, all.length - LONGEST_LINE));
    this.#kept = [rest];
    this.#keptBytes = rest.length;
  }
}

const ESC = String.fromCharCode(0x1b);
const BEL = String.fromCharCode(0x07);

/** CSI sequences, OSC strings, and two-byte escapes of ECMA-48. */
const TERMINAL_CODES = new RegExp(
  `${ESC}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)|[@-Z\\\\-_])`,
  'g',
);
