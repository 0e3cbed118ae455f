import type { Census, Workload } from '../census/census.ts';
import type { Group, GroupedCensus } from '../census/group.ts';

/** What is said of a group in plain words. */
export interface GroupExplanation {
  /** One to three sentences; '' where nothing is known. */
  readonly text: string;
  readonly confidence: 'certain' | 'likely' | 'unknown';
}

/** What is known of the input of a report; null for a live recording. */
export interface ReportInput {
  /** Names of the formats read. */
  readonly format: string;
  readonly skippedLines: number;
  readonly examples: readonly { readonly line: number; readonly text: string; readonly why: string }[];
  /** Why inputs end too early, a sentence each. */
  readonly truncated: readonly string[];
  readonly notes: readonly string[];
  /** Frames of recording tools that were peeled off, by name. */
  readonly peeled: ReadonlyMap<string, number>;
}

/** Everything a report says, in whatever form. */
export interface Report {
  readonly census: Census;
  readonly grouped: GroupedCensus;
  readonly explain: (group: Group) => GroupExplanation;
  /** The filter expression, '' where there is none. */
  readonly where: string;
  readonly input: ReportInput | null;
}

/** The workload of a census, if it had exactly one. */
export function workloadOf(census: Census): Workload | null {
  const { workloads } = census.facts;
  return workloads.length === 1 ? (workloads[0] ?? null) : null;
}
