import { describe, expect, test } from 'vitest';
import { kernelKnowledge } from '../../src/atlas/knowledge.ts';
import { atlasLabeller } from '../../src/atlas/labeller.ts';
import { GROUPINGS } from '../../src/census/dimensions.ts';
import { groupCensus } from '../../src/census/group.ts';
import { parseWhere } from '../../src/census/where.ts';
import { readInputs } from '../../src/report/read-inputs.ts';
import { buildReport } from '../../src/report/report.ts';
import { decisionsOf, pathsOf, stacksOf, tally } from '../../web/calls/describe.ts';
import { groupRows } from '../../web/calls/groups.ts';
import { namesTo } from '../../web/calls/paths.ts';
import { comparison } from '../../web/filter/where.ts';
import { pageDataOf } from '../support/page-data.ts';
import { ALL_RECORDINGS } from '../support/recordings.ts';

const options = { knowledge: kernelKnowledge(), labeller: atlasLabeller };

describe.each(ALL_RECORDINGS)('%s', async (file) => {
  const { census } = await readInputs([file]);
  const data = await pageDataOf(census);

  test.each(GROUPINGS)('by %s the page counts the same groups as the report, in the same order', (by) => {
    const { groups } = groupCensus(census, { ...options, by });
    const told = groups.map(({ label, isUnknown, count, sums }) => ({ label, isUnknown, count, sums: [...sums] }));
    const shown = groupRows(data, by, null).map(({ label, isUnknown, count, sums }) => ({
      label,
      isUnknown,
      count,
      sums,
    }));
    expect(shown).toEqual(
      told.map(({ sums, ...rest }) => ({ ...rest, sums: data.measures.map((_, i) => sums[i] ?? 0) })),
    );
  });

  test('entries, processes, stacks, the commonest path and decisions of each site are those of the report', () => {
    const { groups } = buildReport(census);
    for (const [i, { rows }] of groupRows(data, 'site', null).entries()) {
      const told = groups[i]!;
      const counts = (list: readonly { name: string; count: number }[]) =>
        Object.fromEntries(list.map(({ name, count }) => [name, count]));
      expect(counts(tally(data, 'entry', rows))).toEqual(counts(told.entries));
      expect(counts(tally(data, 'comm', rows).filter(({ isUnknown }) => !isUnknown))).toEqual(counts(told.comms));
      expect(stacksOf(data, rows)).toBe(told.stacks);
      const byNames = new Map<string, number>();
      for (const { path, count } of told.paths) {
        const names = path.frames.map(({ name }) => name).join();
        byNames.set(names, (byNames.get(names) ?? 0) + count);
      }
      const shown = new Map<string, number>();
      for (const { end, count } of pathsOf(data, rows)) {
        const names = namesTo(data, end).join();
        shown.set(names, (shown.get(names) ?? 0) + count);
      }
      expect(shown).toEqual(byNames);
      const clauses = decisionsOf(data, rows).map(({ text }) => text);
      for (const { text } of told.explanation?.decisions ?? []) expect(clauses).toContain(text);
    }
  });

  test('groups within a group are those that a filter for it leaves', () => {
    for (const { label, isUnknown, rows } of groupRows(data, 'site', null).slice(0, 5)) {
      const where = comparison('site', label);
      if (isUnknown || where === null) continue;
      const { groups } = groupCensus(census, { ...options, by: 'entry', where: parseWhere(where) });
      expect(groupRows(data, 'entry', rows).map((group) => [group.label, group.count])).toEqual(
        groups.map((group) => [group.label, group.count]),
      );
    }
  });
});
