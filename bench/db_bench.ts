/**
 * `npm run bench:db_bench`: what an operation costs here and in a native db_bench, measured in turns in one run.
 * The native one is the program in DB_BENCH (LevelDB's own, built from its source) or `db_bench` on the PATH
 * (RocksDB's, Debian package rocksdb-tools); without either only the figures of ours are printed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkloadReader } from '../src/workload/output.ts';

const ROUNDS = 3;
const NUM = Number(process.env.NUM ?? 1_000_000);
const BENCHMARKS = ['fillseq', 'readseq', 'readreverse', 'readrandom', 'seekrandom', 'fillrandom', 'overwrite'];

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-bench-'));
const native = process.env.DB_BENCH ?? 'db_bench';
const ours = [process.execPath, join(import.meta.dirname, '..', 'bin', 'whocalls'), 'db_bench'];
const programs: Record<string, string[]> = {
  native: [native],
  direct: [...ours, '--driver=direct'],
  napi: [...ours, '--driver=napi'],
};

/** Microseconds per operation by benchmark; undefined if the program cannot be run. */
function measure(command: string[]): { engine: string; micros: Map<string, number> } | undefined {
  const [program = '', ...args] = command;
  const flags = [`--num=${NUM}`, `--benchmarks=${BENCHMARKS.join(',')}`, `--db=${join(scratch, 'db')}`];
  const { status, stdout, stderr } = spawnSync(program, [...args, ...flags], { maxBuffer: 2 ** 28 });
  rmSync(join(scratch, 'db'), { recursive: true, force: true });
  if (status !== 0) return undefined;
  const reader = new WorkloadReader(0);
  reader.read(stderr, 0, 'stderr');
  reader.read(stdout, 0);
  const workload = reader.finish(0);
  const micros = new Map(workload?.phases.map((phase) => [phase.name, phase.microsPerOp ?? Number.NaN]));
  return { engine: `${workload?.engine} ${workload?.version}`, micros };
}

try {
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
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
