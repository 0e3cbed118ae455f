// The JSON report (schema whocalls/report/2) as far as the page reads it. docs/report.md and report-2.schema.json say
// what the keys mean.

export type Confidence = 'certain' | 'likely' | 'unknown';

export interface Tally {
  readonly name: string;
  readonly count: number;
}

export interface EntryTally extends Tally {
  readonly kind: string;
  readonly after?: readonly Tally[];
}

export interface Message {
  readonly code: string;
  readonly text: string;
}

export interface Subject {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly confidence: Confidence;
  readonly candidates: readonly { readonly id: string; readonly name: string }[];
}

export interface ReportGroup {
  readonly rank: number | null;
  readonly key: string | null;
  readonly isUnknown: boolean;
  readonly count: number;
  readonly share: number;
  readonly measures: Readonly<Record<string, number>>;
  readonly site: {
    readonly name: string;
    readonly module: string;
    readonly file: string | null;
    readonly line: number | null;
  } | null;
  readonly subject: Subject | null;
  readonly subsystem: string | null;
  readonly decisions: readonly { readonly text: string; readonly share: number }[];
  readonly entries: readonly EntryTally[];
  readonly comms: readonly Tally[];
  readonly stacks: number;
  readonly programs?: readonly { readonly frames: readonly string[]; readonly count: number }[];
  readonly frames: readonly string[];
  readonly explanation: string;
  readonly confidence: {
    readonly decision: Confidence;
    readonly subject: Confidence;
    readonly entry: Confidence;
  };
}

export interface Phase {
  readonly name: string;
  readonly startMs?: number;
  readonly endMs?: number;
  readonly operations?: number;
  readonly calls?: number;
}

export interface Report {
  readonly schema: string;
  readonly whocalls: string;
  readonly targets: readonly { readonly name: string; readonly kind: string }[];
  readonly kernel: string | null;
  readonly architecture: string | null;
  readonly command: readonly string[] | null;
  readonly commands?: readonly (readonly string[])[];
  readonly startedAt: string | null;
  readonly durationSeconds: number | null;
  readonly workload: {
    readonly name: string;
    readonly facts: Readonly<Record<string, string | number>>;
    readonly phases: readonly Phase[];
  } | null;
  readonly calls: {
    readonly total: number;
    readonly attributed: number;
    readonly doubted: number;
    readonly losses: readonly (Message & { readonly count: number })[];
  };
  readonly measures: readonly {
    readonly name: string;
    readonly unit: string;
    readonly of: string;
    readonly total: number;
  }[];
  readonly by: readonly string[];
  readonly where: string | null;
  readonly groups: readonly ReportGroup[];
  readonly notes: readonly Message[];
  readonly warnings: readonly Message[];
  readonly hints?: readonly { readonly text: string; readonly command: string }[];
  readonly input: {
    readonly files: readonly {
      readonly name: string;
      readonly format: string;
      readonly calls: number;
      readonly lost: number;
      readonly skippedLines: number;
      readonly truncated?: string;
      readonly notes?: readonly Message[];
    }[];
    readonly unreadable: readonly { readonly name: string; readonly why: string }[];
  } | null;
}
