import { isRefused } from '../capture/refusals/refused.ts';
import { findCommand } from '../capture/run/workload-command.ts';
import { nearNames } from '../capture/targets/near-names.ts';
import { UserError } from '../errors.ts';

/**
 * The error to show where a target is no function: the word may be a mistyped command of whocalls (the first of all), or
 * the beginning of a COMMAND without its `--`. Other errors are passed on.
 */
export function whatWasMeant(
  error: unknown,
  targets: readonly string[],
  hasCommand: boolean,
  commands: readonly string[],
): unknown {
  if (!isRefused(error, 'no-function')) return error;
  const { word } = error.refusal;
  const isFirst = word === targets[0];
  const [near] = isFirst ? nearNames(word, commands) : [];
  const start = `no kernel function is called ${word}`;
  if (near !== undefined) return new UserError(`${start}; did you mean 'whocalls ${near}'?`, { cause: error });
  if (!isFirst && !hasCommand && targets.includes(word) && isExecutable(word))
    return new UserError(`${start}; if ${word} is COMMAND, put -- before it`, { cause: error });
  return error;
}

function isExecutable(name: string): boolean {
  try {
    return findCommand(name) !== '';
  } catch {
    return false;
  }
}
