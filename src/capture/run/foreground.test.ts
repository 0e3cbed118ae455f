import { expect, test } from 'vitest';
import { isInForeground } from './foreground.ts';

test.each([
  ['in the foreground of a terminal', '812 (sleep) S 800 812 700 34816 812 4194304 99 0 0', true],
  ['of the group of its parent', '813 (a (b) c) S 812 812 700 34816 812 4194304 99 0 0', true],
  ['in the background of a terminal', '812 (sleep) S 800 812 700 34816 700 4194304 99 0 0', false],
  ['without a terminal', '812 (sleep) S 800 812 812 0 -1 4194304 99 0 0', false],
])('a process %s', (_, stat, expected) => {
  expect(isInForeground(stat)).toBe(expected);
});
