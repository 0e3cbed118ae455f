import type { Workload, WorkloadPhase } from '../../census/workload.ts';

/** What a line says about phases. */
export type PhaseNews =
  | { readonly end: Omit<WorkloadPhase, 'startMs' | 'endMs'> & { readonly name: string } }
  /** Preparations are over: the first phase begins here. */
  | { readonly start: true }
  /** Belongs to the phase that ended last. */
  | { readonly amend: { readonly operations: number } };

/** A workload that is being read, without its phases. */
export type Facts = { -readonly [K in keyof Workload]?: Workload[K] };

/** What was read before the line. */
export interface SoFar {
  readonly command: readonly string[];
  /** Whether the end of the preparations was seen. */
  readonly started: boolean;
  /** Phases that have ended. */
  readonly phases: number;
}

/** One family of benchmarks: how its output is read, and how a report sums it up. */
export interface Benchmark {
  /** The name of its workloads. */
  readonly name: string;
  /** Programs that print it, without their folder. */
  readonly programs: readonly string[];
  /** Whether this line is the first that such a benchmark prints. */
  begins(line: string): boolean;
  /** Notes facts; returns what the line says about phases. */
  read(line: string, facts: Facts, so: SoFar): PhaseNews | undefined;
  /** What a report's head tells of it: `Keys 16 B · Values 100 B · Entries 1000000`; '' where nothing is known. */
  headline(workload: Workload): string;
}
