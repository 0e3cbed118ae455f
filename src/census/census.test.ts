import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyCensus, symbolName } from '../../test/support/arbitrary-census.ts';
import { canonical } from '../../test/support/canonical.ts';
import { checkCensus } from '../../test/support/check-census.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { Census } from './census.ts';
import { GROUPINGS } from './dimensions.ts';
import { groupCensus } from './group.ts';
import { mergeCensus } from './merge.ts';
import { normaliseSymbol } from './symbol-name.ts';
import { parseWhere } from './where.ts';

const knowledge = kernelKnowledge();

function merged(...parts: Census[]): Census {
  const whole = new Census();
  for (const part of parts) mergeCensus(whole, part);
  return whole;
}

test('any census keeps its books', () => {
  fc.assert(fc.property(anyCensus, (census) => checkCensus(census)));
});

test('merging is commutative', () => {
  fc.assert(
    fc.property(anyCensus, anyCensus, (a, b) => {
      expect(canonical(merged(a, b))).toEqual(canonical(merged(b, a)));
    }),
  );
});

test('merging is associative, and an empty census changes nothing', () => {
  fc.assert(
    fc.property(anyCensus, anyCensus, anyCensus, (a, b, c) => {
      const left = merged(merged(a, b), c);
      checkCensus(left);
      expect(canonical(left)).toEqual(canonical(merged(a, merged(b, c))));
      expect(left.total).toBe(a.total + b.total + c.total);
      expect(canonical(merged(a, new Census()))).toEqual(canonical(merged(new Census(), a)));
    }),
  );
});

test('a census merged into another leaves the other as it was', () => {
  fc.assert(
    fc.property(anyCensus, anyCensus, (a, b) => {
      const before = canonical(b);
      mergeCensus(a, b);
      mergeCensus(a, b);
      expect(canonical(b)).toEqual(before);
    }),
  );
});

test.each([...GROUPINGS])('groups by %s add up, whatever the filter', (by) => {
  const filters = ['comm=db_bench', '!comm=db_bench', 'frame~^vfs_ && entry=write', 'pid=1 || cpu!=2'];
  fc.assert(
    fc.property(anyCensus, fc.integer({ min: 0, max: 4 }), (census, top) => {
      const all = groupCensus(census, { by, knowledge });
      expect(all.matching).toBe(census.attributed);
      expect(sum(all.groups)).toBe(census.attributed);
      for (const group of all.groups) {
        expect(sum(group.entries)).toBe(group.count);
        expect(sum(group.comms)).toBeLessThanOrEqual(group.count);
        expect(group.isUnknown).toBe(group.key === null);
        expect(sum(group.paths)).toBe(group.count);
        expect(group.share).toBeCloseTo(group.count / census.total);
      }
      expect(all.groups.map((group) => group.rank)).toEqual(all.groups.map((_, i) => i + 1));
      const cut = groupCensus(census, { by, knowledge, top });
      expect(sum(cut.groups)).toBe(census.attributed);
      expect(cut.groups.length).toBeLessThanOrEqual(top + 1);
      if (all.groups.length > top) expect(cut.groups.at(-1)).toMatchObject({ rank: null, key: null, label: '(other)' });
      for (const filter of filters) {
        const some = groupCensus(census, { by, knowledge, where: parseWhere(filter) });
        const others = groupCensus(census, { by, knowledge, where: parseWhere(`!(${filter})`) });
        expect(sum(some.groups)).toBe(some.matching);
        expect(some.matching + others.matching).toBe(census.attributed);
      }
    }),
    { numRuns: 30 },
  );
});

function sum(list: readonly { count: number }[]): number {
  return list.reduce((total, { count }) => total + count, 0);
}

test('normalising a name twice changes nothing more, and leaves something', () => {
  fc.assert(
    fc.property(symbolName, (name) => {
      const once = normaliseSymbol(name);
      expect(normaliseSymbol(once)).toBe(once);
      expect(once).not.toBe('');
    }),
  );
});

test.each([
  ['ttwu_do_activate.isra.88', 'ttwu_do_activate'],
  ['f.constprop.0.isra.0', 'f'],
  ['f.part.3', 'f'],
  ['pre.cold', 'pre'],
  ['f.cold.12', 'f'],
  ['f.llvm.1234567890', 'f'],
  ['f.localalias', 'f'],
  ['f.lto_priv.0', 'f'],
  ['__x64_sys_write', 'sys_write'],
  ['__se_sys_write', 'sys_write'],
  ['__do_sys_write', 'sys_write'],
  ['__arm64_sys_write', 'sys_write'],
  ['SyS_write', 'sys_write'],
  ['__ia32_compat_sys_ioctl', 'compat_sys_ioctl'],
  ['compat_SyS_ioctl', 'compat_sys_ioctl'],
  ['__x64_sys_write.cold', 'sys_write'],
  ['ksys_write', 'ksys_write'],
  ['do_sys_openat2', 'do_sys_openat2'],
  ['main.main', 'main.main'],
  ['.cold', '.cold'],
])('%s is %s', (raw, name) => {
  expect(normaliseSymbol(raw)).toBe(name);
});

test('counts cannot be negative or no number', () => {
  const census = new Census();
  const stack = census.stack([{ symbol: census.symbols.intern('f'), offset: -1 }]);
  expect(() => census.add({ stack }, -1)).toThrow(RangeError);
  expect(() => census.add({ stack }, Number.NaN)).toThrow(RangeError);
  expect(() => census.lose({ code: 'no-stack' }, -1)).toThrow(RangeError);
  census.add({ stack }, 0);
  expect([census.rows.size, census.total]).toEqual([0, 0]);
});

test('tables hold what they were given after they grew', () => {
  const census = new Census();
  const { symbols } = census;
  for (let i = 0; i < 20_000; i++) {
    const stack = census.stack([
      { symbol: symbols.intern(`f${i % 700}`), offset: i },
      { symbol: symbols.intern('g'), offset: -1 },
    ]);
    census.add({ stack, pid: i % 50 }, i + 1);
  }
  checkCensus(census);
  expect(census.rows.size).toBe(20_000);
  expect(census.total).toBe((20_000 * 20_001) / 2);
});
