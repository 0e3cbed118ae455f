import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { POOL_BYTES, Random, ValueCursor, valuePool } from './random.ts';

test("the minimal standard generator: Park and Miller's check", () => {
  const random = new Random(1);
  let last = 0;
  for (let i = 0; i < 10_000; i += 1) last = random.next();
  expect(last).toBe(1043618065);
});

test('seeds that would stand still are replaced', () => {
  expect([0, 2 ** 31 - 1, 2 ** 31].map((seed) => new Random(seed).next())).toEqual([16807, 16807, 16807]);
});

test.each([0.25, 0.5, 1])('values are printable and repeat themselves to the ratio %s', (ratio) => {
  const pool = valuePool(ratio);
  expect(pool.length).toBeGreaterThanOrEqual(POOL_BYTES);
  expect(pool.every((byte) => byte >= 0x20 && byte < 0x7f)).toBe(true);
  const fresh = 100 * ratio;
  for (let piece = 0; piece < 5000; piece += 100) {
    for (let i = fresh; i < 100; i += 1) expect(pool[piece + i]).toBe(pool[piece + i - fresh]);
  }
  // Deflate also codes 95 symbols in fewer than 8 bits (6.6 of 8), which Snappy does not.
  const compressed = deflateRawSync(pool).length / pool.length;
  expect(compressed).toBeGreaterThan(ratio * 0.8);
  expect(compressed).toBeLessThan(ratio * 1.1);
});

test('values follow one another and start again where the rest is too short', () => {
  const cursor = new ValueCursor(250);
  expect([100, 100, 100, 50].map((length) => cursor.next(length))).toEqual([0, 100, 0, 100]);
});
