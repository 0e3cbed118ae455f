/**
 * Benchmarks on several threads. LevelDB's handle is an address, and its functions may be called from any thread: so
 * each thread of db_bench is a thread of Node, and calls LevelDB from there, as in the original.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { messageOf, UserError } from '../errors.ts';
import { type BenchResult, BenchStats } from './bench-stats.ts';
import { benchmarkNamed } from './benchmarks.ts';
import type { DbBenchFlags } from './flags.ts';
import { type Address, bindLevelDb, type LevelDb, loadKoffi, nameThread } from './leveldb.ts';
import type { LibraryFiles } from './library.ts';
import { Operations, type Watch } from './operations.ts';
import { Random, valuePool } from './random.ts';

/** One thread's share of one benchmark, as plain data. */
export interface ThreadWork {
  readonly benchmark: string;
  readonly flags: DbBenchFlags;
  /** The handle of the open database. */
  readonly database: Address;
  /** Threads started so far, this one included: it seeds the random keys. */
  readonly threadNumber: number;
  readonly isWriter: boolean;
}

/** What a thread of its own gets. */
export interface ThreadStart extends ThreadWork {
  readonly library: LibraryFiles;
  readonly progress: boolean;
  /** Numbers that all threads see; see {@link AT}. */
  readonly shared: Int32Array;
}

/** Places in the shared numbers. */
const AT = { begun: 0, stopped: 1, readersLeft: 2 } as const;

/** What a thread tells: that it is ready to begin; then what came of it. */
type Message = 'ready' | BenchResult | { readonly failure: string };

/** How threads are run. */
export interface ThreadSurroundings {
  /** Starts a thread that calls {@link runThread} with what it is given. */
  readonly startThread: (start: ThreadStart) => Worker;
  readonly library: LibraryFiles;
  readonly progress: boolean;
  readonly signal: AbortSignal;
}

/** Does one thread's share on this thread. */
export async function runTask(
  levelDb: LevelDb,
  work: ThreadWork,
  stats: BenchStats,
  readersDone: () => boolean,
): Promise<BenchResult> {
  const { flags, isWriter } = work;
  const benchmark = benchmarkNamed(work.benchmark);
  if (!benchmark) throw new Error(`no benchmark ${work.benchmark}`);
  const reads = flags.reads < 0 ? flags.num : flags.reads;
  const pool = valuePool(flags.compression_ratio);
  const operations = new Operations(levelDb, work.database, flags.key_prefix, pool);
  try {
    stats.start();
    await benchmark.run({
      operations,
      flags,
      num: benchmark.num?.(flags.num) ?? flags.num,
      reads: benchmark.reads?.(reads) ?? reads,
      valueBytes: benchmark.valueBytes ?? flags.value_size,
      entriesPerBatch: benchmark.entriesPerBatch ?? 1,
      sync: benchmark.sync ?? false,
      random: new Random(1000 + work.threadNumber),
      stats,
      isWriter,
      readersDone,
    });
    return stats.stop();
  } finally {
    operations.free();
  }
}

/**
 * Does several threads' shares at the same time, and returns when all threads have ended. They begin together.
 *
 * @returns what the threads that read came to, or all if none writes beside them
 * @throws {UserError} a thread failed; the signal's reason if it is aborted
 */
export async function runThreads(works: readonly ThreadWork[], around: ThreadSurroundings): Promise<BenchResult[]> {
  const { signal, startThread, library, progress } = around;
  const shared = new Int32Array(new SharedArrayBuffer(4 * Object.keys(AT).length));
  shared[AT.readersLeft] = works.filter(({ isWriter }) => !isWriter).length;
  const begin = () => {
    Atomics.store(shared, AT.begun, 1);
    Atomics.notify(shared, AT.begun);
  };
  const stop = () => {
    Atomics.store(shared, AT.stopped, 1);
    begin();
  };
  signal.addEventListener('abort', stop);
  let waiting = works.length;
  const results: BenchResult[] = [];
  let failure: string | undefined;
  const fail = (text: string) => {
    failure ??= text;
    stop();
  };
  try {
    await Promise.all(
      works.map(async (work) => {
        const worker = startThread({ ...work, library, progress, shared });
        worker.on('error', (error) => fail(messageOf(error)));
        worker.on('message', (message: Message) => {
          if (message === 'ready') {
            waiting -= 1;
            if (waiting === 0) begin();
          } else if ('failure' in message) fail(message.failure);
          else if (!work.isWriter) results.push(message);
        });
        await new Promise((resolve) => worker.once('exit', resolve));
      }),
    );
  } finally {
    signal.removeEventListener('abort', stop);
  }
  signal.throwIfAborted();
  if (failure !== undefined) throw new UserError(failure);
  return results;
}

/** The whole life of a thread that {@link runThreads} has had started. */
export async function runThread(start: ThreadStart, port: MessagePort): Promise<void> {
  const { shared, isWriter } = start;
  const tell = (message: Message) => port.postMessage(message);
  const isStopped = () => Atomics.load(shared, AT.stopped) !== 0;
  try {
    const levelDb = bindLevelDb(await loadKoffi(), start.library);
    nameThread(levelDb.koffi, 'db_bench');
    const pause: Watch['pause'] = () => {
      if (isStopped()) throw new Error('stopped');
    };
    const progress = start.progress ? (text: string) => void process.stderr.write(text) : undefined;
    const stats = new BenchStats({ pause, histogram: start.flags.histogram, progress });
    tell('ready');
    Atomics.wait(shared, AT.begun, 0);
    tell(await runTask(levelDb, start, stats, () => Atomics.load(shared, AT.readersLeft) === 0));
  } catch (error) {
    if (!isStopped()) tell({ failure: messageOf(error) });
  } finally {
    if (!isWriter) Atomics.sub(shared, AT.readersLeft, 1);
  }
}
