/**
 * LevelDB's db_bench on a real LevelDB: the same flags, benchmarks, keys, values and output lines, so that what reads
 * db_bench's output reads this one's.
 */
import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { type BenchResult, BenchStats, mergeResults, resultLines } from './bench-stats.ts';
import { type Benchmark, benchmarkNamed, openAgain } from './benchmarks.ts';
import { Database } from './database.ts';
import type { DbBenchFlags } from './flags.ts';
import { environmentLines, sizeLines } from './head.ts';
import type { LevelDb } from './leveldb.ts';
import type { LibraryFiles } from './library.ts';
import { KEY_DIGITS } from './operations.ts';
import { runTask, runThreads, type ThreadSurroundings } from './threads.ts';

/** Where the two streams of output go, what ends the run early, and what it works with. */
export interface DbBenchSurroundings {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Undefined: no progress is shown. */
  readonly progress: ((text: string) => void) | undefined;
  readonly signal: AbortSignal;
  readonly levelDb: LevelDb;
  /** Where it was loaded from; further threads load it from there as well. */
  readonly library: LibraryFiles;
  readonly startThread: ThreadSurroundings['startThread'];
}

/** Names that print a property instead of measuring. */
const PROPERTIES: Readonly<Record<string, string>> = { stats: 'leveldb.stats', sstables: 'leveldb.sstables' };

/** Parts of the original that do not touch a database. */
const NOT_DATABASE = new Set([
  'crc32c',
  'snappycomp',
  'snappyuncomp',
  'zstdcomp',
  'zstduncomp',
  'acquireload',
  'heapprofile',
]);

/**
 * Where the database is if `--db` is not given: as in the original, and left there afterwards.
 *
 * @throws {UserError} the folder among everybody's temporary files is another user's
 */
function defaultPath(): string {
  const own = process.env.TEST_TMPDIR;
  if (own) {
    mkdirSync(own, { recursive: true });
    return join(own, 'dbbench');
  }
  const user = process.geteuid?.() ?? 0;
  const folder = join(tmpdir(), `leveldbtest-${user}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const status = lstatSync(folder); // a link would lead LevelDB to files of this user's that it overwrites
  if (!status.isDirectory() || (status.uid !== user && process.geteuid !== undefined)) {
    throw new UserError(`${folder} is not a folder of your own; name one: --db=FOLDER`);
  }
  return join(folder, 'dbbench');
}

/**
 * Runs the benchmarks one after another.
 * @throws UserError if the database cannot be opened, read or written; the signal's reason if it is aborted
 */
export async function runDbBench(flags: DbBenchFlags, surroundings: DbBenchSurroundings): Promise<void> {
  const bench = new DbBench(flags, surroundings);
  bench.printHead();
  try {
    bench.openFirst();
    for (const name of flags.benchmarks.split(',')) {
      surroundings.signal.throwIfAborted();
      await bench.runNamed(name);
    }
  } finally {
    bench.end();
  }
}

class DbBench {
  readonly #flags: DbBenchFlags;
  readonly #surroundings: DbBenchSurroundings;
  readonly #database: Database;
  #threadsSoFar = 0;

  constructor(flags: DbBenchFlags, surroundings: DbBenchSurroundings) {
    this.#flags = flags;
    this.#surroundings = surroundings;
    const orDefault = (value: number) => (value > 0 ? value : undefined);
    this.#database = new Database(surroundings.levelDb, {
      path: flags.db ?? defaultPath(),
      createIfMissing: !flags.use_existing_db,
      writeBufferSize: orDefault(flags.write_buffer_size),
      maxFileSize: orDefault(flags.max_file_size),
      blockSize: orDefault(flags.block_size),
      cacheSize: flags.cache_size >= 0 ? flags.cache_size : undefined,
      openFiles: orDefault(flags.open_files),
      bloomBits: flags.bloom_bits >= 0 ? flags.bloom_bits : undefined,
      compression: flags.compression,
    });
  }

  printHead(): void {
    const { value_size, num, compression_ratio, key_prefix } = this.#flags;
    const { out, err, levelDb } = this.#surroundings;
    err(environmentLines(levelDb.version));
    out(
      sizeLines({
        keyBytes: KEY_DIGITS + key_prefix,
        valueBytes: value_size,
        entries: num,
        compressionRatio: compression_ratio,
      }),
    );
    out(`${'-'.repeat(48)}\n`);
  }

  openFirst(): void {
    if (!this.#flags.use_existing_db) this.#database.destroy();
    this.#database.open();
  }

  end(): void {
    this.#database.free();
  }

  async runNamed(name: string): Promise<void> {
    const { out, err } = this.#surroundings;
    const benchmark = benchmarkNamed(name);
    const property = Object.hasOwn(PROPERTIES, name) ? PROPERTIES[name] : undefined;
    if (property !== undefined) out(`\n${this.#database.property(property) ?? '(failed)'}\n`);
    else if (NOT_DATABASE.has(name)) out(`${name.padEnd(12)} : skipped (does not use the database)\n`);
    else if (name === 'open') out(resultLines(name, await this.#measureOpen()));
    else if (!benchmark) {
      if (name !== '') err(`unknown benchmark '${name}'\n`);
    } else if (benchmark.fresh && this.#flags.use_existing_db) {
      out(`${name.padEnd(12)} : skipped (--use_existing_db is true)\n`);
    } else {
      if (benchmark.fresh) {
        this.#database.close();
        this.#database.destroy();
        this.#database.open();
      }
      out(resultLines(name, await this.#measure(name, benchmark)));
    }
  }

  async #measure(name: string, benchmark: Benchmark): Promise<BenchResult> {
    const flags = this.#flags;
    const threads = flags.threads + (benchmark.writer ? 1 : 0);
    const works = Array.from({ length: threads }, (_, index) => {
      this.#threadsSoFar += 1;
      return {
        benchmark: name,
        flags,
        database: this.#database.address,
        threadNumber: this.#threadsSoFar,
        isWriter: benchmark.writer === true && index === 0,
      };
    });
    const { levelDb, progress, ...others } = this.#surroundings;
    const [only, ...more] = works;
    if (only && more.length === 0) return runTask(levelDb, only, this.#newStats(), () => true);
    return mergeResults(await runThreads(works, { ...others, progress: progress !== undefined }));
  }

  async #measureOpen(): Promise<BenchResult> {
    this.#threadsSoFar += 1;
    const stats = this.#newStats();
    stats.start();
    await openAgain(this.#database, this.#flags.num, stats);
    return stats.stop();
  }

  #newStats(): BenchStats {
    const { signal, progress } = this.#surroundings;
    const pause = async () => {
      await new Promise((resume) => setImmediate(resume)); // lets signals and timers in
      signal.throwIfAborted();
    };
    return new BenchStats({ pause, histogram: this.#flags.histogram, progress });
  }
}
