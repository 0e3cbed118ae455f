import { expect, test } from 'vitest';
import { DIMENSIONS, GROUPINGS as KNOWN_GROUPINGS } from '../../src/census/dimensions.ts';
import { dimensionsIn } from '../../src/census/where.ts';
import { UsageError } from '../../src/errors.ts';
import { readInputs } from '../../src/report/read-inputs.ts';
import { buildReport } from '../../src/report/report.ts';
import { callsOf, rowsWhere } from '../../web/calls/selection.ts';
import { FIELDS, GROUPINGS } from '../../web/filter/fields.ts';
import { both, comparison, parseWhere, WhereError } from '../../web/filter/where.ts';
import { pageDataOf } from '../support/page-data.ts';
import { recording } from '../support/recordings.ts';

test('the page knows the dimensions of the command line', () => {
  expect(GROUPINGS.map(([name]) => name)).toEqual(KNOWN_GROUPINGS);
  expect(FIELDS).toEqual(DIMENSIONS.map(({ name }) => name));
});

const EXPRESSIONS = [
  'comm=db_bench',
  'comm!=db_bench',
  'entry=write',
  'entry=write(2) || entry=fdatasync',
  '!entry~interrupt',
  'syscall=futex',
  'tree=cfs-run-queue',
  'tree="fair run queue"',
  'subject=cfs-run-queue && comm~^swapper',
  'subsystem~scheduler',
  'frame=schedule',
  'frame~^ext4_ && !frame~^ext4_htree',
  'frame!~^ext4_',
  'module=ext4',
  'module!=ext4',
  '!(comm=db_bench || comm=swapper/0) && site~enqueue',
  '!comm~.',
  'phase=fillseq',
  'phase~. && target=rb_insert_color',
  'stack~ext4_da_write_begin',
  'cpu=0',
  'pid!=1',
  'comm=nobody',
  'site=enqueue_task_fair || site=put_prev_entity && comm=db_bench',
];

const inputs = await Promise.all(
  ['founding-case-6.12.pb.gz', 'perf-script.txt.gz', 'dmesg.txt.gz'].map(async (name) => {
    const { census } = await readInputs([recording(name)]);
    return { name, census, data: await pageDataOf(census) };
  }),
);

test.each(EXPRESSIONS)('%s lets the same calls through on the page and on the command line', (where) => {
  for (const { name, census, data } of inputs) {
    const rows = rowsWhere(data, parseWhere(where, FIELDS));
    expect(callsOf(data, rows), name).toBe(buildReport(census, { where }).matching);
  }
});

test('the expressions are no trifles: most let a part through', () => {
  const parts = EXPRESSIONS.filter((where) =>
    inputs.some(({ data }) => {
      const calls = callsOf(data, rowsWhere(data, parseWhere(where, FIELDS)));
      return calls > 0 && calls < data.attributed;
    }),
  );
  expect(parts.length).toBeGreaterThan(EXPRESSIONS.length - 5);
});

test.each([
  '',
  'pid',
  'pid=',
  'colour=red',
  'pid=1 &&',
  '(pid=1',
  'pid=1)',
  'comm="a',
  'comm~(',
  'pid=1 & pid=2 )',
  'comm = db_bench and frame ~ ext4',
  '!',
  'frame~[ && pid=1',
])("'%s' is wrong in the same way at the same place", (where) => {
  const told = (run: () => unknown, kind: typeof UsageError | typeof WhereError) => {
    try {
      run();
    } catch (error) {
      if (error instanceof kind) return error;
      throw error;
    }
    throw new Error(`'${where}' passed`);
  };
  const here = told(() => parseWhere(where, FIELDS), WhereError) as WhereError;
  const there = told(() => dimensionsIn(where), UsageError);
  expect(there.message).toBe(`--where: ${here.message} at column ${here.at + 1} of '${where}'`);
});

test.each([
  'db_bench',
  'kworker/u8:1',
  'write(2)',
  'two words',
  "it's",
  'a"b',
  '',
  'x && y',
  '__proto__',
])('a comparison with %j means that value', (value) => {
  const text = comparison('comm', value);
  const where = text === null ? null : parseWhere(both(text, 'pid=1'), FIELDS);
  if (where?.kind !== 'and' || where.parts[0]?.kind !== 'comparison') throw new Error(`not two comparisons: ${text}`);
  expect(where.parts[0].matches(value)).toBe(true);
  expect(where.parts[0].matches(`${value}x`)).toBe(false);
});

test('both of two expressions keeps what each means', () => {
  expect(both('', 'pid=1')).toBe('pid=1');
  expect(both('pid=1 || pid=2', 'cpu=0')).toBe('(pid=1 || pid=2) && cpu=0');
});
