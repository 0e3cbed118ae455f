import type { Loss, LossCause, Note } from '../../census/message.ts';
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
  readonly losses: readonly Loss[];
  readonly notes: readonly Note[];
}

/**
 * Closes the books of one target: every call that the kernel says happened is attributed, filtered out by request, or
 * lost for a reason.
 */
export function balance(tally: TargetTally, fullness: Fullness): Books {
  const { attributed, fates, truth } = tally;
  const losses: Loss[] = [];
  const notes: Note[] = [];
  const lose = (cause: LossCause, count: number) => {
    if (count > 0) losses.push({ ...cause, count });
  };
  // The kernel says "full" also when a free list is in use for a moment; only a full map is full.
  const stacksFull = fullness.stacks >= fullness.maxStacks;
  const countsFull = fullness.counts >= fullness.maxCounts;
  lose({ code: 'map-full', map: 'stacks', limit: fullness.maxStacks }, stacksFull ? fates['stacks-full'] : 0);
  lose({ code: 'map-full', map: 'keys', limit: fullness.maxCounts }, countsFull ? fates['counts-full'] : 0);
  lose(
    { code: 'map-busy' },
    fates['stacks-busy'] +
      fates['counts-busy'] +
      (stacksFull ? 0 : fates['stacks-full']) +
      (countsFull ? 0 : fates['counts-full']),
  );
  lose({ code: 'no-stack' }, fates['no-stack']);
  lose({ code: 'reentered' }, fates.nested);
  if (stacksFull && fates['stacks-full'] > 0) {
    notes.push(raise('--max-stacks', fullness.maxStacks));
  }
  if (countsFull && fates['counts-full'] > 0) {
    notes.push(raise('--max-keys', fullness.maxCounts));
  }

  const seen = attributed + FATES.reduce((sum, fate) => sum + fates[fate], 0);
  switch (truth.kind) {
    case 'between':
      lose({ code: 'skipped' }, truth.least - seen);
      if (seen > truth.most) {
        notes.push({ code: 'saw-more', target: tally.name, seen, counted: truth.most });
      } else if (truth.most > Math.max(seen, truth.least)) {
        notes.push({ code: 'edge-calls', target: tally.name, calls: truth.most - Math.max(seen, truth.least) });
      }
      break;
    case 'missed':
      lose({ code: 'skipped' }, truth.calls);
      break;
    case 'unknown':
      notes.push(truth.why);
      break;
  }
  if (fates.filtered > 0 && losses.some(({ code }) => code === 'skipped')) {
    notes.push({ code: 'skipped-maybe-filtered', target: tally.name });
  }
  return { losses, notes };
}

/** A better limit is the next power of two that is at least four times as much. */
function raise(option: string, limit: number): Note {
  return { code: 'raise-limit', option, limit, better: 2 ** Math.ceil(Math.log2(limit * 4)) };
}
