import { kernelKnowledge } from '../atlas/knowledge.ts';
import { atlasLabeller } from '../atlas/labeller.ts';
import type { Census } from '../census/census.ts';
import { groupCensus } from '../census/group.ts';
import { parseWhere } from '../census/where.ts';

/** One of the seven kinds of path of the founding case. */
export interface Family {
  readonly name: string;
  readonly calls: number;
}

/** The kinds of path in the order of the founding case, and the filter that finds each in any kernel. */
const FAMILIES: readonly (readonly [name: string, where: string])[] = [
  ['fair run queue: a task is woken up', 'tree=cfs-run-queue && site=enqueue_task_fair'],
  ['fair run queue: the running task is put back', 'tree=cfs-run-queue && site=put_prev_entity'],
  ['hrtimer queue: a timer is armed', 'tree=hrtimer-queue'],
  ['I/O scheduler, reached by a page fault', 'tree~-sort-list$ && entry="page fault"'],
  ['file-mapping interval tree, through mprotect(2)', 'tree=file-mapping-interval-tree && entry=mprotect'],
  ['ext4 extent status tree, through write(2)', 'tree=ext4-extent-status && entry~write'],
  ['TCP retransmission queue', 'tree=tcp-retransmission-queue'],
];

/** How many calls of each kind a census has. */
export function foundingFamilies(census: Census): Family[] {
  return FAMILIES.map(([name, where]) => {
    const { matching } = groupCensus(census, {
      by: 'target',
      knowledge: kernelKnowledge(),
      labeller: atlasLabeller,
      where: parseWhere(where),
    });
    return { name, calls: matching };
  });
}
