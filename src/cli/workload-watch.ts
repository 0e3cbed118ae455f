import { type Command, Option } from 'commander';
import type { Workload } from '../census/workload.ts';
import { runsBenchmark } from '../workload/benchmarks/registry.ts';
import { parsePhaseRegex, WorkloadReader } from '../workload/output.ts';

/** Width of the time buckets by which calls are told to belong to a phase, in milliseconds. */
const BUCKET_MILLISECONDS = 100;

/** Options about reading what COMMAND prints. */
export interface WatchOptions {
  readonly phases?: 'auto' | 'on' | 'off';
  readonly phaseRegex?: string;
}

export function addWatchOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--phases <when>', 'read phases and facts from what COMMAND prints (auto: known benchmarks)')
        .choices(['auto', 'on', 'off'])
        .default('auto'),
    )
    .option(
      '--phase-regex <regex>',
      'a line of COMMAND that matches ends a phase; (?<name>…) and (?<ops>…) tell about it',
    );
}

/** Reads along what COMMAND prints while calls are counted. */
export interface WorkloadWatch {
  /** Width of the time buckets calls have to carry. */
  readonly bucketMilliseconds: number;
  /** Call when counting has begun, at this time in nanoseconds of the monotonic clock. */
  begin(startedAt: bigint): void;
  /** Takes what COMMAND printed, as it comes. */
  read(chunk: Buffer): void;
  /** Call when COMMAND has ended. */
  finish(): Workload | null;
}

/** A watch for this command, or null where its output is not to be read. */
export function watchWorkload(
  words: readonly string[],
  options: WatchOptions,
  bucketMilliseconds?: number,
): WorkloadWatch | null {
  const isKnown = runsBenchmark(words);
  const isWanted = options.phaseRegex !== undefined || options.phases === 'on' || (options.phases !== 'off' && isKnown);
  if (!isWanted || words.length === 0) return null;
  const width = bucketMilliseconds ?? BUCKET_MILLISECONDS;
  const phaseRegex = options.phaseRegex === undefined ? undefined : parsePhaseRegex(options.phaseRegex);
  let origin = 0;
  let reader = new WorkloadReader(0);
  const now = () => Number(process.hrtime.bigint()) / 1e6;
  return {
    bucketMilliseconds: width,
    begin(startedAt) {
      // The first bucket began when the clock last passed a multiple of the width.
      origin = Math.floor(Number(startedAt) / 1e6 / width) * width;
      reader = new WorkloadReader(now() - origin, { command: words, ...(phaseRegex && { phaseRegex }) });
    },
    read: (chunk) => reader.read(chunk, now() - origin),
    finish: () => reader.finish(now() - origin),
  };
}
