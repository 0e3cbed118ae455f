/** A failure that the user can act on: the message says what, where, and what to do. Shown without a stack trace. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  /** The status the process ends with: 1 nothing usable came of it, 2 it was called wrongly. */
  readonly exitStatus: number;
  /** What else may be done: the command line adds it to the message. */
  readonly hint: string | undefined;
  /** What `--debug` shows besides; several lines. */
  readonly details: string | undefined;

  constructor(
    message: string,
    options: { exitStatus?: number; hint?: string; details?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitStatus = options.exitStatus ?? 1;
    this.hint = options.hint;
    this.details = options.details;
  }
}

/** Wrong usage of the command line: unknown option, bad value, missing argument. Exit status 2. */
export class UsageError extends UserError {
  override readonly name: string = 'UsageError';

  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, { ...options, exitStatus: 2 });
  }
}

/** What Node says of a failed system call: `ENOENT: no such file or directory, open '/no/such/file'`. */
const SYSTEM_ERROR = /^E[A-Z0-9]+: (.+?), \w+(?: '.*')?$/s;

/** The text of anything thrown, for one line of output. Of a failed system call only why: the line names the file. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return SYSTEM_ERROR.exec(error.message)?.[1] ?? error.message;
}
