import { loadKoffi, tryLoad } from '../db_bench/leveldb.ts';
import { findLibrary, type LibraryFiles } from '../db_bench/library.ts';
import { cacheDirectory } from '../host/cache.ts';
import { guestPath } from '../lab/guest.ts';

/**
 * Finds LevelDB's library, downloading it if need be, and loads it.
 *
 * @param file the library that the user names
 * @throws {UserError} it cannot be had; the message says what to do
 */
export async function obtainLevelDb(file?: string): Promise<{
  readonly koffi: Awaited<ReturnType<typeof loadKoffi>>;
  readonly files: LibraryFiles;
}> {
  const koffi = await loadKoffi();
  const isGuest = process.env.WHOCALLS_LAB !== undefined;
  const cache = cacheDirectory();
  const files = findLibrary({
    file,
    caches: isGuest ? [cache, guestPath(cache)] : [cache],
    noFetching: isGuest
      ? 'a virtual machine cannot download it; run outside first: whocalls db_bench --num=1'
      : undefined,
    say: (text) => void process.stderr.write(`whocalls: ${text}\n`),
    load: (some) => tryLoad(koffi, some),
  });
  return { koffi, files };
}
