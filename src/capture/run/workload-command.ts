import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, readFileSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants as osConstants } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Writable } from 'node:stream';
import { messageOf } from '../../errors.ts';
import { Refused } from '../refusals/refused.ts';
import { openPipe } from '../sys/pipe.ts';
import { WorkloadOutput } from './workload-output.ts';

/** How COMMAND ended, as a shell would say it: its status, or 128 + the number of the signal. */
export interface CommandEnd {
  readonly status: number;
}

export interface CommandOptions {
  /** Run as this user. */
  readonly user?: string | undefined;
  /** Gets COMMAND's standard output as it comes, besides it being passed through unchanged. */
  readonly onOutput?: (chunk: Buffer) => void;
  /** Where the output that is read along goes, if not to standard output. */
  readonly to?: Writable;
}

/**
 * How many files a process may open, '' where that cannot be known. Node raises its own limit as it starts, and what it
 * starts inherits that; COMMAND should run as it would without whocalls.
 */
export function openFilesOf(pid: number): string {
  try {
    return /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))?.[1] ?? '';
  } catch {
    return '';
  }
}

/**
 * Holds COMMAND back until it is released: a shell that waits for a line on descriptor 3 and then becomes COMMAND, so
 * that the process id is known, and can be put in a cgroup, before the first call. `$0` is how many files it may open.
 */
const WAIT_THEN_RUN =
  'read -r go <&3 && [ "$go" = go ] || exit 125; exec 3<&-; [ "$0" = "" ] || ulimit -S -n "$0"; exec "$@"';

/** COMMAND, started but held back. */
export class WorkloadCommand {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #output: WorkloadOutput | undefined;
  readonly #ended: Promise<CommandEnd>;

  /** @throws {Refused} where there is no such command */
  constructor(words: readonly string[], options: CommandOptions = {}) {
    const [name = '', ...rest] = words;
    this.name = name;
    const path = findCommand(name);
    const as = options.user === undefined ? [] : becoming(options.user);
    const { onOutput, to = process.stdout } = options;
    const pipe = onOutput ? openPipe() : null;
    this.#child = spawn('/bin/sh', ['-c', WAIT_THEN_RUN, openFilesOf(process.ppid), ...as, path, ...rest], {
      stdio: ['inherit', onOutput ? (pipe?.write ?? 'pipe') : 'inherit', 'inherit', 'pipe'],
    });
    if (pipe) closeSync(pipe.write);
    // Node makes no streams where it cannot open them.
    if (!this.#child.stdio) {
      this.#child.on('error', () => {});
      throw new Refused({ code: 'cannot-run', command: name, why: 'too many files are open (ulimit -n)' });
    }
    const from = pipe ? new Socket({ fd: pipe.read }) : (this.#child.stdout as Socket);
    this.#output = onOutput && new WorkloadOutput(from, to, onOutput);
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', (error) =>
        reject(new Refused({ code: 'cannot-run', command: name, why: messageOf(error) })),
      );
      this.#child.once('exit', async (status, signal) => {
        await this.#output?.rest();
        this.#output?.unref();
        resolve({ status: status ?? 128 + (signal === null ? 0 : osConstants.signals[signal]) });
      });
    });
    this.#ended.catch(() => {});
    // COMMAND may be gone before it reads from the pipe; that shows in how it ends.
    (this.#child.stdio[3] as Writable).on('error', () => {});
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Lets COMMAND run. */
  release(): void {
    (this.#child.stdio[3] as Writable).end('go\n');
  }

  /** Ends COMMAND before it began. */
  cancel(): void {
    (this.#child.stdio[3] as Writable).end();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Lets this process end before COMMAND. */
  leave(): void {
    this.#child.unref();
    this.#output?.unref();
  }

  /** Resolves when COMMAND has ended and what it printed is read; processes it left behind may still run. */
  ended(): Promise<CommandEnd> {
    return this.#ended;
  }
}

/**
 * The words before COMMAND that run it as another user, with that user's groups (setpriv of util-linux).
 * @throws {Refused} where there is no such user
 */
function becoming(user: string): string[] {
  const { status, stdout } = spawnSync('id', ['-g', '--', user], { encoding: 'utf8' });
  if (status !== 0) throw new Refused({ code: 'no-user', user });
  return ['setpriv', `--reuid=${user}`, `--regid=${stdout.trim()}`, '--init-groups', '--'];
}

const SHELL_BUILTIN =
  /^(?:[.:]|alias|bg|builtin|cd|command|declare|eval|exec|exit|export|fg|hash|jobs|let|local|popd|pushd|read|set|shift|shopt|source|times|trap|type|ulimit|umask|unset|wait)$/;

/**
 * The file a shell would run for this name.
 * @throws {Refused} with exit status 127 or 126, as shells have it
 */
export function findCommand(name: string): string {
  const candidates = name.includes('/')
    ? [name]
    : (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory || '.', name));
  let found = false;
  for (const candidate of candidates) {
    if (!isFile(candidate)) continue;
    found = true;
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // the next directory may have one that is executable
    }
  }
  if (found) throw new Refused({ code: 'not-executable', command: name });
  throw new Refused({ code: 'no-command', command: name, isBuiltin: SHELL_BUILTIN.test(name) });
}

/** A directory of PATH that may not be looked into has nothing to offer. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
