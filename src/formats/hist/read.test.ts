import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { checkBytes, groupCounts, readBytes } from '../../../test/support/check-reader.ts';
import { recording } from '../../../test/support/recordings.ts';
import type { Census } from '../../census/census.ts';

const REAL = gunzipSync(readFileSync(recording('hist.txt.gz'))).toString('latin1');

/** A histogram as the kernel prints it: what stands in the braces and behind them, and its totals. */
function histogram(trigger: string, entries: string, hits: number, dropped = 0): string {
  const head = `# event histogram\n#\n# trigger info: hist:${trigger} [active]\n#\n\n`;
  return `${head}${entries}\nTotals:\n    Hits: ${hits}\n    Entries: 2\n    Dropped: ${dropped}\n`;
}

const KMALLOC = `         __kmalloc+0x11b/0x1b0
         seq_buf_alloc+0x1b/0x50
         vfs_read+0x37/0x140
         ksys_read+0x4f/0xb0
         do_syscall_64+0x6a/0x70
`;
const OPEN = `         __kmalloc+0x11b/0x1b0
         load_elf_phdrs+0x76/0xa0
         load_elf_binary+0x102/0x1650 [binfmt_x]
`;

function sums(census: Census): [string, number][] {
  return census.measures.map(({ name }, measure) => {
    let sum = 0;
    for (let row = 0; row < census.rows.size; row++) sum += census.rows.sum(row, measure);
    return [name, sum];
  });
}

test('sums are measures, never calls', async () => {
  const entries = `{ stacktrace:\n${KMALLOC}} hitcount:          3  bytes_req:        120  bytes_alloc:        192\n{ stacktrace:\n${OPEN}} hitcount:          2  bytes_req:         80  bytes_alloc:        128\n`;
  const text = histogram('keys=stacktrace:vals=hitcount,bytes_req,bytes_alloc:sort=bytes_alloc:size=2048', entries, 5);
  const { census, diagnostics } = await checkBytes('hist', text);
  expect([census.total, census.attributed]).toEqual([5, 5]);
  expect(census.measures[0]).toEqual({ name: 'bytes_req', unit: 'bytes', of: 'histogram' });
  expect(sums(census)).toEqual([
    ['bytes_req', 200],
    ['bytes_alloc', 320],
  ]);
  expect(census.targets).toEqual(['__kmalloc']);
  expect(groupCounts(census)).toEqual([
    ['seq_buf_alloc', 3],
    ['load_elf_phdrs', 2],
  ]);
  expect(diagnostics.skippedLines).toBe(0);
});

test('sums in hexadecimal, as percentages and as bars', async () => {
  const entries = `{ common_stacktrace:\n${KMALLOC}} hitcount:          3  hitcount (%):  60.00  bytes_req:         ff  len: ####################\n`;
  const text = histogram(
    'keys=common_stacktrace:vals=hitcount,hitcount.percent,bytes_req.hex,len.graph:sort=hitcount',
    entries,
    3,
  );
  const { census, diagnostics } = await readBytes(text);
  expect(sums(census)).toEqual([['bytes_req', 255]]);
  expect(diagnostics.examples).toEqual([]);
});

describe('keys beside the stack', () => {
  test.each([
    [
      'before it',
      `{ common_pid: kworker/0:1 x   [         9], cpu: 1, common_stacktrace:\n${KMALLOC}} hitcount:          3\n`,
    ],
    [
      'behind it',
      `{ stacktrace:\n${KMALLOC}, common_pid: kworker/0:1 x   [         9], cpu: 1 } hitcount:          3\n`,
    ],
  ])('%s', async (_where, entries) => {
    const { census } = await checkBytes(
      'hist',
      histogram('keys=stacktrace,common_pid.execname,cpu:vals=hitcount', entries, 3),
    );
    expect(groupCounts(census, 'comm')).toEqual([['kworker/0:1 x', 3]]);
    expect(groupCounts(census, 'pid')).toEqual([['9', 3]]);
    expect(groupCounts(census, 'argument')).toEqual([['cpu 1', 3]]);
  });

  test('the CPU, a pid without a name', async () => {
    const entries = `{ common_cpu:          1, common_pid:       1234, stacktrace:\n${KMALLOC}} hitcount:          3\n`;
    const { census } = await readBytes(histogram('keys=common_cpu,common_pid,stacktrace:vals=hitcount', entries, 3));
    expect(groupCounts(census, 'cpu')).toEqual([['1', 3]]);
    expect(groupCounts(census, 'pid')).toEqual([['1234', 3]]);
    expect(groupCounts(census, 'comm')).toEqual([['(not recorded)', 3]]);
  });

  test('the stack of a synthetic event begins on the line of its keys', async () => {
    const entries = `  { delta: ~ 0-99, stack.stacktrace         __schedule+0xa19/0x1520\n         schedule+0x6b/0x110\n         io_schedule+0x46/0x80\n  } hitcount:          1\n`;
    const { census, diagnostics } = await readBytes(
      histogram('keys=delta.buckets=100,stack.stacktrace:vals=hitcount', entries, 1),
    );
    const { stacks, symbols } = census;
    const names = stacks.frames(census.rows.row(0).stack).map(({ symbol }) => symbols.name(symbol));
    expect(names).toEqual(['__schedule', 'schedule', 'io_schedule']);
    expect(groupCounts(census, 'argument')).toEqual([['delta ~ 0-99', 1]]);
    expect(diagnostics.examples).toEqual([]);
  });
});

