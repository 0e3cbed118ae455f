import { randomBytes } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import { lstat, readlink, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { messageOf, UsageError, UserError } from '../errors.ts';

/**
 * Checks that a file can be written, without touching it.
 *
 * @throws {UserError} a directory, no directory to put it in, no permission
 */
export function checkWritable(file: string): void {
  try {
    const status = statSync(file, { throwIfNoEntry: false });
    if (status?.isDirectory()) throw new UserError(`cannot write ${file}: it is a directory`);
    if (status) accessSync(file, constants.W_OK);
    else accessSync(dirname(file), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw error instanceof UserError ? error : cannotWrite(file, error);
  }
}

/**
 * Writes a file so that it is whole or untouched: as a draft beside it, renamed when it is complete. Devices and pipes are
 * written to directly, and so is a file in a folder that takes no draft.
 *
 * @throws {UserError} it cannot be written after all; a link that somebody else made
 */
export async function toFile(file: string, content: string | Buffer): Promise<void> {
  try {
    // /dev/stdout and /dev/fd/3 are links into /proc that only opening follows; nobody but root makes others there.
    if (/^\/(?:dev|proc)\//.test(file)) return await writeFile(file, content);
    const goal = await goalOf(file);
    const status = await lstat(goal).catch(() => null);
    if (status && !status.isFile()) await writeFile(goal, content, { flag: constants.O_WRONLY | constants.O_NOFOLLOW });
    else await replace(goal, content, status?.mode);
  } catch (error) {
    throw error instanceof UserError ? error : cannotWrite(file, error);
  }
}

/** Where a file lies behind the links that lead to it. In a shared folder anybody could have laid one. */
async function goalOf(file: string): Promise<string> {
  const status = await lstat(file).catch(() => null);
  if (!status?.isSymbolicLink()) return file;
  const user = process.geteuid?.();
  if (status.uid !== user && status.uid !== 0) {
    throw new UserError(`cannot write ${file}: it is a link that another user made`);
  }
  return realpath(file).catch(async () => resolve(dirname(file), await readlink(file)));
}

async function replace(goal: string, content: string | Buffer, mode: number | undefined): Promise<void> {
  const draft = join(dirname(goal), `.${basename(goal)}.${randomBytes(6).toString('hex')}`);
  try {
    // O_EXCL: a new file, through nobody's link.
    await writeFile(draft, content, { flag: 'wx', ...(mode !== undefined && { mode: mode & 0o777 }) });
  } catch (error) {
    await rm(draft, { force: true });
    const isFolderClosed = ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (mode === undefined || !isFolderClosed) throw error;
    await writeFile(goal, content, { flag: constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW });
    return;
  }
  try {
    await rename(draft, goal);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/**
 * @throws {UsageError} the file is one of those that are read: it would be gone before it was
 */
export function refuseInput(output: string | undefined, inputs: readonly string[]): void {
  const own = output === undefined ? undefined : statSync(output, { throwIfNoEntry: false });
  if (!own?.isFile()) return;
  for (const input of inputs) {
    const other = input === '-' ? undefined : statSync(input, { throwIfNoEntry: false });
    if (other && other.dev === own.dev && other.ino === own.ino) {
      throw new UsageError(`-o ${output}: this is one of the files that are read`);
    }
  }
}

function cannotWrite(file: string, error: unknown): UserError {
  return new UserError(`cannot write ${file}: ${messageOf(error)}`, { cause: error });
}
