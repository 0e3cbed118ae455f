import { FATES, type Fate } from '../bpf/count-program.ts';
import type { Truth } from '../engines/engine.ts';

/** What is known of one target after a run. */
export interface TargetTally {
  readonly name: string;
  /** Sum of the map of counts. */
  readonly attributed: number;
  /** What the program did with the calls it saw and did not count. */
  readonly fates: Readonly<Record<Fate, number>>;
  readonly truth: Truth;
}

/** How full the maps were at the end. */
export interface Fullness {
  readonly stacks: number;
  readonly maxStacks: number;
  readonly counts: number;
  readonly maxCounts: number;
}

/** The books of one target: what was lost, by reason, and what has to be said about it. */
export interface Books {
  readonly losses: readonly { readonly reason: string; readonly count: number }[];
  readonly notes: readonly string[];
}

/**
 * Closes the books of one target: every call that the kernel says happened is attributed, filtered out by request, or
 * lost for a reason.
 */
export function balance(tally: TargetTally, fullness: Fullness): Books {
  const { attributed, fates, truth } = tally;
  const losses: { reason: string; count: number }[] = [];
  const notes: string[] = [];
  const lose = (reason: string, count: number) => {
    if (count > 0) losses.push({ reason, count });
  };
  // The kernel says "full" also when a free list is in use for a moment; only a full map is full.
  const stacksFull = fullness.stacks >= fullness.maxStacks;
  const countsFull = fullness.counts >= fullness.maxCounts;
  lose('more distinct stacks than --max-stacks', stacksFull ? fates['stacks-full'] : 0);
  lose('more distinct keys than --max-keys', countsFull ? fates['counts-full'] : 0);
  lose(
    'a map was in use by the same CPU',
    fates['stacks-busy'] +
      fates['counts-busy'] +
      (stacksFull ? 0 : fates['stacks-full']) +
      (countsFull ? 0 : fates['counts-full']),
  );
  lose('no stack could be taken', fates['no-stack']);
  lose('the program was interrupted by itself', fates.nested);
  if (stacksFull && fates['stacks-full'] > 0) {
    notes.push(`--max-stacks ${fullness.maxStacks} was too small; try ${roomier(fullness.maxStacks)}.`);
  }
  if (countsFull && fates['counts-full'] > 0) {
    notes.push(`--max-keys ${fullness.maxCounts} was too small; try ${roomier(fullness.maxCounts)}.`);
  }

  const seen = attributed + FATES.reduce((sum, fate) => sum + fates[fate], 0);
  const skipped = 'the kernel skipped the program, another one was running on that CPU';
  switch (truth.kind) {
    case 'between':
      lose(skipped, truth.least - seen);
      if (seen > truth.most) {
        notes.push(`${tally.name}: the program saw ${seen} calls where the kernel counted ${truth.most}.`);
      } else if (truth.most > Math.max(seen, truth.least)) {
        const unsure = truth.most - Math.max(seen, truth.least);
        notes.push(
          `${tally.name}: up to ${unsure} ${unsure === 1 ? 'call' : 'calls'} right when counting began or ended may have been missed.`,
        );
      }
      break;
    case 'missed':
      lose(skipped, truth.calls);
      break;
    case 'unknown':
      notes.push(truth.why);
      break;
  }
  if (fates.filtered > 0 && losses.some(({ reason }) => reason === skipped)) {
    notes.push(`${tally.name}: skipped calls may be some that the filters would have left out.`);
  }
  return { losses, notes };
}

/** The next power of two that is at least four times as much. */
function roomier(size: number): number {
  return 2 ** Math.ceil(Math.log2(size * 4));
}
