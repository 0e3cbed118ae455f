import type { KernelKnowledge } from './knowledge.ts';
import type { Frame } from './stack-table.ts';
import type { SymbolTable } from './symbol-table.ts';

/** Between two frames of a recording tool at most this many frames of its unknown parts may lie (`pre+0x5 [rbdump]`). */
export const MAXIMUM_GAP = 3;

/** An address no symbol was found for, as hist triggers and perf print the trampolines of ftrace. */
export const UNRESOLVED = /^(?:0x[0-9a-f]{4,}|\[unknown\])$/i;

/**
 * How many of the innermost frames belong to the tool that recorded the stack and not to the call.
 *
 * dump_stack from a kprobe leaves `dump_stack_lvl, pre [mymodule], kprobe_int3_handler, exc_int3, asm_exc_int3`
 * above the target; a hist trigger `kprobe_ftrace_handler, 0xffffffffc03160c8`.
 */
export function instrumentationDepth(
  frames: readonly Frame[],
  symbols: SymbolTable,
  knowledge: KernelKnowledge,
): number {
  let depth = 0;
  let certain = false;
  for (let i = 0; i < frames.length && i - depth <= MAXIMUM_GAP; i++) {
    const frame = frames[i];
    if (!frame || symbols.space(frame.symbol) !== 'kernel') break;
    // `? __warn` below the function at RIP is what the unwinder passed on its way out of the trap, not a caller.
    if (frame.unreliable && depth === 0 && i > 0) break;
    const role = knowledge.role(symbols.name(frame.symbol))?.instrumentation;
    if (role === 'always') certain = true;
    if (role === 'always' || (role === 'probe' && certain)) depth = i + 1;
    else if (depth === 0 && i > 0 && !certain) break;
  }
  if (depth === 0) return 0;
  while (depth < frames.length - 1) {
    const frame = frames[depth];
    if (!frame || !UNRESOLVED.test(symbols.name(frame.symbol))) break;
    depth += 1;
  }
  return depth;
}
