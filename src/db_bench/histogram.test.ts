import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Histogram } from './histogram.ts';

/** The buckets LevelDB's own db_bench printed for fillseq. */
const printed = readFileSync(new URL('../workload/fixtures/leveldb.txt', import.meta.url), 'utf8');
const fillseq = printed.slice(printed.indexOf('fillseq'), printed.indexOf('fillsync'));
const buckets = fillseq.split('\n').filter((line) => line.startsWith('['));

test('prints the same counts as LevelDB does', () => {
  const histogram = new Histogram();
  for (const line of buckets) {
    const [, from = '', count = ''] = /^\[\s*(\d+),.*?\)\s+(\d+) /.exec(line) ?? [];
    for (let i = 0; i < Number(count); i += 1) histogram.add(Number(from));
  }
  expect(buckets.length).toBeGreaterThan(10);
  expect(
    histogram
      .toString()
      .split('\n')
      .filter((line) => line.startsWith('[')),
  ).toEqual(buckets);
  expect(histogram.toString()).toMatch(
    /^Count: 20000 {2}Average: \d+\.\d{4} {2}StdDev: \d+\.\d\d\nMin: 1\.0000 {2}Median: /,
  );
});

test('merging is adding', () => {
  const [one, two, both] = [new Histogram(), new Histogram(), new Histogram()];
  for (let i = 0; i < 1000; i += 1) {
    const micros = (i * i) % 977;
    (i % 3 === 0 ? one : two).add(micros);
    both.add(micros);
  }
  one.merge(two);
  expect(one.toString()).toBe(both.toString());
  expect(one.percentile(50)).toBeGreaterThan(one.percentile(10));
});

test('nothing counted', () => {
  expect(new Histogram().toString()).toContain('Count: 0  Average: 0.0000');
});
