/** The arguments that are meant for whocalls itself: those after `--` are COMMAND's. */
export function ownArguments(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
}
