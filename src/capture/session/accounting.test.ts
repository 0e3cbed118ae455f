import { describe, expect, it } from 'vitest';
import { DROP_REASONS, type DropReason } from '../bpf/count-program.ts';
import { account, type TargetTally } from './accounting.ts';

const ROOM = { stacks: 10, maxStacks: 100, counts: 10, maxCounts: 100 };

function tally(
  attributed: number,
  drops: Partial<Record<DropReason, number>>,
  kernel: TargetTally['kernel'],
): TargetTally {
  const all = DROP_REASONS.map((reason) => [reason, drops[reason] ?? 0]);
  return { name: 'f', attributed, drops: Object.fromEntries(all), kernel };
}

function lost(...args: Parameters<typeof account>): number {
  return account(...args).losses.reduce((sum, { count }) => sum + count, 0);
}

describe('account', () => {
  it('loses nothing where program and kernel agree', () => {
    expect(account(tally(70, { filtered: 30 }, { kind: 'between', least: 100, most: 100 }), ROOM)).toEqual({
      losses: [],
      notes: [],
    });
  });

  it('counts as skipped what the kernel counted and the program did not see', () => {
    const { losses } = account(tally(70, { 'no-stack': 5 }, { kind: 'between', least: 100, most: 100 }), ROOM);
    expect(losses).toEqual([
      { code: 'no-stack', count: 5 },
      { code: 'skipped', count: 25 },
    ]);
  });

  it('calls a map full only when it is, and says how much to ask for', () => {
    const full = account(tally(1, { 'stacks-full': 9 }, { kind: 'between', least: 10, most: 10 }), {
      ...ROOM,
      stacks: 100,
    });
    expect(full.losses).toEqual([{ code: 'map-full', map: 'stacks', limit: 100, count: 9 }]);
    expect(full.notes).toEqual([{ code: 'raise-limit', option: '--max-stacks', limit: 100, better: 512 }]);
    const busy = account(tally(1, { 'stacks-full': 9 }, { kind: 'between', least: 10, most: 10 }), ROOM);
    expect(busy.losses).toEqual([{ code: 'map-busy', count: 9 }]);
  });

  it('takes the least where the count of the kernel is blurred, and says by how much', () => {
    const found = account(tally(90, {}, { kind: 'between', least: 95, most: 99 }), ROOM);
    expect(found.losses.map(({ count }) => count)).toEqual([5]);
    expect(found.notes).toEqual([{ code: 'edge-calls', target: 'f', calls: 4 }]);
    expect(lost(tally(97, {}, { kind: 'between', least: 95, most: 99 }), ROOM)).toBe(0);
  });

  it('says nothing of calls at the edges that the program has seen', () => {
    expect(account(tally(99, {}, { kind: 'between', least: 95, most: 99 }), ROOM).notes).toEqual([]);
  });

  it('loses what the kernel kept from the program', () => {
    const { losses, notes } = account(tally(90, { filtered: 5 }, { kind: 'missed', calls: 3 }), ROOM);
    expect(losses.map(({ count }) => count)).toEqual([3]);
    expect(notes).toEqual([{ code: 'skipped-maybe-filtered', target: 'f' }]);
  });

  it('says where nobody knows', () => {
    const found = account(tally(90, {}, { kind: 'unknown', why: { code: 'misses-unreported' } }), ROOM);
    expect(found).toEqual({ losses: [], notes: [{ code: 'misses-unreported' }] });
  });

  it('never hides that the program saw more than the kernel counted', () => {
    const witnessed = account(tally(101, {}, { kind: 'between', least: 98, most: 100 }), ROOM);
    expect(witnessed.notes).toEqual([{ code: 'saw-more', target: 'f', seen: 101, counted: 100 }]);
    const found = account(tally(101, {}, { kind: 'between', least: 100, most: 100 }), ROOM);
    expect(found.losses).toEqual([]);
    expect(found.notes).toEqual([{ code: 'saw-more', target: 'f', seen: 101, counted: 100 }]);
  });
});
