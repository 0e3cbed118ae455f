import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type Command, Option } from 'commander';
import { type DbBenchFlags, DEFAULT_BENCHMARKS, needsThreads, runDbBench } from '../db_bench/db-bench.ts';
import { type DirectLibrary, loadDirect } from '../db_bench/leveldb-direct.ts';
import { UserError } from '../errors.ts';
import { newCommand } from './command.ts';
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
    .addOption(
      new Option('--driver <how>', 'call LevelDB directly, or through the Node interface of classic-level')
        .choices(['auto', 'direct', 'napi'])
        .default('auto'),
    )
    .addHelpText('after', `\nBenchmarks: ${BENCHMARK_HELP}`)
    .action(run);
}

const BENCHMARK_HELP = `fillseq fillrandom overwrite fillsync fillbatch fill100K, deleteseq deleterandom,
  readseq readreverse readrandom readmissing readhot readrandomsmall seekrandom seekordered readwhilewriting,
  open compact; stats and sstables print LevelDB's own figures.`;

const MOST = 2 ** 31 - 1;

type Options = DbBenchFlags & { readonly driver: 'auto' | 'direct' | 'napi' };

/** Node's thread pool takes its size from the environment, once, before this code runs: hence the second process. */
const POOL_VARIABLE = 'UV_THREADPOOL_SIZE';

async function run(options: Options): Promise<void> {
  const direct = await chooseDriver(options);
  const pool = String(Math.min(128, options.threads + (needsThreads(options) ? 1 : 0)));
  if (!direct && process.env[POOL_VARIABLE] !== pool) {
    process.exitCode = await runAgain({ ...process.env, [POOL_VARIABLE]: pool });
    return;
  }
  process.title = 'db_bench'; // what the kernel calls this task, and every thread LevelDB starts from it
  const stop = new AbortController();
  let caught: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    caught = signal;
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  process.on('disconnect', () => stop.abort()); // the process that started this one for its pool is gone
  try {
    await runDbBench(options, {
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
      progress: process.stderr.isTTY ? (text) => void process.stderr.write(text) : undefined,
      signal: stop.signal,
      direct,
    });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.exitCode = 128 + (caught ? constants.signals[caught] : constants.signals.SIGHUP);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    process.channel?.unref();
  }
}

/** The library to call directly; undefined where the Node interface is to be used. */
async function chooseDriver(options: Options): Promise<DirectLibrary | undefined> {
  if (options.driver === 'napi') return undefined;
  const threads = needsThreads(options);
  if (threads && options.driver === 'auto') return undefined;
  if (threads) throw new UserError('--driver direct has one thread only; leave it out to run several');
  const loaded = await loadDirect();
  if (!('cannot' in loaded)) return loaded;
  if (options.driver === 'direct') throw new UserError(`LevelDB cannot be called directly: ${loaded.cannot}`);
  return undefined;
}

/** The same command in a process with another environment; its exit status. */
function runAgain(env: NodeJS.ProcessEnv): Promise<number> {
  const args = [...process.execArgv, '--title=db_bench', ...process.argv.slice(1)];
  const child = spawn(process.execPath, args, { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on('SIGTERM', pass);
  process.on('SIGINT', () => {}); // a terminal sends it to the child as well
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : (code ?? 1)));
  });
}

/** `--name`, `--name=1`, `--name=0`. */
function switchOption(name: string, description: string, byDefault: boolean): Option {
  return new Option(`${name} [0|1]`, description)
    .default(byDefault, byDefault ? '1' : '0')
    .preset('1')
    .argParser(flag);
}
