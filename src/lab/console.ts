/** The guest's console, kept as its last lines for when something goes wrong. */
export class ConsoleTail {
  readonly #keep: number;
  #lines: string[] = [];
  #partial = '';

  constructor(keep = 24) {
    this.#keep = keep;
  }

  push(chunk: Buffer): void {
    const [partial = '', ...complete] = (this.#partial + chunk.toString('latin1')).split('\n').reverse();
    this.#partial = partial.slice(-4096);
    this.#lines.push(...complete.reverse().map(printable).filter(Boolean));
    this.#lines = this.#lines.slice(-this.#keep);
  }

  /** The last lines, without control characters. */
  lines(): readonly string[] {
    const last = printable(this.#partial);
    return last ? [...this.#lines, last] : this.#lines;
  }

  /** The process that the kernel killed for want of memory, from `Out of memory: Killed process 123 (name) …`. */
  outOfMemory(): string | undefined {
    for (const line of this.lines().toReversed()) {
      const killed = /Out of memory: Killed process \d+ \((.*?)\)/.exec(line)?.[1];
      if (killed !== undefined) return killed;
    }
    return undefined;
  }
}

/** Firmware moves the cursor about with escape codes: `ESC [ 2 J`, `ESC c`. */
function printable(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return line.replace(/\x1b(\[[0-9;?=]*[ -/]*[@-~]|[@-Z\\-_a-z])|[\x00-\x08\x0b-\x1f\x7f]/g, '').trimEnd();
}
