import { expect, test } from 'vitest';
import { OwnExpression } from './own-expression.ts';

test('an expression that would take hours on a name is given up', () => {
  const expression = new OwnExpression('^(a+)+$');
  expect([expression.test('aaaa'), expression.test('aaab'), expression.test('aaaa')]).toEqual([true, false, true]);
  expect(() => expression.test(`${'a'.repeat(40)}b`)).toThrow(/more than a second on a name of 41 characters/);
});

test('ordinary ones are as ever, on long names too', () => {
  const expression = new OwnExpression('^ext4_.*write');
  expect([expression.test('ext4_file_write_iter'), expression.test(`x${'y'.repeat(1000)}`)]).toEqual([true, false]);
  expect(() => new OwnExpression('(')).toThrow(SyntaxError);
});
