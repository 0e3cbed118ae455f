/**
 * LevelDB's db_bench on a real LevelDB: the same flags, benchmarks, keys, values and output lines, so that what reads
 * db_bench's output reads this one's.
 */
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BenchStats } from './bench-stats.ts';
import { environmentLines, sizeLines } from './head.ts';
import { type DirectLibrary, destroyDirect, openDirect } from './leveldb-direct.ts';
import { destroyNapi, NAPI_BLOOM_BITS, openNapi } from './leveldb-napi.ts';
import { Random, valuePool } from './random.ts';
import { KEY_DIGITS, type Store } from './store.ts';

/** The flags, by db_bench's names. */
export interface DbBenchFlags {
  readonly benchmarks: string;
  readonly num: number;
  /** Read operations; negative means as many as `num`. */
  readonly reads: number;
  readonly threads: number;
  readonly value_size: number;
  readonly compression_ratio: number;
  readonly compression: boolean;
  readonly histogram: boolean;
  readonly use_existing_db: boolean;
  /** 0 (files: undefined) leaves LevelDB's default. */
  readonly write_buffer_size: number;
  readonly max_file_size: number;
  readonly block_size: number;
  readonly open_files: number;
  /** Negative leaves LevelDB's default. */
  readonly cache_size: number;
  /** Negative is no filter. */
  readonly bloom_bits: number;
  readonly key_prefix: number;
  readonly db: string | undefined;
}

/** Where the two streams of output go, and what ends the run early. */
export interface DbBenchSurroundings {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Undefined: no progress is shown. */
  readonly progress: ((text: string) => void) | undefined;
  readonly signal: AbortSignal;
  /** Undefined: through classic-level's own interface. */
  readonly direct: DirectLibrary | undefined;
}

/** Run when `--benchmarks` is not given: the original's list without those that only exercise a checksum or codec. */
export const DEFAULT_BENCHMARKS =
  'fillseq,fillsync,fillrandom,overwrite,readrandom,readrandom,readseq,readreverse,compact,readrandom,readseq,readreverse,fill100K';

/** What one benchmark is: the parameters it changes, and what each of its threads does. */
interface Benchmark {
  readonly fresh?: true;
  readonly num?: (num: number) => number;
  readonly reads?: (reads: number) => number;
  readonly valueBytes?: number;
  readonly entriesPerBatch?: number;
  readonly sync?: true;
  /** A thread more, which writes while the others read. */
  readonly writer?: true;
  readonly run: (task: Task) => Promise<void>;
}

/** One thread's share of one benchmark. */
interface Task {
  readonly bench: DbBench;
  readonly flags: DbBenchFlags;
  readonly num: number;
  readonly reads: number;
  readonly valueBytes: number;
  readonly entriesPerBatch: number;
  readonly sync: boolean;
  readonly random: Random;
  readonly stats: BenchStats;
  /** Whether all threads that read are done. */
  readonly readersDone: () => boolean;
  readonly isWriter: boolean;
}

const thousandth = (value: number) => Math.trunc(value / 1000);

/** Every benchmark by its name. */
const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  fillseq: { fresh: true, run: (task) => write(task, 'put', true) },
  fillbatch: { fresh: true, entriesPerBatch: 1000, run: (task) => write(task, 'put', true) },
  fillrandom: { fresh: true, run: (task) => write(task, 'put', false) },
  overwrite: { run: (task) => write(task, 'put', false) },
  fillsync: { fresh: true, num: thousandth, sync: true, run: (task) => write(task, 'put', false) },
  fill100K: { fresh: true, num: thousandth, valueBytes: 100_000, run: (task) => write(task, 'put', false) },
  deleteseq: { run: (task) => write(task, 'delete', true) },
  deleterandom: { run: (task) => write(task, 'delete', false) },
  readseq: { run: (task) => walk(task, false) },
  readreverse: { run: (task) => walk(task, true) },
  readrandom: { run: readRandom },
  readrandomsmall: { reads: thousandth, run: readRandom },
  readmissing: { run: async (task) => void (await get(task, task.flags.num, true)) },
  readhot: { run: async (task) => void (await get(task, Math.trunc((task.flags.num + 99) / 100), false)) },
  seekrandom: { run: (task) => seek(task, false) },
  seekordered: { run: (task) => seek(task, true) },
  readwhilewriting: { writer: true, run: readWhileWriting },
  open: { num: (num) => Math.max(1, Math.trunc(num / 10_000)), run: openAgain },
  compact: { run: (task) => task.bench.store.compact() },
};

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

