import { expect, test } from 'vitest';
import type { PathView } from '../census/knowledge.ts';
import { hintsFor } from './hints.ts';

function path(target: string, frames: string, argument = ''): PathView {
  const named = frames.split(' ').map((name) => ({ name, module: '' }));
  return { frames: named, site: 0, entry: { kind: 'syscall', name: 'write(2)' }, target, argument };
}

test('a hint is a command for this very case', () => {
  expect(hintsFor([{ path: path('vfs_write', 'ksys_write'), count: 9 }], 'dd if=/dev/zero')).toEqual([
    {
      says: expect.stringContaining('bytes'),
      command: 'whocalls vfs_write --keys comm,arg3 --by argument -- dd if=/dev/zero',
      count: 9,
    },
  ]);
  expect(hintsFor([{ path: path('vfs_write', 'ksys_write'), count: 9 }], '')[0]?.command).toMatch(/ --duration 5$/);
});

test('what is recorded already is not offered again, nor what few calls would show', () => {
  expect(hintsFor([{ path: path('vfs_write', 'ksys_write', '0x64'), count: 9 }], '')).toEqual([]);
  const many = { path: path('rb_insert_color', 'enqueue_task_fair ttwu_do_activate'), count: 100 };
  const few = { path: path('rb_insert_color', 'enqueue_task_fair ttwu_do_activate sched_ttwu_pending'), count: 4 };
  expect(hintsFor([many, few], '')).toEqual([]);
  expect(hintsFor([many, { ...few, count: 40 }], '')).toHaveLength(1);
});
