import { realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { guestPath } from '../lab/guest.ts';
import { ownArguments } from './own-arguments.ts';

/** `record` as the guest runs it: the host's own node and this very installation, which the guest sees. */
export function recordCommand(args: readonly string[]): string[] {
  const started = realpathSync(process.argv[1] ?? '');
  const main = started.endsWith('/bin/whocalls') ? join(dirname(started), '../dist/cli/main.cjs') : started;
  if (!main.endsWith('.cjs')) throw new UserError(`cannot run ${main} in the guest; start bin/whocalls`);
  return [guestPath(process.execPath), guestPath(main), 'record', ...args];
}

/** The files that record options before `--` say it will write, as absolute paths. */
export function recordOutputs(args: readonly string[], directory: string): string[] {
  const options = ownArguments(args);
  const files = options.flatMap((option, index) => {
    if (option === '-o' || option === '--output') return options[index + 1] ?? [];
    if (option.startsWith('--output=')) return option.slice('--output='.length);
    return option.startsWith('-o') && option.length > 2 ? option.slice(2) : [];
  });
  return files.filter((file) => file !== '-').map((file) => resolve(directory, file));
}
