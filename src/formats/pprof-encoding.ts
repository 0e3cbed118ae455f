import type { CensusFacts } from '../census/census.ts';

/** How a census is put into a pprof profile; `docs/formats.md` describes it for other programs. */

/** First words of the profile comment that carries what pprof has no place for; JSON follows. */
export const CENSUS_COMMENT = 'whocalls/census/1 ';

/** What the comment holds. */
export interface CensusComment {
  readonly targets: readonly string[];
  readonly losses: readonly { readonly reason: string; readonly count: number }[];
  readonly facts: CensusFacts;
}

/** Keys of sample labels. */
export const LABEL = {
  target: 'target',
  comm: 'comm',
  pid: 'pid',
  cpu: 'cpu',
  bucket: 'time bucket',
  argument: 'argument',
  /** The sample is a loss; its value is the reason. Its stack is one made-up frame, so that viewers show it. */
  lost: 'lost',
} as const;

/** Files of mappings that stand for no file. */
export const KERNEL_MAPPING = '[kernel.kallsyms]';
export const MARKER_MAPPING = '[context]';
export const LOST_MAPPING = '[lost]';

/** A frame the unwinder doubted has this before its function's name. */
export const UNRELIABLE = '? ';
