/**
 * Arguments of which commander leaves the `--` in: it removes the first one, which tells a command's own arguments from
 * those of COMMAND.
 */
export function keepingSeparator(args: readonly string[]): readonly string[] {
  const own = ownArguments(args);
  return own.length === args.length ? args : [...own, '--', ...args.slice(own.length)];
}

/** The arguments that are meant for whocalls itself: those after `--` are COMMAND's. */
export function ownArguments(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
}

/** Stands for a `--` between sets of recordings; no argument can hold a NUL. */
export const SET_SEPARATOR = '\0--';

/** Arguments with every `--` made an ordinary word, so that options may stand behind it as well. */
export function separatingSets(args: readonly string[]): readonly string[] {
  return args.map((word) => (word === '--' ? SET_SEPARATOR : word));
}
