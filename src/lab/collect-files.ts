import { constants, mkdtempSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { messageOf, UserError } from '../errors.ts';
import { toFile } from '../host/output-file.ts';

/** More does not come out of a guest as a file; shares are for that. */
const LARGEST = 1 << 30;

/**
 * Brings files that COMMAND wrote to where they belong: `folder` has them by number. COMMAND is root in the guest and
 * could have put anything there, so only plain files are taken, and no link is followed. A file that cannot be written
 * where it belongs is kept elsewhere, and the error says where.
 *
 * @throws {UserError} some file could not be brought
 */
export async function collectFiles(folder: string, paths: readonly string[]): Promise<void> {
  const problems: string[] = [];
  for (const [index, path] of paths.entries()) {
    try {
      const content = await plainFile(join(folder, String(index)), path);
      if (content) await toFile(path, content).catch((error: unknown) => keptElsewhere(content, path, error));
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  if (problems.length > 0) throw new UserError(problems.join('\n'));
}

/** The content of a file of the guest; null where it wrote none. */
async function plainFile(file: string, path: string): Promise<Buffer | null> {
  const refused = (why: string) =>
    new UserError(`${path}: what the command left in its place is ${why}; it was not taken`);
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    // A FIFO would block for ever where it is opened to be read.
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw refused(code === 'ELOOP' ? 'a link' : 'no file that can be read');
  }
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw refused('no file');
    if (status.size > LARGEST) throw refused('larger than 1 GiB');
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

function keptElsewhere(content: Buffer, path: string, error: unknown): never {
  let kept: string;
  try {
    kept = join(mkdtempSync(join(tmpdir(), 'whocalls-kept-')), basename(path));
    writeFileSync(kept, content, { flag: 'wx' });
  } catch (again) {
    throw new UserError(`${messageOf(error)}; nor could it be kept in ${tmpdir()}: ${messageOf(again)}`, {
      cause: error,
    });
  }
  throw new UserError(`${messageOf(error)}; it is kept as ${kept}`, { cause: error });
}
