import { accessSync, constants, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { messageOf, UsageError, UserError } from '../errors.ts';

export const REPORT_FORMATS = ['text', 'json', 'csv', 'folded', 'pprof'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

const ENDINGS: Readonly<Record<string, ReportFormat>> = {
  '.txt': 'text',
  '.json': 'json',
  '.csv': 'csv',
  '.folded': 'folded',
  '.collapsed': 'folded',
  '.pb.gz': 'pprof',
  '.pb': 'pprof',
  '.pprof': 'pprof',
};

/**
 * The format that goes with the ending of a file's name; text where it has none (`report`, `run-6.12`).
 *
 * @throws {UsageError} an ending that says something else: `a.json.gz`
 */
export function formatOfFile(file: string): ReportFormat {
  const name = basename(file).toLowerCase();
  const known = Object.keys(ENDINGS).find((ending) => name.endsWith(ending));
  if (known !== undefined) return ENDINGS[known] ?? 'text';
  if (/^(?:\.\d*)?$/.test(extname(name))) return 'text';
  const endings = Object.keys(ENDINGS).join(', ');
  throw new UsageError(`-o ${file}: no format goes with this ending (known: ${endings}; --format names one)`);
}

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
