/**
 * `npm run bench:db_bench`: what an operation costs here and in a native db_bench, measured in turns in one run; and,
 * where strace is installed, what the kernel sees of each benchmark. The native one is the program in DB_BENCH
 * (LevelDB's own, built from its source) or `db_bench` on the PATH (RocksDB's, Debian package rocksdb-tools); without
 * either only the figures of ours are printed.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkloadReader } from '../src/workload/output.ts';

const ROUNDS = 3;
const NUM = Number(process.env.NUM ?? 1_000_000);
const BENCHMARKS = ['fillseq', 'readseq', 'readreverse', 'readrandom', 'seekrandom', 'fillrandom', 'overwrite'];

/** System calls that are counted, and of a run of how many entries. */
const CALLS = ['write', 'fdatasync', 'futex', 'epoll_pwait', 'pread64', 'mmap', 'munmap', 'madvise'];
const TRACED = 50_000;
const EMPTY = ['fillseq', 'fillrandom', 'fillbatch', 'fillsync'];
const FILLED = ['overwrite', 'readseq', 'readreverse', 'readrandom', 'seekrandom'];

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-bench-'));
const database = join(scratch, 'db');
const programs: Readonly<Record<string, readonly string[]>> = {
  native: [process.env.DB_BENCH ?? 'db_bench'],
  whocalls: [process.execPath, join(import.meta.dirname, '..', 'bin', 'whocalls'), 'db_bench'],
};

/** Microseconds per operation by benchmark; undefined if the program cannot be run. */
function measure(command: readonly string[]): { engine: string; micros: Map<string, number> } | undefined {
  const [program = '', ...args] = command;
  const flags = [`--num=${NUM}`, `--benchmarks=${BENCHMARKS.join(',')}`, `--db=${database}`];
  const { status, stdout, stderr } = spawnSync(program, [...args, ...flags], { maxBuffer: 2 ** 28 });
  rmSync(database, { recursive: true, force: true });
  if (status !== 0) return undefined;
  const reader = new WorkloadReader(0);
  reader.read(stderr, 0, 'stderr');
  reader.read(stdout, 0);
  const workload = reader.finish(0);
  const micros = new Map(workload?.phases?.map((phase) => [phase.name, phase.microsPerOp ?? Number.NaN]));
  return { engine: `${workload?.engine} ${workload?.version}`, micros };
}

/** Prints times per operation; returns the programs that can be run. */
function compareTimes(): string[] {
  const best = new Map<string, Map<string, number>>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, command] of Object.entries(programs)) {
      const measured = measure(command);
      if (!measured) {
        if (round === 0) process.stdout.write(`${name}: cannot be run (${command.join(' ')})\n`);
        continue;
      }
      if (round === 0) process.stdout.write(`${name}: ${measured.engine}\n`);
      const sofar = best.get(name) ?? new Map<string, number>();
      best.set(name, sofar);
      for (const [benchmark, micros] of measured.micros) {
        sofar.set(benchmark, Math.min(micros, sofar.get(benchmark) ?? Number.POSITIVE_INFINITY));
      }
    }
  }
  process.stdout.write(`\nmicroseconds per operation, best of ${ROUNDS}, --num=${NUM}; in brackets: times native\n`);
  process.stdout.write(`${''.padEnd(14)}${[...best.keys()].map((name) => name.padStart(18)).join('')}\n`);
  for (const benchmark of BENCHMARKS) {
    const base = best.get('native')?.get(benchmark);
    const cells = [...best.values()].map((figures) => {
      const micros = figures.get(benchmark) ?? Number.NaN;
      return `${micros.toFixed(3)}${base === undefined ? '' : ` (${(micros / base).toFixed(2)})`}`.padStart(18);
    });
    process.stdout.write(`${benchmark.padEnd(14)}${cells.join('')}\n`);
  }
  return [...best.keys()];
}

/** How often each of {@link CALLS} is made, by all threads together. */
function callsOf(command: readonly string[], flags: readonly string[]): Map<string, number> {
  const log = join(scratch, 'strace');
  const { status } = spawnSync('strace', ['-f', '-c', '-o', log, '-e', `trace=${CALLS.join()}`, ...command, ...flags]);
  if (status !== 0) throw new Error(`${command.join(' ')} failed under strace`);
  // ` 97.20    1.234567          24     51007           write`
  const lines = readFileSync(log, 'utf8').split('\n');
  return new Map(
    lines.map((line) => {
      const words = line.trim().split(/\s+/);
      return [words.at(-1) ?? '', Number(words[3])];
    }),
  );
}

/** Prints what each benchmark adds to a run that only opens the database. */
function compareCalls(names: readonly string[]): void {
  const kept = join(scratch, 'filled');
  const [writer = ''] = names;
  process.stdout.write(`\nsystem calls of a benchmark, start and end of the program taken off, ${TRACED} operations`);
  process.stdout.write(` (fillsync: ${TRACED / 250})\n${''.padEnd(24)}${CALLS.map((c) => c.padStart(12)).join('')}\n`);
  for (const benchmark of [...EMPTY, ...FILLED]) {
    const isFilled = FILLED.includes(benchmark);
    const size = `--num=${benchmark === 'fillsync' ? TRACED * 4 : TRACED}`;
    if (isFilled) {
      const fill = [...(programs[writer] ?? []), size, `--db=${kept}`, '--benchmarks=fillrandom,compact'];
      spawnSync(fill[0] ?? '', fill.slice(1), { stdio: 'ignore' });
    }
    for (const name of names) {
      const run = (what: string) => {
        rmSync(database, { recursive: true, force: true });
        if (isFilled) cpSync(kept, database, { recursive: true });
        const flags = [size, `--db=${database}`, `--benchmarks=${what}`, ...(isFilled ? ['--use_existing_db=1'] : [])];
        return callsOf(programs[name] ?? [], flags);
      };
      const [idle, busy] = [run(''), run(benchmark)];
      const cells = CALLS.map((call) => String((busy.get(call) ?? 0) - (idle.get(call) ?? 0)).padStart(12));
      process.stdout.write(`${benchmark.padEnd(14)}${name.padEnd(10)}${cells.join('')}\n`);
    }
    rmSync(kept, { recursive: true, force: true });
  }
}

try {
  const names = compareTimes();
  if (spawnSync('strace', ['-V']).status === 0) compareCalls(names);
  else process.stdout.write('\nsystem calls are not compared: strace is not installed\n');
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
