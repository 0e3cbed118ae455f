import { accessSync, constants, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, UserError } from '../errors.ts';

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

/** @throws {UserError} it cannot be written after all */
export async function toFile(file: string, content: string | Buffer): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

function cannotWrite(file: string, error: unknown): UserError {
  return new UserError(`cannot write ${file}: ${messageOf(error)}`, { cause: error });
}

/**
 * Waits until everything is written: a pipe takes a long report piece by piece. What goes wrong, the stream's own
 * listener in `main.ts` tells.
 */
export function toStdout(content: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(content, () => resolve());
  });
}
