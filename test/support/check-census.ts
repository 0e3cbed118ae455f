import { expect } from 'vitest';
import type { Census } from '../../src/census/census.ts';
import { censusProblems } from './census-problems.ts';

/** Asserts what holds of every census, whoever made it. */
export function checkCensus(census: Census): void {
  expect(censusProblems(census)).toEqual([]);
}

/** What a census says, whatever the order of its rows; for comparing two. */
export function canonical(census: Census) {
  const { stacks, symbols } = census;
  const rows = [...census.rows].map((row, number) => {
    const frames = stacks.frames(row.stack).map(({ symbol, offset, unreliable, inlined }) => {
      const at = `${offset < 0 ? '' : `+${offset}`}${inlined ? ' inlined' : ''}`;
      const place = `${symbols.module(symbol)} ${symbols.file(symbol)}:${symbols.line(symbol)}`;
      return `${unreliable ? '? ' : ''}${symbols.raw(symbol)}${at} ${symbols.space(symbol)} ${place}`;
    });
    const target = census.targets[row.target] ?? '';
    const key = Object.values(census.keys.at(row.key));
    const sums = census.measures.map(({ name }, measure) => `${name} ${census.rows.sum(number, measure)}`);
    return `${JSON.stringify([target, ...key, ...frames, ...sums.sort()])} ${row.count}`;
  });
  return {
    targets: census.targets,
    rows: rows.sort(),
    losses: census.losses,
    facts: census.facts,
  };
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
