import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** Where what can be fetched or built again is kept: `$XDG_CACHE_HOME/whocalls`, by default `~/.cache/whocalls`. */
export function cacheDirectory(): string {
  return ownDirectory('XDG_CACHE_HOME', '.cache');
}

/** Where results are kept that the user did not name a place for: `$XDG_DATA_HOME/whocalls`, by default `~/.local/share/whocalls`. */
export function dataDirectory(): string {
  return ownDirectory('XDG_DATA_HOME', join('.local', 'share'));
}

/** As the XDG Base Directory Specification has it: a variable that is not an absolute path counts as not set. */
function ownDirectory(variable: string, byDefault: string): string {
  const base = process.env[variable];
  return join(base && isAbsolute(base) ? base : join(homedir(), byDefault), 'whocalls');
}

/**
 * Makes `path` (file or directory) by letting `build` write a path beside it, then renames it into place:
 * nobody ever sees it half done, and of two processes doing it at once one simply wins.
 */
export function buildInPlace(path: string, build: (draft: string) => void): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2, 8)}.part`;
  try {
    build(draft);
    try {
      renameSync(draft, path);
    } catch (error) {
      // A directory that another process put there in the meantime is as good as ours.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Removes the files of a directory that were changed longest ago, until `keep` are left. */
export function pruneOldest(directory: string, keep: number): void {
  const files = readdirSync(directory).map((name) => join(directory, name));
  const byAge = files.map((path) => ({ path, time: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }));
  byAge.sort((a, b) => b.time - a.time);
  for (const { path } of byAge.slice(keep)) rmSync(path, { force: true });
}
