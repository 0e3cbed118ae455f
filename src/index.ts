export {
  type CallKey,
  Census,
  type CensusFacts,
  type Loss,
  UNKNOWN,
  type Workload,
  type WorkloadPhase,
} from './census/census.ts';
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
export type { Row } from './census/row-table.ts';
export { EMPTY_STACK, type Frame, NO_OFFSET, type StackId, StackTable } from './census/stack-table.ts';
export { normaliseSymbol } from './census/symbol-name.ts';
export { type SymbolId, type SymbolSpace, SymbolTable } from './census/symbol-table.ts';
export { UsageError, UserError } from './errors.ts';
