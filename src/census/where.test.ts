import { expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { NO_KEY } from './call-key.ts';
import { Census } from './census.ts';
import type { CallFacts } from './dimensions.ts';
import type { Path } from './paths.ts';
import { PhaseClock } from './phases.ts';
import { NO_TARGET } from './row-table.ts';
import { EMPTY_STACK } from './stack-table.ts';
import { parseWhere } from './where.ts';

const census = new Census();
const path: Path = {
  stack: EMPTY_STACK,
  frames: [
    { name: 'rb_insert_color', module: '' },
    { name: '__es_insert_extent', module: 'ext4' },
    { name: 'vfs_write', module: '' },
  ],
  symbols: [],
  site: 1,
  entry: { kind: 'syscall', name: 'write(2)' },
  isDoubted: false,
  isPartial: false,
};
const FACTS: CallFacts = {
  census,
  row: { stack: EMPTY_STACK, target: NO_TARGET, key: NO_KEY, count: 1 },
  key: { ...census.keys.at(NO_KEY), comm: 'db bench (1)', pid: 196 },
  call: {
    path,
    view: { ...path, target: '', argument: '' },
    labels: { subject: null, confidence: 'unknown', candidates: [], subsystem: null },
    site: path.frames[1] ?? null,
  },
  clock: new PhaseClock(census),
};
const matches = (expression: string) => parseWhere(expression)(FACTS);

test.each([
  'pid=196',
  'pid==196',
  ' pid = 196 ',
  'pid!=197',
  'entry=write',
  'entry=write(2)',
  'syscall=write && pid=196',
  'frame=vfs_write',
  'frame~^__es_',
  'frame!~^tcp_',
  'module=ext4',
  '!pid=1',
  '!!pid=196',
  'pid=1 || pid=196',
  'pid=1 && pid=2 || pid=196',
  'pid=196 || pid=1 && pid=2',
  '(pid=1 || pid=196) && !(entry=read || entry=fsync)',
  'comm="db bench (1)"',
  "comm='db bench (1)'",
  'comm=db bench (1)',
  'comm=db bench (1) && pid=196',
  'comm~(db|kworker)',
  'comm~"db|kworker" && pid=196',
])('%s is met', (expression) => {
  expect(matches(expression)).toBe(true);
});

test.each([
  'pid=19',
  'pid!=196',
  'entry=writ',
  'frame=es_insert',
  'frame!=vfs_write',
  'frame!~write',
  'pid=1 || pid=2',
  '(pid=1 || pid=196) && pid=2',
  'tree=anything',
  'cpu=(not recorded)',
  'cpu~.',
])('%s is not met', (expression) => {
  expect(matches(expression)).toBe(false);
});

test.each([
  ['', 'expected one of site, subject', 1],
  ['pid', 'expected =, !=, ~ or !~', 4],
  ['pid=', 'expected a value', 5],
  ['colour=red', "unknown field 'colour'", 1],
  ['pid=1 &&', 'expected one of', 9],
  ['(pid=1', 'expected )', 7],
  ['pid=1)', 'expected && or ||', 6],
  ['comm="a', 'missing closing "', 6],
  ['comm~(', 'not a regular expression', 6],
  ['pid=1 & pid=2 )', 'expected && or ||', 15],
  ['comm = db_bench and frame ~ ext4', "expected && or ||, not 'and'", 17],
])("'%s' is an error that says where", (expression, message, column) => {
  expect(() => parseWhere(expression)).toThrow(UsageError);
  expect(() => parseWhere(expression)).toThrow(message);
  expect(() => parseWhere(expression)).toThrow(`at column ${column} of`);
});
