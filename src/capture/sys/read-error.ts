import { messageOf } from '../../errors.ts';
import { Refused } from '../refusals/refused.ts';

/** The file is not there, or not for us. */
const OF_THE_FILE = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM']);
/** This process or the machine can open nothing at all. */
const OF_THE_PROCESS = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** The name of the error of a failed system call; '' of anything else. */
export function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

/** Passes over a file that is not there or may not be read; whatever else went wrong says nothing of it. */
export function unlessAbsent(error: unknown, path: string): void {
  if (!OF_THE_FILE.has(errorCode(error))) throw cannotRead(path, error);
}

/** Passes over a file that cannot be read for a reason of its own. */
export function unlessExhausted(error: unknown, path: string): void {
  if (OF_THE_PROCESS.has(errorCode(error))) throw cannotRead(path, error);
}

/** What becomes of a run that needs this file. */
export function cannotRead(path: string, error: unknown): Refused {
  return new Refused({ code: 'unreadable', path, why: messageOf(error) }, { cause: error });
}
