import type { Census } from './census.ts';
import type { Workload } from './workload.ts';

/**
 * How many operations the workload of a census did: those of its phases, else of its jobs. null where it does not say so
 * of every one.
 *
 * @param phase only those of phases of this name
 */
export function operationsOf({ facts: { workloads } }: Census, phase?: string): number | null {
  if (workloads.length === 0) return null;
  let sum = 0;
  for (const workload of workloads) {
    const operations = operationsOfWorkload(workload, phase);
    if (operations === null) return null;
    sum += operations;
  }
  return sum > 0 ? sum : null;
}

function operationsOfWorkload({ phases = [], jobs = [], operations }: Workload, phase?: string): number | null {
  const chosen = phase === undefined ? phases : phases.filter(({ name }) => name === phase);
  if (phase !== undefined || chosen.some((one) => one.operations !== undefined)) return sumOf(chosen);
  if (jobs.length > 0) return sumOf(jobs);
  return typeof operations === 'number' ? operations : null;
}

function sumOf(parts: readonly { readonly operations?: number }[]): number | null {
  let sum = 0;
  for (const { operations } of parts) {
    if (operations === undefined) return null;
    sum += operations;
  }
  return sum;
}
