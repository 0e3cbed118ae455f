import { Census } from '../census/census.ts';
import { mergeCensus } from '../census/merge.ts';
import { NO_OFFSET, type StackId } from '../census/stack-table.ts';
import type { CallerLookup } from './coverage.ts';

/**
 * A census with the functions in its stacks that jumped to the target and so left no frame, where the return address of
 * the next one tells which these were. `elv_rb_add` jumps to `rb_insert_color`: its calls stand under it, and not under
 * whoever called it.
 */
export function withJumpedFrames(census: Census, lookup: CallerLookup): Census {
  const filled = new Census();
  // Facts, losses, targets and measures; the rows follow.
  mergeCensus(filled, census, undefined, (from, stack, into, copied, target) => {
    const found = lookup.of(stack, target);
    if (found?.kind !== 'site' || found.site.through.length === 0) return copied;
    const caller = lookup.callerOf(stack, target);
    let at: StackId = 0 as StackId;
    for (const frame of from.stacks.prefixes(stack)) {
      if (frame === caller) {
        // Innermost first: the last to jump lies next to the target.
        for (const name of found.site.through.toReversed()) {
          at = into.stacks.push(at, into.symbols.intern(name, found.site.module), NO_OFFSET);
        }
      }
      const symbol = from.stacks.symbol(frame);
      const { symbols } = from;
      const id = into.symbols.intern(
        symbols.raw(symbol),
        symbols.module(symbol),
        symbols.space(symbol),
        symbols.file(symbol),
        symbols.line(symbol),
      );
      at = into.stacks.push(
        at,
        id,
        from.stacks.offset(frame),
        from.stacks.isUnreliable(frame),
        from.stacks.isInlined(frame),
      );
    }
    return at;
  });
  return filled;
}
