import { expect, test } from 'vitest';
import { Census } from '../census/census.ts';
import { noteMissingArgument } from './argument-note.ts';

test('who groups by arguments is told how to record one, unless one was asked for', () => {
  const notes = (by: string, keys?: string) => {
    const census = new Census();
    noteMissingArgument(census, by, keys);
    return census.facts.notes;
  };
  expect(notes('argument')).toEqual(['No argument was recorded; --keys argN records one.']);
  expect(notes('argument', 'comm,pid')).toHaveLength(1);
  // Asked for, and no call came.
  expect(notes('argument', 'arg2')).toEqual([]);
  expect(notes('site')).toEqual([]);
});