/** Whether one of the benchmarks asks for more than one thread. */
export function needsThreads(flags: DbBenchFlags): boolean {
  return flags.threads > 1 || flags.benchmarks.split(',').some((name) => BENCHMARKS[name]?.writer);
}

/** Where the database is if `--db` is not given: as in the original, and left there afterwards. */
export function defaultPath(): string {
  const directory = process.env.TEST_TMPDIR || join(tmpdir(), `leveldbtest-${process.geteuid?.() ?? 0}`);
  mkdirSync(directory, { recursive: true });
  return join(directory, 'dbbench');
}

/**
 * Runs the benchmarks one after another.
 * @throws UserError if the database cannot be opened, read or written; the signal's reason if it is aborted
 */
export async function runDbBench(flags: DbBenchFlags, surroundings: DbBenchSurroundings): Promise<void> {
  const bench = new DbBench(flags, surroundings);
  bench.printHead();
  await bench.openFirst();
  try {
    for (const name of flags.benchmarks.split(',')) {
      surroundings.signal.throwIfAborted();
      await bench.runNamed(name);
    }
  } finally {
    await bench.close();
  }
}

class DbBench {
  readonly #flags: DbBenchFlags;
  readonly #surroundings: DbBenchSurroundings;
  readonly #path: string;
  readonly #pool: Buffer;
  #store: Store | undefined;
  #threadsSoFar = 0;

  constructor(flags: DbBenchFlags, surroundings: DbBenchSurroundings) {
    this.#flags = flags;
    this.#surroundings = surroundings;
    this.#path = flags.db ?? defaultPath();
    this.#pool = valuePool(flags.compression_ratio);
  }

