import type { Loss, LossCause, Note } from '../../census/message.ts';
import { DROP_REASONS, type DropReason } from '../bpf/count-program.ts';
import type { KernelCount } from '../engines/engine.ts';

/** What is known of one target after a run. */
export interface TargetTally {
  readonly name: string;
  /** Sum of the map of counts. */
  readonly attributed: number;
  /** Calls that the BPF program saw and did not count, by reason. */
  readonly drops: Readonly<Record<DropReason, number>>;
  /** What the kernel says of the calls. */
  readonly kernel: KernelCount;
}

/** How full the maps were at the end. */
export interface Fullness {
  readonly stacks: number;
  readonly maxStacks: number;
  readonly counts: number;
  /** As asked for. */
  readonly maxCounts: number;
  /** Entries there is room for, where that is more. */
  readonly countsRoom?: number;
}

/** The calls of one target: what was lost, by reason, and what has to be said about it. */
export interface Account {
  readonly losses: readonly Loss[];
  readonly notes: readonly Note[];
}

/**
 * Accounts for the calls of one target: every one that the kernel says happened is attributed, filtered out by request,
 * or lost for a reason.
 */
export function account(tally: TargetTally, fullness: Fullness): Account {
  const { attributed, drops, kernel } = tally;
  const losses: Loss[] = [];
  const notes: Note[] = [];
  const lose = (cause: LossCause, count: number) => {
    if (count > 0) losses.push({ ...cause, count });
  };
  // The kernel says "full" also when a free list is in use for a moment; only a full map is full.
  const stacksFull = fullness.stacks >= fullness.maxStacks;
  const countsFull = fullness.counts >= (fullness.countsRoom ?? fullness.maxCounts);
  lose({ code: 'map-full', map: 'stacks', limit: fullness.maxStacks }, stacksFull ? drops['stacks-full'] : 0);
  lose({ code: 'map-full', map: 'keys', limit: fullness.maxCounts }, countsFull ? drops['counts-full'] : 0);
  lose(
    { code: 'map-busy' },
    drops['stacks-busy'] +
      drops['counts-busy'] +
      (stacksFull ? 0 : drops['stacks-full']) +
      (countsFull ? 0 : drops['counts-full']),
  );
  lose({ code: 'no-stack' }, drops['no-stack']);
  lose({ code: 'reentered' }, drops.reentered);
  if (stacksFull && drops['stacks-full'] > 0) {
    notes.push(raise('--max-stacks', fullness.maxStacks));
  }
  if (countsFull && drops['counts-full'] > 0) {
    notes.push(raise('--max-keys', fullness.maxCounts));
  }

  const seen = attributed + DROP_REASONS.reduce((sum, reason) => sum + drops[reason], 0);
  switch (kernel.kind) {
    case 'between':
      lose({ code: 'skipped' }, kernel.least - seen);
      if (seen > kernel.most) {
        notes.push({ code: 'saw-more', target: tally.name, seen, counted: kernel.most });
      } else if (kernel.most > Math.max(seen, kernel.least)) {
        notes.push({ code: 'edge-calls', target: tally.name, calls: kernel.most - Math.max(seen, kernel.least) });
      }
      break;
    case 'missed':
      lose({ code: 'skipped' }, kernel.calls);
      break;
    case 'unknown':
      notes.push(kernel.why);
      break;
  }
  if (drops.filtered > 0 && losses.some(({ code }) => code === 'skipped')) {
    notes.push({ code: 'skipped-maybe-filtered', target: tally.name });
  }
  return { losses, notes };
}

/** A better limit is the next power of two that is at least four times as much. */
function raise(option: string, limit: number): Note {
  return { code: 'raise-limit', option, limit, better: 2 ** Math.ceil(Math.log2(limit * 4)) };
}
