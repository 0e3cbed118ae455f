import { expect, test } from 'vitest';
import { checkBytes, groupCounts } from '../../../test/support/check-reader.ts';

const HEAD = '/opt/my bench\n- Keys:\t16B each\n- Raw size:\t110.6MB\n- Entries:\t1000\n\n';

test('facts with their units, totals, traces and text around them', async () => {
  const { census, diagnostics } = await checkBytes(
    'counted-traces',
    `${HEAD}Total rbinsert: 20\n\nTrace1 12\n\n[    1.5]  vfs_write+0x1/0x2 [ext4]\n[    1.5]  ? stale+0x1/0x2\n[    1.5]  ksys_write+0x1/0x2\n\nIt writes.\n\n` +
      'Trace2 5\n<IRQ>\ntimerqueue_add+0x54/0x80\nhrtimer_interrupt+0x1/0x2\n</IRQ>\ndo_idle+0x1/0x2\nA timer.\n',
  );
  expect([census.total, census.attributed]).toEqual([20, 17]);
  expect(census.losses).toEqual([{ code: 'not-listed', count: 3 }]);
  expect(census.targets).toEqual(['rbinsert']);
  expect(census.facts.workloads).toEqual([{ name: 'my bench', keys: '16B each', rawSize: '110.6MB', entries: 1000 }]);
  expect(groupCounts(census)).toEqual([
    ['vfs_write', 12],
    ['hrtimer_interrupt', 5],
  ]);
  expect(groupCounts(census, 'target')).toEqual([['rbinsert', 17]]);
  expect(diagnostics.skippedLines).toBe(0);
});

test('without a total, what is listed is all', async () => {
  const { census } = await checkBytes('counted-traces', 'Trace1 3\nvfs_write+0x1/0x2\nTrace2 4\nvfs_read+0x1/0x2\n');
  expect([census.total, census.lost]).toEqual([7, 0]);
});

test('a trace without frames is a loss, and shown', async () => {
  const { census, diagnostics } = await checkBytes(
    'counted-traces',
    'Total x: 9\nTrace1 4\n\nTrace2 5\nvfs_write+0x1/0x2\n',
  );
  expect([census.total, census.attributed]).toEqual([9, 5]);
  expect(census.losses).toEqual([{ code: 'trace-without-frames', count: 4 }]);
  expect(diagnostics.examples[0]).toMatchObject({ line: 2, why: 'no frame follows' });
});

test('a frame behind the text of a trace belongs to none', async () => {
  const { census, diagnostics } = await checkBytes(
    'counted-traces',
    'Trace1 4\nvfs_write+0x1/0x2\n\nText about it.\nvfs_read+0x1/0x2\n',
  );
  expect(census.stacks.depth(census.rows.row(0).stack)).toBe(1);
  expect(diagnostics.examples[0]?.why).toBe('a frame after the end of its trace');
});
