export { kernelKnowledge } from './atlas/knowledge.ts';
export {
  type CallKey,
  Census,
  type CensusFacts,
  type Loss,
  UNKNOWN,
  type Workload,
  type WorkloadPhase,
} from './census/census.ts';
export {
  type EntryTally,
  GROUPINGS,
  type Group,
  type GroupedCensus,
  type Grouping,
  type GroupOptions,
  groupCensus,
  OTHER,
  type PathTally,
  type Tally,
} from './census/group.ts';
export { instrumentationDepth } from './census/instrumentation.ts';
export type {
  ContextKind,
  Entry,
  EntryKind,
  FrameRole,
  KernelKnowledge,
  PathFrame,
  PathLabeller,
  PathLabels,
  PathView,
  TreeLabel,
} from './census/knowledge.ts';
export { mergeCensus } from './census/merge.ts';
export { type Path, PathFinder } from './census/paths.ts';
export type { Row } from './census/row-table.ts';
export { EMPTY_STACK, type Frame, NO_OFFSET, type StackId, StackTable } from './census/stack-table.ts';
export { normaliseSymbol } from './census/symbol-name.ts';
export { type SymbolId, type SymbolSpace, SymbolTable } from './census/symbol-table.ts';
export { type Filter, type Filterable, parseWhere, WHERE_FIELDS, type WhereField } from './census/where.ts';
export { UsageError, UserError } from './errors.ts';
