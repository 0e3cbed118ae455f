import { expect, test } from 'vitest';
import { seconds } from './seconds.ts';

test.each([
  ['5', 5],
  ['0.5', 0.5],
  ['5s', 5],
  ['500ms', 0.5],
  ['2m', 120],
  ['1.5h', 5400],
])('%s is %d seconds', (text, value) => {
  expect(seconds(text)).toBe(value);
});

test.each(['', 's', '0', '0s', '-1', '5x', '5 s', 'Infinity', '1e9', 'soon', '1h30m'])("'%s' is no time", (text) => {
  expect(() => seconds(text)).toThrow('A time above 0 is wanted');
});
