import type { WriteStream } from 'node:tty';

/**
 * Set for whocalls in a virtual machine, whose streams are no terminals though what is written there may end on one: the
 * names of those that do, `stdout,stderr`. COMMAND does not inherit it.
 */
export const TERMINAL_VARIABLE = 'WHOCALLS_TERMINAL';

const throughGuest = (process.env[TERMINAL_VARIABLE] ?? '').split(',');
delete process.env[TERMINAL_VARIABLE];

/** Whether what is written to this stream ends on a terminal. */
export function isTerminal(name: 'stdout' | 'stderr'): boolean {
  return process[name].isTTY === true || throughGuest.includes(name);
}

/** {@link TERMINAL_VARIABLE} as a virtual machine is to have it, and COLUMNS. */
export function terminalEnvironment(): Record<string, string> {
  const terminals = (['stdout', 'stderr'] as const).filter(isTerminal);
  const columns = process.stdout.columns ?? process.stderr.columns;
  return {
    ...(columns > 0 && { COLUMNS: String(columns) }),
    ...(terminals.length > 0 && { [TERMINAL_VARIABLE]: terminals.join(',') }),
  };
}

/** Whether text on standard output may carry colours: only on a terminal, and not with NO_COLOR. */
export function hasColour(): boolean {
  const { NO_COLOR, TERM } = process.env;
  return isTerminal('stdout') && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb';
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
  readonly #isShown: boolean;
  readonly #start = Date.now();
  #drawn = 0;

  constructor(stream: NodeJS.WriteStream = process.stderr, isShown = isTerminal('stderr')) {
    this.#stream = stream;
    this.#isShown = isShown;
  }

  show(text: string): void {
    const now = Date.now();
    if (!this.#isShown || now - this.#start < 1000 || now - this.#drawn < REDRAW_MILLISECONDS) return;
    this.#drawn = now;
    this.#stream.write(`\r\u001b[K${text}`);
  }

  /** Takes the line away. */
  done(): void {
    if (this.#drawn > 0) this.#stream.write('\r\u001b[K');
    this.#drawn = 0;
  }
}
