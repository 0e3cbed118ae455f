import type { Census } from '../../src/census/census.ts';

/** What does not hold of a census though it holds of every census, whoever made it; empty for a sound one. */
export function censusProblems(census: Census): string[] {
  const { rows, stacks, symbols, targets } = census;
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
    const { pid, cpu, bucket } = census.keys.at(row.key);
    check(pid >= -1 && cpu >= -1 && bucket >= -1, `numbers of ${text}`);
  }
  check(census.attributed === attributed, `attributed ${census.attributed}, rows ${attributed}`);
  check(census.total === census.attributed + census.lost, 'total is attributed and lost');
  check(census.lost === census.losses.reduce((sum, { count }) => sum + count, 0), 'lost is the sum of losses');
  for (const { code, count } of census.losses) check(code.length > 0 && count > 0, `loss ${code} ${count}`);
  for (let stack = 1; stack < stacks.size; stack++) {
    const id = stack as never;
    // A stack is made after the stack it continues: no cycles.
    check(stacks.inner(id) < stack && stacks.inner(id) >= 0, `stack ${stack} continues ${stacks.inner(id)}`);
    check(stacks.depth(id) === stacks.depth(stacks.inner(id)) + 1, `depth of stack ${stack}`);
    check(stacks.symbol(id) >= 0 && stacks.symbol(id) < symbols.size, `symbol of stack ${stack}`);
    check(stacks.offset(id) >= -1, `offset of stack ${stack}`);
  }
  for (let symbol = 0; symbol < symbols.size; symbol++) check(symbols.raw(symbol as never) !== '', `symbol ${symbol}`);
  return problems;
}
