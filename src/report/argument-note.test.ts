import { expect, test } from 'vitest';
import { Census } from '../census/census.ts';
import { noteMissingArgument } from './argument-note.ts';

test('who groups by arguments is told how to record one, unless one was asked for', () => {
  const notes = (by: string, isAskedFor = false) => {
    const census = new Census();
    noteMissingArgument(census, by, isAskedFor);
    return census.facts.notes;
  };
  expect(notes('argument')).toEqual([{ code: 'argument-not-recorded' }]);
  expect(notes('argument', false)).toHaveLength(1);
  // Asked for, and no call came.
  expect(notes('argument', true)).toEqual([]);
  expect(notes('site')).toEqual([]);
});
