import type { Workload } from '../../census/workload.ts';
import { dbBench } from './db_bench.ts';
import { fio } from './fio.ts';
import type { Benchmark } from './reader.ts';
import { stressNg } from './stress-ng.ts';
import { sysbench } from './sysbench.ts';

/** Every family of benchmarks whose output is understood. */
const BENCHMARKS: readonly Benchmark[] = [dbBench, fio, sysbench, stressNg];

/** The family whose output begins with this line. */
export function benchmarkBeginning(line: string): Benchmark | undefined {
  return BENCHMARKS.find((benchmark) => benchmark.begins(line));
}

/** Whether one of these words of a command is a program whose output is understood. */
export function runsBenchmark(words: readonly string[]): boolean {
  const programs = new Set(BENCHMARKS.flatMap((benchmark) => benchmark.programs));
  return words.some((word) => programs.has(word.slice(word.lastIndexOf('/') + 1)));
}

/** What a report's head tells of a workload; '' where nothing is known. */
export function headline(workload: Workload): string {
  return BENCHMARKS.find(({ name }) => name === workload.name)?.headline(workload) ?? '';
}
