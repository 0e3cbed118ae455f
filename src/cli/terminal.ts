import type { WriteStream } from 'node:tty';

/** Whether text written to this stream may carry colours: only on a terminal, and not with NO_COLOR. */
export function hasColour(stream: { readonly isTTY?: boolean }): boolean {
  const { NO_COLOR, TERM } = process.env;
  return stream.isTTY === true && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb';
}

/** Columns of standard output; 100 where it is no terminal, unless COLUMNS says otherwise. */
export function outputWidth(): number {
  const columns = process.stdout.columns ?? Number(process.env.COLUMNS);
  return Number.isInteger(columns) && columns > 0 ? columns : 100;
}

const REDRAW_MILLISECONDS = 100;

/** One line on stderr that says what is going on; silent where stderr is no terminal. Shown after a second. */
export class ProgressLine {
  readonly #stream: WriteStream | NodeJS.WriteStream;
  readonly #start = Date.now();
  #drawn = 0;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  show(text: string): void {
    const now = Date.now();
    if (!this.#stream.isTTY || now - this.#start < 1000 || now - this.#drawn < REDRAW_MILLISECONDS) return;
    this.#drawn = now;
    this.#stream.write(`\r\u001b[K${text}`);
  }

  /** Takes the line away. */
  done(): void {
    if (this.#drawn > 0) this.#stream.write('\r\u001b[K');
    this.#drawn = 0;
  }
}
