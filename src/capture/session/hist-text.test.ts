import { describe, expect, it } from 'vitest';
import { parseHist, parseMisses } from './hist-text.ts';

const TEXT = `# event histogram
#
# trigger info: hist:keys=stacktrace,common_pid.execname:vals=hitcount:sort=hitcount:size=8192 [active]
#

{ stacktrace:
         kprobe_ftrace_handler+0x10b/0x1b0
         0xffffffffc03160c8
         enqueue_task_fair+0x5/0x3d0
         kjournald2+0x26d/0x280 [jbd2]
, common_pid: kworker/0:1 x     [         9] } hitcount:          1
{ stacktrace:
         do_epoll_ctl+0x1/0xcb0
         __x64_sys_epoll_ctl+0x70/0xb0
, common_pid: epoll-adds      [       312] } hitcount:     200000

Totals:
    Hits: 200001
    Entries: 2
    Dropped: 17
`;

describe('parseHist', () => {
  it('reads stacks without what the probe put there, names of tasks, and totals', () => {
    const { entries, hits, dropped } = parseHist(TEXT);
    expect(entries.map(({ comm, pid, count }) => [comm, pid, count])).toEqual([
      ['kworker/0:1 x', 9, 1],
      ['epoll-adds', 312, 200_000],
    ]);
    expect(entries[0]?.frames).toEqual([
      { name: 'enqueue_task_fair', offset: 5, module: '' },
      { name: 'kjournald2', offset: 0x26d, module: 'jbd2' },
    ]);
    expect([hits, dropped]).toEqual([200_001, 17]);
  });

  it('keeps the bytes of names', () => {
    // a file read byte by byte: two letters of two bytes, and half of a third
    const [entry] = parseHist(
      '{ stacktrace:\n, common_pid: \xc3\xa4\xc3\xb6\xc3           [         7] } hitcount:   3\n',
    ).entries;
    expect(entry?.comm).toBe('äö\\xc3');
  });

  it('reads what kprobes missed', () => {
    const misses = parseMisses(
      `  whocalls_12_0_0                                        200000               3
  do_epoll_ctl                                              123456789012345               0
`,
    );
    expect([...misses]).toEqual([
      ['whocalls_12_0_0', 3],
      ['do_epoll_ctl', 0],
    ]);
  });

  it('reads an empty histogram', () => {
    expect(parseHist('# event histogram\n\nTotals:\n    Hits: 0\n    Entries: 0\n    Dropped: 0\n')).toEqual({
      entries: [],
      hits: 0,
      dropped: 0,
    });
  });
});
