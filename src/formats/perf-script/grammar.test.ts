import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isBesideFrames, parseFrame, parseHeader, parseInlineFrame, parseRecord } from './grammar.ts';

/** The rows of the table in grammar.ts whose first column has this head. */
function table(head: string): string[][] {
  const lines = readFileSync(fileURLToPath(new URL('grammar.ts', import.meta.url)), 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith(`// | ${head} `)) + 2;
  const length = lines.slice(start).findIndex((line) => !line.startsWith('// |'));
  return lines.slice(start, start + length).map((line) =>
    line
      .slice(5, -1)
      .split(' |')
      .map((cell) => cell.trim()),
  );
}

/** The line that a cell shows: `→··ee137·main`. */
function shown(cell: string | undefined): string {
  return (cell ?? '').replaceAll('`', '').replaceAll('·', ' ').replaceAll('→', '\t');
}

const HEADERS = table('header');
const FRAMES = table('frame');

test('the tables are found', () => {
  expect([HEADERS.length, FRAMES.length]).toEqual([24, 15]);
});

describe('a header', () => {
  test.each(HEADERS)('%s', (cell, comm, pid, cpu, period, event) => {
    const header = parseHeader(shown(cell), true);
    expect({ ...header?.task, period: header?.event.period, event: header?.event.name }).toEqual({
      comm,
      pid: Number(pid || -1),
      cpu: Number(cpu || -1),
      period: Number(period || -1),
      event,
    });
  });

  // What is taken from the end of a line must not depend on the stack below, or a sample without one is another's.
  test.each(HEADERS.filter(([, , pid, , , event]) => pid !== '' && event !== ''))('%s, no stack below', (cell) => {
    expect(parseHeader(shown(cell), false)).toEqual(parseHeader(shown(cell), true));
  });

  test.each([
    ['prose', 'The event that follows: nothing'],
    ['a frame', '\tffffffff8e7ea5b0 rb_insert_color+0x10 ([kernel.kallsyms])'],
    ['a heading', 'Chapter one:'],
    ['a number', '17'],
    ['nothing', ''],
  ])('%s is none', (_what, line) => {
    expect(parseHeader(line, false)).toBeNull();
  });

  test('a time in the name of a process is not the time of the event', () => {
    const header = parseHeader('t 1.250000: x  77 [001]     5.000001:          2 page-faults: ', true);
    expect(header).toMatchObject({ task: { comm: 't 1.250000: x', pid: 77, cpu: 1 }, event: { period: 2 } });
  });

  test('a number too large for a pid is none', () => {
    expect(parseHeader('a 99999999999 [000] 1.000000: cycles:', true)?.task).toEqual({ comm: 'a', pid: -1, cpu: 0 });
  });
});

describe('a frame', () => {
  test.each(FRAMES)('%s', (cell, symbol, offset, place) => {
    const frame = parseFrame(shown(cell));
    expect([frame?.raw, frame?.offset]).toEqual([symbol, Number(offset || -1)]);
    expect(`${frame?.space} ${frame?.module}`.trim()).toBe(place);
  });

  test.each([
    ['a header', 'dead 12 cycles: '],
    ['a header of a process named like an address', 'deadbeef 12 cycles: '],
    ["ftrace's", ' => vfs_write'],
    ["trace-cmd's", '\t=> vfs_write (ffffffff8e1617b5)'],
    ['a symbol of System.map', 'ffffffff81000000 T _text'],
    ['prose', '\tsome words of prose'],
    ['the number of a process', '  196'],
    ['a process and its CPU', '    196 [000]'],
    ['a process and a thread', '  196/197'],
    ['a process and a period', '  196          3'],
  ])('%s is none', (_what, line) => {
    expect(parseFrame(line)).toBeNull();
  });
});

test.each([
  ['  ffffffff8e7ea5b0 rb_insert_color+0x0 ([kernel.kallsyms])', 'rb_insert_color'],
  ['             dd0 _start (/usr/lib64/ld-2.25.so)', '_start'],
])('the one frame behind an event: %s', (rest, symbol) => {
  expect(parseInlineFrame(rest)?.raw).toBe(symbol);
});

test.each([' prev_comm=a prev_pid=1', ' 12 bytes (x)', ' '])("a tracepoint's own format is no frame: '%s'", (rest) => {
  expect(parseInlineFrame(rest)).toBeNull();
});

test.each([
  '  fair.c:500',
  '  ??:0',
  '  [kernel.kallsyms][ffffffff8e7ea5b0]',
  '  libc.so.6[2a1e0]',
  ' ABI:2    AX:0x0    BX:0x1',
  ' ilen: 3 insn: 48 89 e5',
  ' 0x401b97/0x401b94/P/-/-/0  0x401b90/0x401b80/M/-/-/0',
  ' main+0x1/main+0x4/P/-/-/0',
])('beside frames stands %s', (line) => {
  expect([isBesideFrames(line), parseFrame(line)]).toEqual([true, null]);
});

test.each([
  ['PERF_RECORD_LOST lost 12', 12],
  ['perf  1 [000] 1.000000: PERF_RECORD_LOST_SAMPLES lost 3', 3],
  ['PERF_RECORD_LOST', 1],
  ['PERF_RECORD_COMM: db_bench:196/196', 0],
  ['PERF_RECORD_MMAP2 196/196: [0x5581(0x1000) @ 0 fe:00 1 1]: r-xp /bin/x', 0],
])('the record %s', (line, lost) => {
  expect(parseRecord(line)).toEqual({ lost });
});
