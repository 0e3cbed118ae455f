import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyCensus } from '../../test/support/arbitrary-census.ts';
import { stacks } from '../../test/support/stacks.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { atlasLabeller } from '../atlas/labeller.ts';
import type { Census } from './census.ts';
import { type CompareOptions, compareCensuses } from './compare.ts';
import { GROUPINGS } from './dimensions.ts';

const knowledge = kernelKnowledge();

function compare(sides: readonly (readonly Census[])[], options: Partial<CompareOptions> = {}) {
  return compareCensuses(sides, { by: 'site', knowledge, labeller: atlasLabeller, ...options });
}

/** Stacks with their count, innermost frame first. */
function drawn(...columns: readonly (readonly [calls: number, ...frames: string[]])[]): Census {
  const depth = Math.max(...columns.map((cells) => cells.length));
  const lines = Array.from({ length: depth }, (_, row) =>
    columns.map((cells) => `${cells[row] ?? ''}`.padEnd(40)).join(''),
  );
  return stacks(lines.join('\n'));
}

const OLD = drawn(
  [30, 'rb_insert_color', 'enqueue_entity', 'enqueue_task_fair', 'ttwu_do_activate', 'try_to_wake_up'],
  [20, 'rb_insert_color', 'timerqueue_add', 'enqueue_hrtimer', 'hrtimer_start_range_ns', 'do_nanosleep'],
  [5, 'rb_insert_color', 'do_epoll_ctl', 'sys_epoll_ctl'],
);
const NEW = drawn(
  [60, '__rb_insert_augmented', 'enqueue_entity', 'enqueue_task_fair', 'enqueue_task', 'ttwu_do_activate'],
  [10, 'rb_insert_color', 'timerqueue_add', 'hrtimer_start_range_ns', 'start_dl_timer', 'update_curr_dl_se'],
  [7, 'rb_insert_color', 'tmigr_update_events'],
);

describe('two kernels', () => {
  const { groups, total, tally } = compare([[OLD], [NEW]]);
  const named = (name: string) => groups.find(({ key }) => key === name);

  test('have the same sites and subjects matched, whatever lies between them and the target', () => {
    expect(named('enqueue_task_fair')).toMatchObject({
      subject: { id: 'cfs-run-queue' },
      sides: [{ calls: { median: 30 } }, { calls: { median: 60 } }],
      changes: [{ status: 'both', calls: { absolute: 30, relative: 1, beyondSpread: null } }],
    });
    expect(named('hrtimer_start_range_ns')?.changes).toMatchObject([{ status: 'both', calls: { relative: -0.5 } }]);
  });

  test('say what is new and gone, and add up', () => {
    expect(named('tmigr_update_events')?.changes).toMatchObject([{ status: 'new', calls: { relative: null } }]);
    expect(named('do_epoll_ctl')?.changes).toMatchObject([{ status: 'gone', calls: { absolute: -5, relative: -1 } }]);
    expect(total.sides.map(({ calls }) => calls.median)).toEqual([55, 77]);
    expect(tally).toEqual([{ both: 2, new: 1, gone: 1, same: 0 }]);
    expect(groups.map(({ rank, key }) => [rank, key])).toEqual([
      [1, 'enqueue_task_fair'],
      [2, 'hrtimer_start_range_ns'],
      [3, 'tmigr_update_events'],
      [4, 'do_epoll_ctl'],
    ]);
  });

  test('have callers come and gone, and not those that were only compiled otherwise', () => {
    const statuses = (name: string) =>
      Object.fromEntries(named(name)?.callers.map(({ name, changes }) => [name, changes[0]?.status]) ?? []);
    expect(statuses('hrtimer_start_range_ns')).toEqual({ start_dl_timer: 'new', do_nanosleep: 'gone' });
    expect(statuses('enqueue_task_fair')).toEqual({ enqueue_task: 'moved', ttwu_do_activate: 'moved' });
  });
});

