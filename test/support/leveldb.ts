import { bindLevelDb, type LevelDb, loadKoffi, tryLoad } from '../../src/db_bench/leveldb.ts';
import { findLibrary, type LibraryFiles } from '../../src/db_bench/library.ts';
import { messageOf } from '../../src/errors.ts';
import { cacheDirectory } from '../../src/host/cache.ts';
import { type Lack, lacking } from './needs.ts';

/** LevelDB as `whocalls db_bench` finds it, downloaded if need be; or why there is none. */
export async function levelDbForTests(): Promise<{ levelDb?: LevelDb; library?: LibraryFiles; lack: Lack }> {
  try {
    const koffi = await loadKoffi();
    const library = findLibrary({
      file: undefined,
      caches: [cacheDirectory()],
      noFetching: undefined,
      say: () => {},
      load: (files) => tryLoad(koffi, files),
    });
    return { levelDb: bindLevelDb(koffi, library), library, lack: null };
  } catch (error) {
    return { lack: lacking(`no LevelDB (${messageOf(error)})`, 'bin/whocalls db_bench --num=1') };
  }
}
