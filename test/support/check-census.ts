import { expect } from 'vitest';
import type { Census } from '../../src/census/census.ts';
import { canonical } from './canonical.ts';
import { censusProblems } from './census-problems.ts';

/** Asserts what holds of every census, whoever made it. */
export function checkCensus(census: Census): void {
  expect(censusProblems(census)).toEqual([]);
}

/** Asserts that two censuses say the same; a difference is shown by its first lines, not by all of both. */
export function expectSame(actual: Census, expected: Census, label: string): void {
  const a = canonical(actual);
  const b = canonical(expected);
  const inB = new Set(b.rows);
  const inA = new Set(a.rows);
  expect(
    {
      extra: a.rows.filter((row) => !inB.has(row)).slice(0, 2),
      missing: b.rows.filter((row) => !inA.has(row)).slice(0, 2),
    },
    label,
  ).toEqual({ extra: [], missing: [] });
  expect({ ...a, rows: [] }, label).toEqual({ ...b, rows: [] });
}
