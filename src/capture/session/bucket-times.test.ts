import { expect, test } from 'vitest';
import { UNKNOWN } from '../../census/call-key.ts';
import { UNTIMED } from '../bpf/coarse-time.ts';
import { coarseTimes, evenTimes } from './bucket-times.ts';

const at = (seconds: number) => BigInt(Math.round(seconds * 1e9));
const level = (number: number, of: number) => of * 65_536 + number;

test('buckets of one width count from the start', () => {
  const { milliseconds, of } = evenTimes(100, at(50.07));
  expect([milliseconds, of(500), of(501)]).toEqual([100, 0, 1]);
});

test('coarse buckets of a short run are a second wide', () => {
  const { milliseconds, of } = coarseTimes({ base: 40n, mostKeys: 9, insertedAt: 0 }, at(43.5), at(90));
  expect(milliseconds).toBe(1000);
  expect([of(level(3, 0)), of(level(4, 0)), of(level(49, 0)), of(UNTIMED)]).toEqual([0, 1, 46, UNKNOWN]);
});

test('those of a long run are as wide as the last, and no more than 128', () => {
  const { milliseconds, of } = coarseTimes({ base: 40n, mostKeys: 9, insertedAt: 0 }, at(40), at(40 + 3600));
  expect(milliseconds).toBe(32_000);
  expect([of(level(0, 0)), of(level(127, 0)), of(level(64, 1)), of(level(112, 5))]).toEqual([0, 3, 4, 112]);
});
