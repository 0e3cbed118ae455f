import type { PathView } from '../census/knowledge.ts';
import { atlasTable } from './files.ts';

/** A record of `atlas/hints.yaml`: a command that shows more, and where it is worth offering. */
export interface HintRecord {
  readonly targets?: readonly string[];
  readonly sites?: readonly string[];
  readonly frames?: readonly string[];
  /** Only where no argument was recorded. */
  readonly missing?: 'argument';
  readonly says: string;
  /** `{target}` stands for what was counted, `{command}` for `-- COMMAND`. */
  readonly command: string;
}

/** A hint that fits calls, and how many. */
export interface Hint {
  readonly says: string;
  readonly command: string;
  readonly count: number;
}

/** A hint for fewer calls than this share is not worth a line. */
const LEAST_SHARE = 0.05;
const MOST_HINTS = 3;

/**
 * The hints that fit these paths, the one that covers the most calls first.
 *
 * @param commandLine COMMAND as it was run, '' where none was
 */
export function hintsFor(
  paths: readonly { readonly path: PathView; readonly count: number }[],
  commandLine: string,
): Hint[] {
  const all = paths.reduce((sum, { count }) => sum + count, 0);
  const hints = atlasTable<HintRecord[]>('hints').flatMap((record): Hint[] => {
    const fitting = paths.filter(({ path }) => fits(record, path));
    const count = fitting.reduce((sum, path) => sum + path.count, 0);
    const target = fitting[0]?.path.target ?? '';
    if (count === 0 || count < LEAST_SHARE * all) return [];
    const end = commandLine === '' ? '--duration 5' : `-- ${commandLine}`;
    const command = record.command.replaceAll('{target}', target).replaceAll('{command}', end);
    return [{ says: record.says, command, count }];
  });
  return hints.sort((a, b) => b.count - a.count).slice(0, MOST_HINTS);
}

function fits({ targets, sites, frames, missing }: HintRecord, path: PathView): boolean {
  if (targets && !targets.includes(path.target)) return false;
  if (sites && !sites.includes(path.frames[path.site]?.name ?? '')) return false;
  if (frames && !path.frames.some(({ name }) => frames.includes(name))) return false;
  return missing === undefined || path.argument === '';
}
