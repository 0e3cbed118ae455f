import { expect, it } from 'vitest';
import { Census } from '../census/census.ts';
import { groupCensus } from '../census/group.ts';
import { kernelKnowledge } from './knowledge.ts';
import { atlasLabeller } from './labeller.ts';

it('groups calls by tree, whatever way they were compiled', () => {
  const census = new Census();
  const add = (target: string, frames: string): void => {
    const stack = census.stack(frames.split(' ').map((name) => ({ symbol: census.symbols.intern(name), offset: 0 })));
    census.add({ stack, target: census.target(target) });
  };
  add('rb_insert_color', 'rb_insert_color enqueue_entity enqueue_task_fair');
  add('__rb_insert_augmented', '__rb_insert_augmented __enqueue_entity enqueue_entity enqueue_task_fair');
  add('rb_insert_color', 'rb_insert_color put_prev_entity put_prev_task_fair');
  add('rb_insert_color', 'rb_insert_color timerqueue_add hrtimer_start_range_ns');

  const { groups } = groupCensus(census, { by: 'tree', knowledge: kernelKnowledge(), labeller: atlasLabeller });
  expect(groups.map(({ subject, count }) => [subject?.id, count])).toEqual([
    ['cfs-run-queue', 3],
    ['hrtimer-queue', 1],
  ]);
  expect(groups[0]?.subsystem).toBe('CPU scheduler (fair class)');
});
