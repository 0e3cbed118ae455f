import { expect, test } from 'vitest';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { Census } from './census.ts';
import { groupCensus } from './group.ts';
import { callsPerPhase, coarsenTimes, foldIntoPhases } from './phases.ts';

/** Two phases of a second each, buckets of 100 ms; calls before, in and after them. */
function recorded(): Census {
  const census = new Census();
  census.facts.bucketMilliseconds = 100;
  census.facts.workloads.push({
    name: 'db_bench',
    phases: [
      { name: 'fillseq', startMs: 200, endMs: 1200, operations: 1000 },
      { name: 'readseq', startMs: 1200, endMs: 2200, operations: 500 },
    ],
  });
  const stack = census.stack([{ symbol: census.symbols.intern('vfs_write'), offset: 1 }]);
  for (const [bucket, count] of [
    [0, 3],
    [2, 10],
    [11, 5],
    [12, 7],
    [30, 1],
  ] as const) {
    census.add({ stack, bucket }, count);
  }
  return census;
}

test('calls are counted by the phase in which their bucket lies', () => {
  expect(callsPerPhase(recorded()).map(({ phase, calls }) => [phase.name, calls])).toEqual([
    ['fillseq', 15],
    ['readseq', 7],
  ]);
});

test('--by phase keeps calls outside any phase', () => {
  const { groups } = groupCensus(recorded(), { by: 'phase', knowledge: kernelKnowledge() });
  expect(groups.map(({ label, count }) => [label, count])).toEqual([
    ['fillseq', 15],
    ['readseq', 7],
    ['(outside the phases)', 4],
  ]);
});

test('without times no phase is guessed', () => {
  const census = recorded();
  census.facts.bucketMilliseconds = null;
  expect(callsPerPhase(census)).toEqual([]);
});

test('time folded into phases keeps the calls of each phase and the total, in fewer rows', () => {
  const census = recorded();
  const folded = foldIntoPhases(census);
  expect(callsPerPhase(folded)).toEqual(callsPerPhase(census));
  expect(folded.total).toBe(census.total);
  expect(census.rows.size).toBe(5);
  expect(folded.rows.size).toBe(3);
});

test('coarse times keep the phases exactly, and at most 160 stretches of each', () => {
  const census = recorded();
  const write = census.stack([{ symbol: census.symbols.intern('vfs_write'), offset: 1 }]);
  census.facts.durationSeconds = 100;
  for (let bucket = 0; bucket < 1000; bucket++) census.add({ stack: write, bucket }, 1);
  census.add({ stack: write }, 7);
  const before = callsPerPhase(census);
  const coarse = coarsenTimes(census);
  expect(callsPerPhase(coarse)).toEqual(before);
  expect(coarse.attributed).toBe(census.attributed);
  const buckets = [...coarse.rows].map(({ key }) => coarse.keys.at(key).bucket);
  expect(new Set(buckets).size).toBeLessThanOrEqual(160 + 2 * before.length + 1);
  expect(buckets).toContain(-1);
});
