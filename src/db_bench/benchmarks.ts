/** What each benchmark does, thread by thread. */
import type { BenchStats } from './bench-stats.ts';
import type { Database } from './database.ts';
import type { DbBenchFlags } from './flags.ts';
import { KEY_DIGITS, type Operations } from './operations.ts';
import type { Random } from './random.ts';

/** A benchmark that threads run at the same time on one open database. */
export interface Benchmark {
  /** Whether it begins with a new database. */
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
export interface Task {
  readonly operations: Operations;
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
  compact: { run: async ({ operations }) => operations.compact() },
};

/** Looks a benchmark up by its name. */
export function benchmarkNamed(name: string): Benchmark | undefined {
  return Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
}

/** `open`: closes and opens the database. One thread alone can do that, whatever `--threads` says. */
export async function openAgain(database: Database, num: number, stats: BenchStats): Promise<void> {
  const times = Math.max(1, Math.trunc(num / 10_000));
  for (let i = 0; i < times; i += 1) {
    database.close();
    database.open();
    stats.operation();
    await stats.pause();
  }
}

async function write(task: Task, kind: 'put' | 'delete', inOrder: boolean): Promise<void> {
  const { operations, flags, num, random, stats, valueBytes } = task;
  if (kind === 'put' && num !== flags.num) stats.addMessage(`(${num} ops)`);
  const key = inOrder ? (index: number) => index : () => random.below(flags.num);
  const run = { kind, count: num, entriesPerBatch: task.entriesPerBatch, valueBytes, sync: task.sync, key };
  await operations.write(run, stats);
  if (kind === 'put') stats.addBytes(num * (valueBytes + KEY_DIGITS + flags.key_prefix));
}

async function walk(task: Task, backwards: boolean): Promise<void> {
  const { bytes } = await task.operations.walk(backwards, task.reads, task.stats);
  task.stats.addBytes(bytes);
}

function get(task: Task, range: number, missing: boolean): Promise<number> {
  const { operations, reads, random, stats } = task;
  return operations.get({ count: reads, missing, key: () => random.below(range) }, stats);
}

async function readRandom(task: Task): Promise<void> {
  const found = await get(task, task.flags.num, false);
  task.stats.addMessage(`(${found} of ${task.num} found)`);
}

async function seek(task: Task, inOrder: boolean): Promise<void> {
  const { operations, flags, reads, random, stats } = task;
  let last = 0;
  const nextInOrder = () => {
    last = (last + random.below(100)) % flags.num;
    return last;
  };
  const key = inOrder ? nextInOrder : () => random.below(flags.num);
  const found = await operations.seek({ count: reads, missing: false, reuse: inOrder, key }, stats);
  stats.addMessage(`(${found} of ${task.num} found)`);
}

/** The writer's own time and operations are not reported. */
async function readWhileWriting(task: Task): Promise<void> {
  if (!task.isWriter) return readRandom(task);
  const { operations, flags, random, stats, valueBytes } = task;
  const quiet = { operation: () => {}, operations: () => {}, timesEach: false, pause: stats.pause };
  const run = { kind: 'put', count: 1000, entriesPerBatch: 1, valueBytes, sync: false } as const;
  while (!task.readersDone()) {
    await operations.write({ ...run, key: () => random.below(flags.num) }, quiet);
    await stats.pause();
  }
}