test('a site that calls about two subjects is two groups', () => {
  const census = drawn(
    [3, '__rb_insert_augmented', 'vma_interval_tree_insert', '__vma_adjust', 'vma_merge'],
    [4, '__rb_insert_augmented', 'anon_vma_interval_tree_insert', '__vma_adjust', 'vma_merge'],
  );
  const { groups } = compare([[census], [census]]);
  expect(groups.map(({ key, subject }) => [key, subject?.id])).toEqual([
    ['__vma_adjust', 'anon-mapping-interval-tree'],
    ['__vma_adjust', 'file-mapping-interval-tree'],
  ]);
});

test('a site whose subject only one side knows is one group', () => {
  const [plain, named] = [stacks('4\nrbinsert\nenqueue_task_fair\nttwu_do_activate', 'rbinsert'), OLD];
  const labeller: CompareOptions['labeller'] = {
    label: (path) =>
      path.frames[0]?.name === 'rbinsert'
        ? { subject: null, confidence: 'unknown', candidates: [], subsystem: null }
        : atlasLabeller.label(path),
  };
  const { groups } = compare([[plain], [named]], { labeller });
  expect(groups.filter(({ key }) => key === 'enqueue_task_fair')).toMatchObject([
    { subject: { id: 'cfs-run-queue' }, changes: [{ status: 'both', calls: { absolute: 26 } }] },
  ]);
});

describe('repeated runs', () => {
  const run = (calls: number) => stacks(`${calls}\nvfs_write\nksys_write\nsys_write`);
  const changed = (base: readonly number[], other: readonly number[]) =>
    compare([base.map(run), other.map(run)]).groups[0]?.changes[0]?.calls;

  test('are compared by their medians', () => {
    expect(changed([10, 30, 20], [20, 60, 40])).toMatchObject({ absolute: 20, relative: 1 });
    expect(changed([10, 20], [40, 45])).toMatchObject({ absolute: 27.5 });
  });

  test.each([
    [[10, 12, 11], [13, 14, 15], true],
    [[10, 12, 11], [9, 8, 7], true],
    [[10, 13, 11], [13, 14, 15], false],
    [[10, 12, 11], [11], false],
    [[10], [11, 12], true],
    [[10], [11], null],
  ])('of %j and %j overlap or not: %s', (base, other, expected) => {
    expect(changed(base, other)?.beyondSpread).toBe(expected);
  });
});

test('calls are also told for each operation and second', () => {
  const census = (calls: number, operations: number, seconds: number) => {
    const one = stacks(`${calls}\nvfs_write\nksys_write\nsys_write`);
    one.facts.durationSeconds = seconds;
    one.facts.workloads.push({ name: 'db_bench', phases: [{ name: 'fillseq', operations }] });
    return one;
  };
  const { groups } = compare([[census(100, 50, 10)], [census(300, 100, 60)]]);
  expect(groups[0]?.changes).toMatchObject([
    { perOperation: { absolute: 1, relative: 0.5 }, perSecond: { absolute: -5, relative: -0.5 } },
  ]);
  expect(compare([[census(100, 50, 10)], [OLD]]).total.changes).toMatchObject([
    { perOperation: null, perSecond: null },
  ]);
});

test.each([...GROUPINGS])('any two censuses by %s add up, and one compared with itself does not differ', (by) => {
  fc.assert(
    fc.property(anyCensus, anyCensus, fc.integer({ min: 0, max: 3 }), (a, b, top) => {
      const { groups, matching } = compare([[a], [b]], { by, top });
      for (const [side, { calls }] of matching.sides.entries()) {
        expect(groups.reduce((sum, { sides }) => sum + (sides[side]?.calls.median ?? 0), 0)).toBe(calls.median);
      }
      const same = compare([[a], [a, a]], { by });
      expect(same.groups.every(({ isSame, changes }) => isSame && changes[0]?.status === 'both')).toBe(true);
    }),
    { numRuns: 30 },
  );
});
