import type { FrameRole, KernelKnowledge } from './knowledge.ts';
import { type Frame, UNREAD_FRAME } from './stack-table.ts';
import type { SymbolId, SymbolTable } from './symbol-table.ts';

/** Between two frames of a recording tool at most this many frames of its unknown parts may lie (`pre+0x5 [rbdump]`). */
export const MAXIMUM_GAP = 3;

/** After so many doubted frames nothing more is taken off. */
const FARTHEST = 40;

/** An address no symbol was found for, as hist triggers and perf print the trampolines of ftrace. */
export const UNRESOLVED = /^(?:0x[0-9a-f]{4,}|\[unknown\])$/i;

/** What is to be taken off a stack. */
export interface Peeling {
  /** Whether calls of this function are counted: it is never taken off, nor is what called it. */
  readonly isTarget?: (symbol: SymbolId) => boolean;
  /** Functions that found a fault and printed the stack are taken off as well. */
  readonly withReports?: boolean;
}

/**
 * How many of the innermost frames belong to what recorded or printed the stack and not to the call.
 *
 * dump_stack from a kprobe leaves `dump_stack_lvl, pre [mymodule], kprobe_int3_handler, exc_int3, asm_exc_int3`
 * above the target; a hist trigger `kprobe_ftrace_handler, 0xffffffffc03160c8`; a warning that is a panic
 * `dump_stack, panic, __warn, report_bug, exc_invalid_op, asm_exc_invalid_op`. Doubted frames may lie between them.
 */
export function instrumentationDepth(
  frames: readonly Frame[],
  symbols: SymbolTable,
  knowledge: KernelKnowledge,
  { isTarget, withReports = false }: Peeling = {},
): number {
  let depth = 0;
  /** Frames of which nothing is known since the last that is taken off; doubted ones are none. */
  let unknown = 0;
  for (let i = 0; i < frames.length && unknown <= MAXIMUM_GAP && i - depth <= FARTHEST; i++) {
    const frame = frames[i] as Frame;
    if (symbols.space(frame.symbol) !== 'kernel') {
      // The end of an interrupt that was taken off.
      if (depth === 0 || depth !== i || symbols.space(frame.symbol) !== 'marker') break;
      depth = i + 1;
      continue;
    }
    if (!frame.unreliable && isTarget?.(frame.symbol)) break;
    const name = symbols.name(frame.symbol);
    if (name === UNREAD_FRAME) continue;
    const role = knowledge.role(name);
    // `? __warn` below the function at RIP is what the unwinder passed on its way out of the trap, not a caller.
    const isPossible = !frame.unreliable || (unknown === 0 && i - depth <= MAXIMUM_GAP);
    const isTool = role !== undefined && isPossible && isTaken(role, depth, unknown, withReports);
    const interrupted = isTool && role.reports?.inInterrupt ? afterInterrupt(frames, i, symbols, knowledge) : 0;
    if (isTool) {
      depth = Math.max(i + 1, interrupted);
      i = depth - 1;
      unknown = 0;
    } else if (!frame.unreliable || depth === 0) {
      unknown += 1;
      // A handler may be called by the innermost frame, one unknown function and no more.
      if (depth === 0 && unknown > 1) break;
    }
  }
  if (depth === 0) return 0;
  const isFunction = ({ symbol }: Frame) => symbols.space(symbol) === 'kernel' && symbols.name(symbol) !== UNREAD_FRAME;
  if (withReports && !frames.slice(depth).some(isFunction)) {
    return instrumentationDepth(frames, symbols, knowledge, { ...(isTarget && { isTarget }) });
  }
  while (depth < frames.length - 1) {
    const frame = frames[depth];
    if (!frame || !UNRESOLVED.test(symbols.name(frame.symbol))) break;
    depth += 1;
  }
  return depth;
}

/** Whether a function is taken off, `depth` frames having been and `unknown` others lying between. */
function isTaken(
  { instrumentation, reports }: FrameRole,
  depth: number,
  unknown: number,
  withReports: boolean,
): boolean {
  switch (instrumentation) {
    case 'always':
      return depth > 0 || unknown === 0;
    case 'handler':
      return true;
    case 'probe':
      return depth > 0 && unknown === 0;
    case undefined:
      return withReports && reports !== undefined && unknown === 0 && (depth > 0 || reports.isAlone);
  }
}

/** How many frames there are up to where the interrupt came in which frame `from` ran; 0 where it was none. */
function afterInterrupt(
  frames: readonly Frame[],
  from: number,
  symbols: SymbolTable,
  knowledge: KernelKnowledge,
): number {
  const isEntry = (at: number) => {
    const symbol = frames[at]?.symbol;
    if (symbol === undefined || symbols.space(symbol) !== 'kernel') return false;
    const boundary = knowledge.role(symbols.name(symbol))?.boundary;
    return boundary !== undefined && boundary !== 'task';
  };
  for (let i = from + 1; i < frames.length - 1; i++) {
    const frame = frames[i] as Frame;
    // The assembly entry of an interrupt is printed beyond the marker.
    if (symbols.space(frame.symbol) === 'marker') return isEntry(i + 1) ? Math.min(i + 2, frames.length - 1) : i + 1;
    if (!frame.unreliable && isEntry(i)) return i + 1;
  }
  return 0;
}

/** What the kernel reported where these frames were taken off, innermost first; '' where none of them tells. */
export function reportOf(peeled: readonly SymbolId[], symbols: SymbolTable, knowledge: KernelKnowledge): string {
  let kind = '';
  for (const symbol of peeled) kind = knowledge.role(symbols.name(symbol))?.reports?.kind ?? kind;
  return kind;
}
