/** A failure that the user can act on: the message says what, where, and what to do. Shown without a stack trace. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  /** The status the process ends with: 1 nothing usable came of it, 2 it was called wrongly. */
  readonly exitStatus: number;

  constructor(message: string, options: { exitStatus?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitStatus = options.exitStatus ?? 1;
  }
}

/** Wrong usage of the command line: unknown option, bad value, missing argument. Exit status 2. */
export class UsageError extends UserError {
  override readonly name: string = 'UsageError';

  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, { ...options, exitStatus: 2 });
  }
}

/** The text of anything thrown, for one line of output. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
