import type { Census } from '../../src/census/census.ts';

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
