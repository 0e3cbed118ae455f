import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { readBytes } from '../../test/support/check-reader.ts';
import { ALL_RECORDINGS } from '../../test/support/recordings.ts';
import type { Census } from '../census/census.ts';
import type { Carried } from './reader.ts';
import { READERS } from './registry.ts';

/** What a census has besides stacks and counts. */
function carriedBy({ targets, keys, measures, losses, rows, stacks, symbols }: Census): Set<Carried> {
  const found = new Set<Carried>();
  if (targets.length > 0) found.add('targets');
  if (measures.length > 0) found.add('measures');
  if (losses.length > 0) found.add('losses');
  for (const row of rows) {
    const { comm, pid, cpu, bucket, argument, report } = keys.at(row.key);
    if (comm !== '') found.add('process');
    if (pid >= 0) found.add('pid');
    if (cpu >= 0) found.add('CPU');
    if (bucket >= 0) found.add('time');
    if (argument !== '') found.add('argument');
    if (report !== '') found.add('report');
    for (const { symbol, offset, unreliable, inlined } of stacks.frames(row.stack)) {
      if (offset >= 0) found.add('offsets');
      if (unreliable) found.add('unreliable frames');
      if (inlined) found.add('inlined frames');
      if (symbols.space(symbol) === 'user') found.add('user frames');
      if (symbols.space(symbol) === 'kernel' && symbols.module(symbol) !== '') found.add('modules');
      if (symbols.line(symbol) > 0) found.add('source lines');
    }
  }
  return found;
}

test.each(
  ALL_RECORDINGS.map((file) => [basename(file), file]),
)('%s has nothing that its format cannot carry', async (_name, file) => {
  const { census, format } = await readBytes(readFileSync(file));
  const { carries } = READERS.find(({ name }) => name === format)!;
  expect([...carriedBy(census)].filter((what) => !carries.includes(what))).toEqual([]);
});
