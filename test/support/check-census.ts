import { expect } from 'vitest';
import type { Census } from '../../src/census/census.ts';

/** Asserts what holds of every census, whoever made it. */
export function checkCensus(census: Census): void {
  const { rows, stacks, symbols, targets } = census;
  // Collected, because an assertion for each of a million rows takes minutes.
  const problems: string[] = [];
  const check = (holds: boolean, what: string) => {
    if (!holds && problems.length < 10) problems.push(what);
  };
  let attributed = 0;
  for (const row of rows) {
    attributed += row.count;
    const text = JSON.stringify(row);
    check(Number.isSafeInteger(row.count) && row.count > 0, `count of ${text}`);
    check(row.stack > 0 && row.stack < stacks.size, `stack of ${text}`);
    check(row.target >= -1 && row.target < targets.length, `target of ${text}`);
    check(row.pid >= -1 && row.cpu >= -1 && row.bucket >= -1, `numbers of ${text}`);
  }
  check(census.attributed === attributed, `attributed ${census.attributed}, rows ${attributed}`);
  check(census.total === census.attributed + census.lost, 'total is attributed and lost');
  check(census.lost === census.losses.reduce((sum, { count }) => sum + count, 0), 'lost is the sum of losses');
  for (const { reason, count } of census.losses) check(reason !== '' && count > 0, `loss ${reason} ${count}`);
  for (let stack = 1; stack < stacks.size; stack++) {
    const id = stack as never;
    // A stack is made after the stack it continues: no cycles.
    check(stacks.inner(id) < stack && stacks.inner(id) >= 0, `stack ${stack} continues ${stacks.inner(id)}`);
    check(stacks.depth(id) === stacks.depth(stacks.inner(id)) + 1, `depth of stack ${stack}`);
    check(stacks.symbol(id) >= 0 && stacks.symbol(id) < symbols.size, `symbol of stack ${stack}`);
    check(stacks.offset(id) >= -1, `offset of stack ${stack}`);
  }
  for (let symbol = 0; symbol < symbols.size; symbol++) check(symbols.raw(symbol as never) !== '', `symbol ${symbol}`);
  expect(problems).toEqual([]);
}

/** What a census says, independent of the order in which it learnt it; for comparing two. */
export function canonical(census: Census) {
  const { stacks, symbols } = census;
  const rows = [...census.rows].map((row) => {
    const frames = stacks.frames(row.stack).map(({ symbol, offset, unreliable }) => {
      const at = offset < 0 ? '' : `+${offset}`;
      return `${unreliable ? '? ' : ''}${symbols.raw(symbol)}${at} ${symbols.space(symbol)} ${symbols.module(symbol)}`;
    });
    const target = census.targets[row.target] ?? '';
    const comm = census.string(row.comm);
    const argument = census.string(row.argument);
    return `${JSON.stringify([target, comm, row.pid, row.cpu, row.bucket, argument, ...frames])} ${row.count}`;
  });
  const { facts } = census;
  const inOrder = <T>(list: readonly T[]) => list.map((value) => JSON.stringify(value)).sort();
  return {
    targets: [...census.targets].sort(),
    rows: rows.sort(),
    losses: census.losses,
    facts: {
      ...facts,
      kernels: inOrder(facts.kernels),
      commands: inOrder(facts.commands),
      workloads: inOrder(facts.workloads),
      notes: inOrder(facts.notes),
    },
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
