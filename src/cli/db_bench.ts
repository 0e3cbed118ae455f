import { constants } from 'node:os';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { type Command, Option } from 'commander';
import { runDbBench } from '../db_bench/db-bench.ts';
import { type DbBenchFlags, DEFAULT_BENCHMARKS } from '../db_bench/flags.ts';
import { bindLevelDb } from '../db_bench/leveldb.ts';
import { runThread, type ThreadStart } from '../db_bench/threads.ts';
import { newCommand } from './command.ts';
import { ownProgram } from './founding-case.ts';
import { obtainLevelDb } from './leveldb.ts';
import { count, flag, fraction } from './values.ts';

/** `whocalls db_bench`: flags of the original, `--name=value`. */
export function command(): Command {
  return newCommand('db_bench')
    .description("LevelDB's db_bench on a real LevelDB, as a workload to count kernel calls under")
    .option('--benchmarks <list>', 'what to run, in this order', DEFAULT_BENCHMARKS)
    .option('--num <n>', 'entries to write', count(1, MOST), 1_000_000)
    .option('--reads <n>', 'reads; negative: as many as --num', count(-MOST, MOST), -1)
    .option('--threads <n>', 'threads that do the same at the same time', count(1, 128), 1)
    .option('--value_size <bytes>', 'size of each value', count(0, 2 ** 20 - 1), 100)
    .option('--compression_ratio <x>', 'values shrink to this part when compressed', fraction, 0.5)
    .addOption(switchOption('--compression', 'let LevelDB compress', true))
    .addOption(switchOption('--histogram', 'print how long operations took', false))
    .addOption(switchOption('--use_existing_db', 'keep what is in the database', false))
    .option('--write_buffer_size <bytes>', "0: LevelDB's default (4 MiB)", count(0, MOST), 0)
    .option('--max_file_size <bytes>', "0: LevelDB's default (2 MiB)", count(0, MOST), 0)
    .option('--block_size <bytes>', "0: LevelDB's default (4 KiB)", count(0, MOST), 0)
    .option('--cache_size <bytes>', "block cache; negative: LevelDB's default (8 MiB)", count(-MOST, MOST), -1)
    .option('--bloom_bits <n>', 'Bloom filter bits per key; negative: none', count(-MOST, 1000), -1)
    .option('--open_files <n>', "0: LevelDB's default (1000)", count(0, MOST), 0)
    .option('--key_prefix <bytes>', 'common beginning of all keys', count(0, 1000), 0)
    .option('--db <path>', 'where the database is (it stays there); without it <temporary>/leveldbtest-<uid>/dbbench')
    .option(
      '--library <file>',
      "LevelDB's shared library; without it the system's, or else Debian's, downloaded to the cache",
    )
    .addHelpText('after', `\nBenchmarks: ${BENCHMARK_HELP}`)
    .action(run);
}

const BENCHMARK_HELP = `fillseq fillrandom overwrite fillsync fillbatch fill100K, deleteseq deleterandom,
  readseq readreverse readrandom readmissing readhot readrandomsmall seekrandom seekordered readwhilewriting,
  open compact; stats and sstables print LevelDB's own figures.`;

const MOST = 2 ** 31 - 1;

type Options = DbBenchFlags & { readonly library?: string };

async function run(options: Options): Promise<void> {
  if (parentPort) return runThread(workerData as ThreadStart, parentPort);
  const { koffi, files } = await obtainLevelDb(options.library);
  process.title = 'db_bench'; // what the kernel calls this task, and every thread LevelDB starts from it
  const stop = new AbortController();
  let caught: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    caught = signal;
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    await runDbBench(options, {
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
      progress: process.stderr.isTTY ? (text) => void process.stderr.write(text) : undefined,
      signal: stop.signal,
      levelDb: bindLevelDb(koffi, files),
      library: files,
      // A thread runs this same command, and gets to the first line of this function.
      startThread: (start) => new Worker(ownProgram(), { argv: ['db_bench'], workerData: start }),
    });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.exitCode = 128 + (caught ? constants.signals[caught] : 0);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** `--name`, `--name=1`, `--name=0`. */
function switchOption(name: string, description: string, byDefault: boolean): Option {
  return new Option(`${name} [0|1]`, description)
    .default(byDefault, byDefault ? '1' : '0')
    .preset('1')
    .argParser(flag);
}
