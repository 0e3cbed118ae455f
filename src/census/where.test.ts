import { expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { parseWhere, type WhereField } from './where.ts';

const ROW: Partial<Record<WhereField, string[]>> = {
  comm: ['db bench (1)'],
  pid: ['196'],
  entry: ['write(2)'],
  syscall: ['write(2)'],
  frame: ['rb_insert_color', '__es_insert_extent', 'vfs_write'],
  module: ['', 'ext4', ''],
};
const matches = (expression: string) => parseWhere(expression)({ values: (field) => ROW[field] ?? [] });

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
])('%s is not met', (expression) => {
  expect(matches(expression)).toBe(false);
});

test.each([
  ['', 'expected one of comm, pid', 1],
  ['pid', 'expected =, !=, ~ or !~', 4],
  ['pid=', 'expected a value', 5],
  ['colour=red', "unknown field 'colour'", 1],
  ['pid=1 &&', 'expected one of', 9],
  ['(pid=1', 'expected )', 7],
  ['pid=1)', 'expected && or ||', 6],
  ['comm="a', 'missing closing "', 6],
  ['comm~(', 'not a regular expression', 6],
  ['pid=1 & pid=2 )', 'expected && or ||', 15],
])("'%s' is an error that says where", (expression, message, column) => {
  expect(() => parseWhere(expression)).toThrow(UsageError);
  expect(() => parseWhere(expression)).toThrow(message);
  expect(() => parseWhere(expression)).toThrow(`at column ${column} of`);
});
