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

/** Trouble of the machine and not of this program: `cannot open /tmp/x: no space left on device`; null for other errors. */
export function systemTrouble(error: unknown): string | null {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall === 'uv_cwd') return 'the current folder was removed; go to one that is there';
  if (!TROUBLES.has(String(code))) return null;
  const { path = '', dest } = error as NodeJS.ErrnoException & { readonly dest?: string };
  const verb = VERBS[syscall as keyof typeof VERBS] ?? syscall;
  const what = [verb, path, ...(dest === undefined ? [] : ['to', dest])].filter((word) => word !== '').join(' ');
  return `cannot ${what}: ${messageOf(error)}${adviceFor(dest ?? path)}`;
}

const TROUBLES: ReadonlySet<string> = new Set(
  'EACCES EDQUOT EEXIST EFBIG EIO EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOSPC ENOTDIR EPERM EROFS ETXTBSY'.split(
    ' ',
  ),
);

const VERBS = {
  mkdtemp: 'make a temporary folder',
  mkdir: 'make the folder',
  scandir: 'read the folder',
  copyfile: 'copy',
  utime: 'change',
  access: 'use',
} as const;

function adviceFor(path: string): string {
  if (path === '') return '';
  const temporary = process.env.TMPDIR ?? '/tmp';
  if (path.startsWith(temporary)) return '; TMPDIR names another place for temporary files';
  return path.includes('/.cache/whocalls') ||
    (process.env.XDG_CACHE_HOME && path.startsWith(process.env.XDG_CACHE_HOME))
    ? '; XDG_CACHE_HOME names another place for the cache'
    : '';
}
