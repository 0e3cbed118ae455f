import { describe, expect, it } from 'vitest';
import { FATES, type Fate } from '../bpf/count-program.ts';
import { balance, type TargetTally } from './accounting.ts';

const ROOM = { stacks: 10, maxStacks: 100, counts: 10, maxCounts: 100 };

function tally(attributed: number, fates: Partial<Record<Fate, number>>, truth: TargetTally['truth']): TargetTally {
  const all = Object.fromEntries(FATES.map((fate) => [fate, fates[fate] ?? 0])) as Record<Fate, number>;
  return { name: 'f', attributed, fates: all, truth };
}

function lost(...args: Parameters<typeof balance>): number {
  return balance(...args).losses.reduce((sum, { count }) => sum + count, 0);
}

describe('balance', () => {
  it('loses nothing where program and kernel agree', () => {
    expect(balance(tally(70, { filtered: 30 }, { kind: 'between', least: 100, most: 100 }), ROOM)).toEqual({
      losses: [],
      notes: [],
    });
  });

  it('counts as skipped what the kernel counted and the program did not see', () => {
    const { losses } = balance(tally(70, { 'no-stack': 5 }, { kind: 'between', least: 100, most: 100 }), ROOM);
    expect(losses).toEqual([
      { code: 'no-stack', count: 5 },
      { code: 'skipped', count: 25 },
    ]);
  });

  it('calls a map full only when it is, and says how much to ask for', () => {
    const full = balance(tally(1, { 'stacks-full': 9 }, { kind: 'between', least: 10, most: 10 }), {
      ...ROOM,
      stacks: 100,
    });
    expect(full.losses).toEqual([{ code: 'map-full', map: 'stacks', limit: 100, count: 9 }]);
    expect(full.notes).toEqual([{ code: 'raise-limit', option: '--max-stacks', limit: 100, better: 512 }]);
    const busy = balance(tally(1, { 'stacks-full': 9 }, { kind: 'between', least: 10, most: 10 }), ROOM);
    expect(busy.losses).toEqual([{ code: 'map-busy', count: 9 }]);
  });

  it('takes the least where the truth is blurred, and says by how much', () => {
    const books = balance(tally(90, {}, { kind: 'between', least: 95, most: 99 }), ROOM);
    expect(books.losses.map(({ count }) => count)).toEqual([5]);
    expect(books.notes).toEqual([{ code: 'edge-calls', target: 'f', calls: 4 }]);
    expect(lost(tally(97, {}, { kind: 'between', least: 95, most: 99 }), ROOM)).toBe(0);
  });

  it('says nothing of calls at the edges that the program has seen', () => {
    expect(balance(tally(99, {}, { kind: 'between', least: 95, most: 99 }), ROOM).notes).toEqual([]);
  });

  it('loses what the kernel kept from the program', () => {
    const { losses, notes } = balance(tally(90, { filtered: 5 }, { kind: 'missed', calls: 3 }), ROOM);
    expect(losses.map(({ count }) => count)).toEqual([3]);
    expect(notes).toEqual([{ code: 'skipped-maybe-filtered', target: 'f' }]);
  });

  it('says where nobody knows', () => {
    const books = balance(tally(90, {}, { kind: 'unknown', why: { code: 'misses-unreported' } }), ROOM);
    expect(books).toEqual({ losses: [], notes: [{ code: 'misses-unreported' }] });
  });

  it('never hides that the program saw more than the kernel counted', () => {
    const witnessed = balance(tally(101, {}, { kind: 'between', least: 98, most: 100 }), ROOM);
    expect(witnessed.notes).toEqual([{ code: 'saw-more', target: 'f', seen: 101, counted: 100 }]);
    const books = balance(tally(101, {}, { kind: 'between', least: 100, most: 100 }), ROOM);
    expect(books.losses).toEqual([]);
    expect(books.notes).toEqual([{ code: 'saw-more', target: 'f', seen: 101, counted: 100 }]);
  });
});
