import type { RunOptions } from './run/run.ts';
import type { CountingOptions } from './session/plan.ts';
import { parseKeys } from './targets/arguments.ts';

/** What a recording is unless it is asked for otherwise; for the library and the command line. */
export const DEFAULTS: Pick<
  CountingOptions,
  'filter' | 'keys' | 'walk' | 'userStacks' | 'maxStacks' | 'maxKeys' | 'coarseTimes'
> &
  Pick<RunOptions, 'command'> = {
  command: [],
  filter: {},
  /** Calls are told apart by process name. */
  keys: parseKeys('comm'),
  walk: true,
  userStacks: false,
  coarseTimes: true,
  /** Room for 20,000 distinct stacks with some to spare; 35 MiB of kernel memory. */
  maxStacks: 32_768,
  maxKeys: 65_536,
};