  get store(): Store {
    if (!this.#store) throw new Error('the database is not open');
    return this.#store;
  }

  printHead(): void {
    const { value_size, num, compression_ratio, key_prefix, bloom_bits } = this.#flags;
    const { out, err, direct } = this.#surroundings;
    err(environmentLines());
    out(
      sizeLines({
        keyBytes: KEY_DIGITS + key_prefix,
        valueBytes: value_size,
        entries: num,
        compressionRatio: compression_ratio,
      }),
    );
    if (!direct && bloom_bits !== NAPI_BLOOM_BITS) {
      out(`WARNING: the Bloom filter has ${NAPI_BLOOM_BITS} bits per key: classic-level has no other\n`);
    }
    out(`${'-'.repeat(48)}\n`);
  }

  async openFirst(): Promise<void> {
    if (!this.#flags.use_existing_db) await this.#destroy();
    await this.open();
  }

  async open(): Promise<void> {
    const { direct } = this.#surroundings;
    const flags = this.#flags;
    const orDefault = (value: number) => (value > 0 ? value : undefined);
    const options = {
      path: this.#path,
      createIfMissing: !flags.use_existing_db,
      writeBufferSize: orDefault(flags.write_buffer_size),
      maxFileSize: orDefault(flags.max_file_size),
      blockSize: orDefault(flags.block_size),
      cacheSize: flags.cache_size >= 0 ? flags.cache_size : undefined,
      openFiles: orDefault(flags.open_files),
      bloomBits: flags.bloom_bits >= 0 ? flags.bloom_bits : undefined,
      compression: flags.compression,
      keyPrefix: flags.key_prefix,
      pool: this.#pool,
    };
    this.#store = direct ? openDirect(direct, options) : await openNapi(options, flags.threads);
  }

  async close(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await store?.close();
  }

  async runNamed(name: string): Promise<void> {
    const { out, err } = this.#surroundings;
    const property = PROPERTIES[name];
    const benchmark = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
    if (property !== undefined) out(`\n${this.store.property(property) ?? '(failed)'}\n`);
    else if (NOT_DATABASE.has(name)) out(`${name.padEnd(12)} : skipped (does not use the database)\n`);
    else if (!benchmark) {
      if (name !== '') err(`unknown benchmark '${name}'\n`);
    } else if (benchmark.fresh && this.#flags.use_existing_db) {
      out(`${name.padEnd(12)} : skipped (--use_existing_db is true)\n`);
    } else {
      if (benchmark.fresh) {
        await this.close();
        await this.#destroy();
        await this.open();
      }
      await this.#measure(name, benchmark);
    }
  }

  async #measure(name: string, benchmark: Benchmark): Promise<void> {
    const flags = this.#flags;
    const { signal, progress, out } = this.#surroundings;
    const reads = flags.reads < 0 ? flags.num : flags.reads;
    const threads = flags.threads + (benchmark.writer ? 1 : 0);
    let running = flags.threads;
    const tasks = Array.from({ length: threads }, (_, index): Task => {
      this.#threadsSoFar += 1;
      return {
        bench: this,
        flags,
        num: benchmark.num?.(flags.num) ?? flags.num,
        reads: benchmark.reads?.(reads) ?? reads,
        valueBytes: benchmark.valueBytes ?? flags.value_size,
        entriesPerBatch: benchmark.entriesPerBatch ?? 1,
        sync: benchmark.sync ?? false,
        random: new Random(1000 + this.#threadsSoFar),
        stats: new BenchStats({ signal, progress, histogram: flags.histogram }),
        isWriter: benchmark.writer === true && index === 0,
        readersDone: () => running === 0,
      };
    });
    const ends = await Promise.allSettled(
      tasks.map(async (task) => {
        task.stats.start();
        try {
          await benchmark.run(task);
        } finally {
          if (!task.isWriter) running -= 1;
        }
        task.stats.stop();
      }),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    const [first, ...others] = tasks.filter((task) => !task.isWriter).map((task) => task.stats);
    for (const other of others) first?.merge(other);
    if (first) out(first.report(name));
  }

  async #destroy(): Promise<void> {
    const { direct } = this.#surroundings;
    if (direct) destroyDirect(direct, this.#path);
    else await destroyNapi(this.#path);
  }
}

async function write(task: Task, kind: 'put' | 'delete', inOrder: boolean): Promise<void> {
  const { bench, flags, num, random, stats, valueBytes } = task;
  if (kind === 'put' && num !== flags.num) stats.addMessage(`(${num} ops)`);
  const key = inOrder ? (index: number) => index : () => random.below(flags.num);
  await bench.store.write(
    { kind, count: num, entriesPerBatch: task.entriesPerBatch, valueBytes, sync: task.sync, key },
    stats,
  );
  if (kind === 'put') stats.addBytes(num * (valueBytes + KEY_DIGITS + flags.key_prefix));
}

async function walk(task: Task, backwards: boolean): Promise<void> {
  const { bytes } = await task.bench.store.walk(backwards, task.reads, task.stats);
  task.stats.addBytes(bytes);
}

function get(task: Task, range: number, missing: boolean): Promise<number> {
  const { bench, reads, random, stats } = task;
  return bench.store.get({ count: reads, missing, key: () => random.below(range) }, stats);
}

async function readRandom(task: Task): Promise<void> {
  const found = await get(task, task.flags.num, false);
  task.stats.addMessage(`(${found} of ${task.num} found)`);
}

async function seek(task: Task, inOrder: boolean): Promise<void> {
  const { bench, flags, reads, random, stats } = task;
  let last = 0;
  const nextInOrder = () => {
    last = (last + random.below(100)) % flags.num;
    return last;
  };
  const key = inOrder ? nextInOrder : () => random.below(flags.num);
  const found = await bench.store.seek({ count: reads, missing: false, reuse: inOrder, key }, stats);
  stats.addMessage(`(${found} of ${task.num} found)`);
}

/** The writer's own time and operations are not reported. */
async function readWhileWriting(task: Task): Promise<void> {
  if (!task.isWriter) return readRandom(task);
  const { bench, flags, random, stats, valueBytes } = task;
  const quiet = { operation: () => {}, operations: () => {}, timesEach: false, signal: stats.signal };
  const run = { kind: 'put', count: 1000, entriesPerBatch: 1, valueBytes, sync: false } as const;
  while (!task.readersDone()) await bench.store.write({ ...run, key: () => random.below(flags.num) }, quiet);
}

async function openAgain(task: Task): Promise<void> {
  for (let i = 0; i < task.num; i += 1) {
    await task.bench.close();
    await task.bench.open();
    task.stats.operation();
    task.stats.signal.throwIfAborted();
  }
}
