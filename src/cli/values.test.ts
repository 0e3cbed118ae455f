import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  count,
  flag,
  fraction,
  list,
  mebibytes,
  path,
  ranges,
  repeated,
  seconds,
  words,
  writtenSize,
} from './values.ts';

type Case = readonly [parse: (text: string) => unknown, text: string, value: unknown];

const GOOD: readonly Case[] = [
  [count(), '0', 0],
  [count(), '999999999', 999_999_999],
  [count(-5, 5), '-5', -5],
  [count(-5, 5), '+5', 5],
  [fraction, '0', 0],
  [fraction, '0.25', 0.25],
  [fraction, '1', 1],
  [seconds, '5', 5],
  [seconds, '0.5', 0.5],
  [seconds, '5s', 5],
  [seconds, '500ms', 0.5],
  [seconds, '2m', 120],
  [seconds, '1.5h', 5400],
  [mebibytes, '512M', 512],
  [mebibytes, '512', 512],
  [mebibytes, '2G', 2048],
  [mebibytes, '2gib', 2048],
  [mebibytes, '1t', 1_048_576],
  [flag, '1', true],
  [flag, '0', false],
  [list(count()), '1,2,,3', [1, 2, 3]],
  [words, 'a,b c,', ['a', 'b c']],
  [ranges(8), '0,2-3', [0, 2, 3]],
  [ranges(8), '7', [7]],
  [path, '/a/../b', '/b'],
];

const BAD: readonly (readonly [parse: (text: string) => unknown, texts: readonly string[], must: string])[] = [
  [count(), ['', ' ', '-1', '1.5', 'x', '1e3', '0x10', '1000000000', '1 2'], 'a whole number from 0 to 999999999'],
  [count(1, 128), ['0', '129'], 'a whole number from 1 to 128'],
  [fraction, ['', ' ', '-0.1', '1.1', 'x', 'NaN'], 'a number from 0 to 1'],
  [seconds, ['', 's', '0', '0s', '-1', '5x', '5 s', 'Infinity', '1e9', 'soon', '1h30m'], 'a time above 0'],
  [mebibytes, ['', '0', '-1G', '2X', '1.5G', 'G', '1234567'], 'a size such as 512M or 2G'],
  [flag, ['', '2', 'true', 'yes'], '0 or 1'],
  [list(count()), ['1,x', '1,-2'], 'a whole number'],
  [ranges(8), ['8', '3-2', '1-2-3', 'a', '-1'], ''],
];

describe('a value', () => {
  it.each(GOOD)('%o %j', (parse, text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it('that is none is refused, with what it must be', () => {
    for (const [parse, texts, must] of BAD) {
      for (const text of texts) {
        expect(() => parse(text), text).toThrow(InvalidArgumentError);
        expect(() => parse(text), text).toThrow(`It must be ${must}`);
      }
    }
  });

  it('can be given again and again', () => {
    const parse = repeated(count());
    expect(parse('2', parse('1', undefined))).toEqual([1, 2]);
  });
});

it('sizes are written as they are read', () => {
  for (const size of [1, 512, 1024, 1536, 4096]) expect(mebibytes(writtenSize(size))).toBe(size);
  expect(writtenSize(4096)).toBe('4G');
});