describe('what is missing', () => {
  test('dropped hits, and hits in no entry', async () => {
    const text = histogram(
      'keys=stacktrace:vals=hitcount:size=128',
      `{ stacktrace:\n${KMALLOC}} hitcount:          3\n`,
      10,
      7,
    );
    const { census } = await checkBytes('hist', text);
    expect([census.total, census.attributed]).toEqual([17, 3]);
    expect(census.losses).toEqual([
      { code: 'hist-full', size: 128, count: 7 },
      { code: 'hist-without-stack', count: 7 },
    ]);
  });

  test('a histogram cut off in an entry', async () => {
    const { census, diagnostics } = await readBytes(REAL.slice(0, REAL.lastIndexOf('do_idle')));
    expect(census.total).toBe(763 - 157);
    expect(diagnostics.examples.map(({ why }) => why)).toEqual(['not a line of a histogram', 'the entry has no end']);
  });

  test('the head and the totals: a part of one', async () => {
    const { census } = await checkBytes('hist', `{ stacktrace:\n${KMALLOC}} hitcount:          3\n`.repeat(2));
    expect([census.total, census.attributed]).toEqual([6, 6]);
  });

  test('a line in the middle of a stack', async () => {
    const text = histogram(
      'keys=stacktrace:vals=hitcount',
      `{ stacktrace:\n${KMALLOC}garbage\n${OPEN}} hitcount:          3\n`,
      3,
    );
    const { census, diagnostics } = await readBytes(text);
    expect(census.total).toBe(3);
    expect(diagnostics.examples).toMatchObject([{ line: 12, why: 'not a line of a histogram' }]);
  });

  test('fewer hits than the entries have', async () => {
    const text = histogram('keys=stacktrace:vals=hitcount', `{ stacktrace:\n${KMALLOC}} hitcount:          3\n`, 2);
    const { census } = await readBytes(text);
    expect(census.facts.notes).toContainEqual({ code: 'total-ignored', stated: 2, counted: 3 });
  });
});

describe('several histograms', () => {
  const one = (name: string, stack: string) =>
    histogram(
      `${name}keys=stacktrace:vals=hitcount`,
      `{ stacktrace:\n${stack.replace(/__kmalloc\+0x11b/, `${name.replace(/\W/g, '') || 'f'}+0x5`)}} hitcount:          3\n`,
      3,
    );

  test('of probes have a target each', async () => {
    const { census } = await checkBytes('hist', `${one('', KMALLOC)}\n\n${one('name=g:', OPEN)}`);
    expect(census.total).toBe(6);
    expect(census.targets).toEqual(['f', 'nameg']);
    expect(census.facts.notes).toContainEqual({ code: 'several-histograms', histograms: 2 });
  });

  test('of one name are one', async () => {
    const { census } = await readBytes(`${one('name=g:', KMALLOC)}\n\n${one('name=g:', KMALLOC)}`);
    expect(census.total).toBe(3);
    expect(census.facts.notes).toEqual([{ code: 'histogram-shown-again', name: 'g' }]);
  });
});

describe('histograms without stacks', () => {
  test('are refused, with what to do', async () => {
    const text = histogram(
      'keys=common_pid.execname:vals=hitcount',
      '{ common_pid: bash            [       140] } hitcount:          3\n',
      3,
    );
    await expect(readBytes(text)).rejects.toThrow(
      /none of its histograms has a stack among its keys; hist:keys=common_stacktrace/,
    );
  });

  test('with a caller as a key have a path of one frame', async () => {
    const entries = `{ call_site: [ffffffffa0549ecc] hidraw_send_report [hid]                      } hitcount:          7  bytes_req:        112\n`;
    const { census } = await checkBytes('hist', histogram('keys=call_site.sym:vals=hitcount,bytes_req', entries, 7));
    expect(census.total).toBe(7);
    expect(sums(census)).toEqual([['bytes_req', 112]]);
    expect(census.facts.notes).toEqual([{ code: 'caller-only', calls: 7 }]);
  });

  test('with percentages alone are refused', async () => {
    const text = histogram(
      'keys=stacktrace:vals=hitcount.percent:nohitcount',
      `{ stacktrace:\n${KMALLOC}} hitcount (%):  60.00\n`,
      3,
    );
    await expect(readBytes(text)).rejects.toThrow(/percentages/);
  });
});
