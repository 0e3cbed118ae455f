import { expect, test } from 'vitest';
import { Census } from '../../src/census/census.ts';
import { callsPerPhase } from '../../src/census/phases.ts';
import { reportDocument } from '../../src/report/json.ts';
import { readInputs } from '../../src/report/read-inputs.ts';
import { buildReport } from '../../src/report/report.ts';
import type { Report } from '../../web/report.ts';
import { timelineOf } from '../../web/time/timeline.ts';
import { pageDataOf } from '../support/page-data.ts';
import { recording } from '../support/recordings.ts';

async function timeline(census: Census, included: Uint8Array | null = null) {
  const report = reportDocument(buildReport(census), '0') as Report;
  return timelineOf(await pageDataOf(census), report, included);
}

const example = recording('rbtree-inserts-under-db_bench.txt').replace(/[^/]*$/, 'founding-case-6.12.pb.gz');

test('phases have the calls of the report, and with what lies outside they add up', async () => {
  const { census } = await readInputs([example]);
  const { kind, phases, outside, total, end, bars } = await timeline(census);
  expect([kind, bars, Math.round(end / 1000)]).toEqual(['phases', [], 744]);
  expect(phases.map(({ name, calls }) => [name, calls])).toEqual(
    callsPerPhase(census).map(({ phase, calls }) => [phase.name, calls]),
  );
  expect(outside).toBe(30_316);
  expect(phases.reduce((sum, { calls }) => sum + calls, outside)).toBe(total);
});

function timed(buckets: readonly (readonly [bucket: number, calls: number])[]): Census {
  const census = new Census();
  const stack = census.stack([
    { symbol: census.symbols.intern('vfs_write'), offset: -1 },
    { symbol: census.symbols.intern('ksys_write'), offset: -1 },
  ]);
  census.facts.bucketMilliseconds = 100;
  for (const [bucket, calls] of buckets) {
    census.add({ stack, target: census.target('vfs_write'), ...(bucket >= 0 && { bucket }) }, calls);
  }
  return census;
}

test('where times were kept bars of one width hold every call that has one', async () => {
  const census = timed([
    [0, 5],
    [1, 7],
    [2000, 11],
    [-1, 2],
  ]);
  census.facts.durationSeconds = 210;
  const { kind, bars, untimed, total, end } = await timeline(census);
  expect([kind, untimed, total, end]).toEqual(['times', 2, 25, 210_000]);
  expect(bars.length).toBeLessThanOrEqual(160);
  expect(new Set(bars.map(({ from, to }) => to - from)).size).toBe(1);
  expect(bars.filter(({ calls }) => calls > 0).map(({ calls }) => calls)).toEqual([12, 11]);
  expect(bars.every(({ calls, byFamily }) => calls === byFamily.reduce((a, b) => a + b, 0))).toBe(true);
});

test('only what is let through is counted', async () => {
  const { bars, total } = await timeline(
    timed([
      [0, 5],
      [3, 7],
    ]),
    Uint8Array.from([0, 1]),
  );
  expect([total, bars.map(({ calls }) => calls)]).toEqual([7, [0, 0, 0, 7]]);
});

test('without times nothing is known', async () => {
  const census = timed([[-1, 3]]);
  expect((await timeline(census)).kind).toBe(null);
  census.facts.bucketMilliseconds = null;
  expect(await timeline(census)).toMatchObject({ kind: null, untimed: 3, total: 3 });
});
