import { describe, expect, test } from 'vitest';
import { stacks } from '../../test/support/stacks.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { atlasLabeller } from '../atlas/labeller.ts';
import { Census } from './census.ts';
import { parseCondition } from './condition.ts';
import { judge } from './verdict.ts';
import { ExpressionError } from './where.ts';

function census(lost: number, ...calls: readonly (readonly [count: number, comm: string, site: string])[]): Census {
  const one = new Census();
  const frame = (name: string) => ({ symbol: one.symbols.intern(name), offset: -1 });
  for (const [count, comm, site] of calls) {
    one.add({ stack: one.stack(['vfs_write', site].map(frame)), target: one.target('vfs_write'), comm }, count);
  }
  one.facts.workloads.push({ name: 'db_bench', phases: [{ name: 'fillseq', operations: 100 }] });
  one.facts.durationSeconds = 10;
  one.lose({ code: 'no-stack' }, lost);
  return one;
}

const BASE = census(0, [100, 'dd', 'ksys_write'], [50, '', 'kernel_write']);
const MORE = census(2, [110, 'dd', 'ksys_write'], [95, '', 'io_write'], [5, 'a>b', 'kernel_write']);

function strikes(condition: string, sides: readonly (readonly Census[])[] = [[BASE], [MORE]]): boolean {
  const verdicts = judge(sides, [parseCondition(condition)], {
    knowledge: kernelKnowledge(),
    labeller: atlasLabeller,
  });
  expect(verdicts).toHaveLength(sides.length - 1);
  return verdicts.some(({ isStruck }) => isStruck);
}

// 150 calls became 212, two of them lost.
test.each([
  ['total > 211', 'total > 212'],
  ['total >= 212', 'total >= 213'],
  ['total > +61', 'total > +62'],
  ['total > +41.3%', 'total > +41.4 %'],
  ['total < 213', 'total < 212'],
  ['site=kernel_write < -89%', 'site=kernel_write < -90%'],
  ['site=kernel_write<=-45', 'site=kernel_write<-45'],
  ['total/op > 2.11', 'total/op > 2.12'],
  ['total/op > +41%', 'total/op > +42%'],
  ['site=ksys_write/op > +0.05', 'site=ksys_write/op > +0.11'],
  ['total/s > +6', 'total/s > +7'],
  ['comm=dd > +9%', 'comm=dd > +10%'],
  ['site=ksys_write && comm=dd > 109', 'site=ksys_write && comm=cat > 0'],
  ['comm="a>b" > 4', 'comm="a>b" > 5'],
  ['comm="a>b" > +1000000%', 'comm=none > +5%'],
  ['lost > 1', 'lost > 2'],
  ['new site', 'gone target'],
  ['new site > 94', 'new site > 95'],
  ['new comm', 'gone comm'],
])('%s strikes, and %s does not', (struck, spared) => {
  expect(strikes(struck)).toBe(true);
  expect(strikes(spared)).toBe(false);
});

test('what is gone is what is new the other way round', () => {
  expect(strikes('gone site', [[MORE], [BASE]])).toBe(true);
  expect(strikes('gone site', [[BASE], [MORE]])).toBe(false);
});

test('changes of repeated runs strike beyond the spread, new values where every run has them', () => {
  const run = (calls: number) => stacks(`${calls}\nvfs_write\nksys_write\nsys_write`);
  expect(
    strikes('total > +5%', [
      [run(100), run(130)],
      [run(129), run(190)],
    ]),
  ).toBe(false);
  expect(
    strikes('total > +5%', [
      [run(100), run(128)],
      [run(129), run(190)],
    ]),
  ).toBe(true);
  expect(strikes('new site', [[MORE], [MORE, BASE]])).toBe(false);
  expect(strikes('new site', [[BASE], [MORE, BASE]])).toBe(false);
  expect(strikes('new site', [[BASE], [MORE, MORE]])).toBe(true);
});

test('what is not known does not strike, and says so', () => {
  const [verdict] = judge([[stacks('1\nf')], [stacks('2\nf')]], [parseCondition('total/op > +1%')], {
    knowledge: kernelKnowledge(),
  });
  expect(verdict).toMatchObject({ isStruck: false, amount: null });
});

describe('a mistake is shown at its place', () => {
  test.each([
    ['', 0, 'expected a limit'],
    ['total', 5, 'expected a limit'],
    ['total > ', 8, 'expected a number'],
    ['total > x', 8, 'expected a number'],
    ['total > 5%', 8, 'write +5% or -5%'],
    ['totl > 5', 0, 'expected total'],
    ['total/hour > 5', 0, 'expected total'],
    ['tre=x > 5', 0, "unknown field 'tre'"],
    ['site=x && tre=y > 5', 10, "unknown field 'tre'"],
    ['comm~( > 5', 5, 'not a regular expression'],
    ['new', 3, 'expected one of site'],
    ['new tre', 4, "unknown dimension 'tre'"],
    ['gone frame', 5, 'no two sides are told apart by frame'],
    ['new site > +5', 11, 'without a sign'],
    ['new site < 5', 9, 'only > can stand'],
  ])("in '%s' at %d: %s", (text, at, problem) => {
    let error: unknown;
    try {
      parseCondition(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(ExpressionError);
    expect(error).toMatchObject({ at, problem: expect.stringContaining(problem) });
  });
});
