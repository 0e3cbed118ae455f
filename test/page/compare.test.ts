import { describe, expect, test } from 'vitest';
import { GROUPINGS } from '../../src/census/dimensions.ts';
import { buildComparison, type ComparedRun } from '../../src/report/comparison.ts';
import { comparisonDocument } from '../../src/report/comparison-json.ts';
import { readInputs } from '../../src/report/read-inputs.ts';
import { comparedOf, type Run } from '../../web/compare/comparison.ts';
import { differenceTree, stepOf } from '../../web/compare/difference-tree.ts';
import { differencesOf } from '../../web/compare/differences.ts';
import { changeText, signed } from '../../web/compare/rates.ts';
import { pageDataOf } from '../support/page-data.ts';
import { recording } from '../support/recordings.ts';

const example = (name: string) => recording('rbtree-inserts-under-db_bench.txt').replace(/[^/]*$/, name);
const capture = (name: string) => example(`../test/atlas/captures/${name}.pb.gz`);
const all = () => null;

interface Page {
  readonly censuses: readonly Run[];
  readonly comparison: unknown;
}

const pages = new Map<unknown, Promise<Page>>();

/** The page of these runs, made once. */
function pageOf(runs: readonly (readonly ComparedRun[])[]): Promise<Page> {
  const page = pages.get(runs) ?? makePage(runs);
  pages.set(runs, page);
  return page;
}

async function makePage(runs: readonly (readonly ComparedRun[])[]): Promise<Page> {
  const censuses = await Promise.all(
    runs.flat().map(async ({ census }) => ({ name: '', report: {} as Run['report'], data: await pageDataOf(census) })),
  );
  const comparison = comparisonDocument(buildComparison(runs), '0');
  return { censuses, comparison: JSON.parse(JSON.stringify(comparison)) };
}

const old = await readInputs([example('founding-case-6.1.pb.gz')]);
const now = await readInputs([example('founding-case-6.12.pb.gz')]);
const mm = await readInputs([capture('6.12-rb-mm')]);
const fork = await readInputs([capture('6.1-rb-fork')]);

describe.each([
  ['the founding case', [[old], [now]]],
  [
    'repeated runs',
    [
      [old, fork],
      [now, mm, mm],
    ],
  ],
  ['three sides', [[old], [fork], [mm]]],
] as const)('of %s', (_, runs) => {
  test.each(GROUPINGS)('by %s every figure is that of the command line', async (by) => {
    const page = await pageOf(runs);
    const { comparison, groups } = buildComparison(runs, { by, explain: 'off' });
    const [base, ...others] = comparedOf(page)?.sides ?? [];
    for (const [i, other] of others.entries()) {
      for (const rate of ['call', 'second'] as const) {
        const shown = differencesOf(base!, other, by, rate, all);
        const told = groups.filter(({ changes }) => changes[i]?.status !== 'absent');
        const figures = (key: string, subject: string, from: number, to: number) => [
          `${key}|${subject}|${from.toPrecision(9)}|${to.toPrecision(9)}`,
        ];
        const of = (side: (typeof told)[number]['sides'][number] | undefined) =>
          (rate === 'call' ? side?.calls : side?.perSecond)?.median ?? 0;
        expect(
          shown?.groups.flatMap((one) => figures(one.label, one.subject, one.base.median, one.other.median)).sort(),
        ).toEqual(
          told
            .flatMap((one) =>
              figures(one.label, by === 'site' ? (one.subject?.id ?? '') : '', of(one.sides[0]), of(one.sides[i + 1])),
            )
            .sort(),
        );
        if (rate === 'call') expect(shown?.all.other.median).toBe(comparison.matching.sides[i + 1]?.calls.median);
      }
    }
  });

  test('the tree holds the calls of both sides', async () => {
    const [base, other] = comparedOf(await pageOf(runs))?.sides ?? [];
    const { tree, base: before, other: after } = differenceTree(base!, other!, 'call', all);
    const mean = (side: readonly ComparedRun[]) =>
      side.reduce((sum, { census }) => sum + census.attributed, 0) / side.length;
    expect([before[0], after[0]].map((value) => Math.round(value!))).toEqual(
      [runs[0], runs[1]].map((side) => Math.round(mean(side))),
    );
    for (let box = 1; box < tree.count; box++) {
      const parent = tree.parent[box]!;
      expect(before[box]).toBeLessThanOrEqual(before[parent]! + 1e-6);
      expect(after[box]).toBeLessThanOrEqual(after[parent]! + 1e-6);
    }
  });
});

test('paths begin with the site, whatever target and helpers a kernel has', async () => {
  const [base, other] = comparedOf(await pageOf([[old], [now]]))?.sides ?? [];
  const { tree, nameOf, base: before, other: after } = differenceTree(base!, other!, 'call', all);
  const sites = new Map<string, readonly [number, number]>();
  for (let box = tree.first[0]!; box < tree.first[1]!; box++) sites.set(nameOf(box), [before[box]!, after[box]!]);
  expect(sites.get('enqueue_task_fair')).toEqual([13041, 31490]);
  expect(sites.get('tmigr_update_events')).toEqual([0, 2559]);
});

test('signs, shares and steps', () => {
  expect([signed(5, 'call'), signed(-5, 'call'), signed(0, 'call')]).toEqual(['+5', '−5', '0']);
  expect([changeText(100, 154), changeText(0, 3), changeText(3, 0), changeText(3, 3), changeText(2000, 1999)]).toEqual([
    '+54.0 %',
    'new',
    'gone',
    '0 %',
    '−<0.1 %',
  ]);
  expect([stepOf(0, 3), stepOf(3, 0), stepOf(100, 101), stepOf(100, 110), stepOf(110, 100)]).toEqual([4, -4, 0, 1, -1]);
});
