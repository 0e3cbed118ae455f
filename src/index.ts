/**
 * whocalls as a library: what the commands do, for programs. docs/library.md shows it at work.
 *
 * @packageDocumentation
 */
export type { Decision, Explanation } from './atlas/explain.ts';
export type { ExplanationConfidence } from './atlas/facts.ts';
export { type CallersOptions, type FoundCallers, findCallers } from './capture/callers.ts';
export { examine, type Finding } from './capture/doctor.ts';
export { type Recording, type RecordPlan, record } from './capture/record.ts';
export type { Refusal } from './capture/refusals/reasons.ts';
export { Refused } from './capture/refusals/refused.ts';
export { targetSets } from './capture/targets/target-sets.ts';
export { type CallKey, type KeyColumnName, type KeyId, UNKNOWN } from './census/call-key.ts';
export {
  type Calls,
  Census,
  type CensusFacts,
  type Measure,
} from './census/census.ts';
export type { CallerStatus, ComparedCaller } from './census/compared-callers.ts';
export type {
  Change,
  ChangeRate,
  ChangeStatus,
  Compared,
  ComparedGroup,
  ComparedSide,
  Comparison,
  Figures,
} from './census/comparison.ts';
export { DIMENSIONS, type Dimension, GROUPINGS } from './census/dimensions.ts';
export type { EntryTally, Group, PathTally, ProgramTally, Tally } from './census/group.ts';
export type { Confidence, Entry, EntryKind, PathFrame, PathView, Subject, SubjectKind } from './census/knowledge.ts';
export { mergeCensus as merge } from './census/merge.ts';
export type { Loss, LossCause, Message, Note, Warning } from './census/message.ts';
export { foldIntoPhases } from './census/phases.ts';
export type { Row, TargetId } from './census/row-table.ts';
export type { Difference, Spread } from './census/spread.ts';
export { type Frame, NO_OFFSET, type StackId } from './census/stack-table.ts';
export type { SymbolId, SymbolSpace } from './census/symbol-table.ts';
export type { Verdict } from './census/verdict.ts';
export { type CallFilter, parseWhere } from './census/where.ts';
export type { Workload, WorkloadJob, WorkloadPhase } from './census/workload.ts';
export { UsageError, UserError } from './errors.ts';
export type { Aside } from './formats/builder.ts';
export type { Pasted } from './formats/pasted.ts';
export type { ReadResult } from './formats/read-file.ts';
export { MalformedInput, TruncatedInput, UnknownFormat } from './formats/reader.ts';
export { READERS } from './formats/registry.ts';
export type { AddressHolder, CallSite, FunctionCallers, SiteKind } from './image/callers.ts';
export { reachableNames } from './image/callers.ts';
export { KernelImage } from './image/kernel-image.ts';
export { ReturnSites } from './image/return-sites.ts';
export { labAvailability } from './lab/availability.ts';
export { installedKernels, offeredKernels } from './lab/kernels.ts';
export type { LabOptions } from './lab/options.ts';
export { type LabResult, runInLab } from './lab/run.ts';
export { planSetup, type SetupStep } from './lab/setup.ts';
export type { LabStreams } from './lab/streams.ts';
export {
  buildComparison as compare,
  type ChangedCaller,
  type ComparedRun,
  type ComparisonOptions,
  type ComparisonReport,
  type ReportedChange,
} from './report/comparison.ts';
export { COMPARISON_FORMATS, writeComparison } from './report/comparison-writers.ts';
export { CallerLookup, type CoveredSite, coverageOf, type TargetCoverage } from './report/coverage.ts';
export { explainStacks, readStacks } from './report/explain-stacks.ts';
export { withJumpedFrames } from './report/jumped-frames.ts';
export { type Fact, factsText, functionFacts, treeFacts, treesLike } from './report/knowledge-text.ts';
export { lossText, noteText, warningText } from './report/messages.ts';
export {
  type InputOptions,
  type Inputs,
  readInputs as readFiles,
  readRecording as readFile,
} from './report/read-inputs.ts';
export {
  buildReport as report,
  EXPLAIN_STYLES,
  type ExplainStyle,
  type InputFile,
  type Report,
  type ReportGroup,
  type ReportInput,
  type ReportOptions,
  type UnreadableFile,
} from './report/report.ts';
export { type ExplainedStack, stackText } from './report/stack-text.ts';
export { verdictText } from './report/verdict-text.ts';
export {
  formatOfFile,
  REPORT_FORMATS,
  REPORT_WRITERS,
  type ReportWriter,
  writeReport as write,
} from './report/writers.ts';
export { version } from './version.ts';
export { WorkloadReader } from './workload/output.ts';
