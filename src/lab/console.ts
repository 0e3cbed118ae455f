/** Enough for the long report of a panic or of memory running out. */
const KEPT_LINES = 400;

/** Kernels print no longer lines; the guest may. */
const LONGEST_LINE = 1024;

/** The guest's console, kept as its last lines for when something goes wrong. */
export class ConsoleTail {
  #lines: string[] = [];
  #partial = '';

  push(chunk: Buffer): void {
    const [partial = '', ...complete] = (this.#partial + chunk.toString('latin1')).split('\n').reverse();
    this.#partial = partial.slice(-4096);
    this.#lines.push(
      ...complete
        .reverse()
        .map((line) => printable(line.slice(0, LONGEST_LINE)))
        .filter(Boolean),
    );
    this.#lines = this.#lines.slice(-KEPT_LINES);
  }

  /** The last lines, without control characters. */
  lines(count = KEPT_LINES): readonly string[] {
    const last = printable(this.#partial);
    return (last ? [...this.#lines, last] : this.#lines).slice(-count);
  }

  /** Why the kernel gave up, from `Kernel panic - not syncing: sysrq triggered crash`. */
  panic(): string | undefined {
    return this.#last(/(Kernel panic - .*)/);
  }

  /**
   * The kernel's report of a fault of its own, from its first line, without the time stamp:
   * `BUG: kernel NULL pointer dereference, address: …`, `Oops: int3: 0000 [#1] PREEMPT SMP NOPTI`. Empty if there is none.
   */
  oops(): readonly string[] {
    return this.#from(/BUG: (?!(soft|workqueue) lockup).*|kernel BUG at .*|[a-z][^\]]*: [0-9a-f]{4} \[#\d+\].*/i);
  }

  /** The kernel's report of a processor that does not get on, from `BUG: soft lockup - CPU#0 stuck for 26s!` on. */
  lockup(): readonly string[] {
    return this.#from(/BUG: soft lockup.*|\w+ detected stalls on .*|Watchdog detected hard LOCKUP.*/);
  }

  /** The process that the kernel killed because memory ran out, from `Out of memory: Killed process 123 (name) …`. */
  outOfMemory(): string | undefined {
    return this.#last(/Out of memory: Killed process \d+ \((.*?)\)/);
  }

  #from(pattern: RegExp): readonly string[] {
    const lines = this.lines();
    const first = lines.findIndex((line) => pattern.test(line));
    if (first < 0) return [];
    return [pattern.exec(lines[first] ?? '')?.[0] ?? '', ...lines.slice(first + 1)];
  }

  #last(pattern: RegExp): string | undefined {
    return this.lines()
      .map((line) => pattern.exec(line)?.[1])
      .findLast((found) => found !== undefined);
  }
}

/** Firmware moves the cursor about with escape codes: `ESC [ 2 J`, `ESC c`. Some terminals obey single bytes above 7f, too. */
function printable(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return line.replace(/\x1b(\[[0-9;?=]*[ -/]*[@-~]|[@-Z\\-_a-z])|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '').trimEnd();
}
