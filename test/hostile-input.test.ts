import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Line, Location, Profile, Function as ProfiledFunction, Sample, StringTable, ValueType } from 'pprof-format';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FormatReader } from '../src/formats/reader.ts';
import { READERS } from '../src/formats/registry.ts';
import { readInputs } from '../src/report/read-inputs.ts';
import { readBytes } from './support/check-reader.ts';

// Small files that ask for much: time that grows with the square of a line, memory that the file does not need.
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'whocalls-hostile-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const TRACE = '[ 1.0] Call Trace:\n[ 1.0]  f+0x1/0x2\n[ 1.0]  g+0x1/0x2\n';

describe('time grows with the length of the input only', () => {
  // Each took minutes: expressions that begin anew at every place. A test that waits for them fails by its own limit.
  const LARGE = 1_000_000;
  test.each([
    ['line ends', '\n'.repeat(LARGE), /no known format/],
    ['line ends of DOS', '\r\n'.repeat(LARGE / 2), /no known format/],
    ['colons', 'a: '.repeat(LARGE / 3), /no known format/],
    ['numbers and colons', 'pid: 1 '.repeat(LARGE / 7), /no known format/],
    ['blanks', `a${' '.repeat(LARGE)}b`, /no known format/],
    ['semicolons', `a${';'.repeat(LARGE)} x\n`, /no known format/],
  ])('%s', async (name, content, refusal) => {
    await expect(readInputs([file(name, content)])).rejects.toThrow(refusal);
  });

  test('a log behind many blank lines', async () => {
    const { census } = await readInputs([file('late', '\n'.repeat(50_000) + TRACE)]);
    expect(census.total).toBe(1);
  });

  test('one stack with very many frames', async () => {
    const frames = Array.from({ length: 30_000 }, (_, i) => `f${i}`);
    const { census } = await readInputs([file('deep', `${frames.join(';')} 7\n`)]);
    expect(census.total).toBe(7);
  });
});

describe('every reader takes a megabyte of anything in about the time of an ordinary one', () => {
  const MEGABYTE = 1_000_000;
  const filled = (piece: string, before = '', after = '') => before + piece.repeat(MEGABYTE / piece.length) + after;
  /** Pieces that expressions of some reader begin with, take in two ways, or look for the end of. */
  const SHAPES: readonly string[] = [
    ...[
      '\n',
      '\r',
      ' ',
      '\t',
      '\u2028',
      '1',
      'a',
      '_',
      '(',
      '[',
      '<',
      '"',
      'a: ',
      '1.000000: ',
      'pid: 1 ',
      'a=1 ',
      ',1',
    ],
    ...['+0x1', '=> ', '- ', '# ', '? ', 'ffffffff81 ', ' f+0x1/0x2', '[ 1.0] ', 'RIP: ', 'Call Trace: ', 'Trace1 '],
  ].map((piece) => filled(piece));
  const MORE = [
    filled(' ', 'a', 'b'),
    filled(';', 'a', ' x'),
    filled(' ', 'Trace1'),
    filled('}', '{ '),
    filled(', ', '@['),
    filled('A', '<', ';b_[k] 1'),
    filled(' ', '[ 1.0] Allocated'),
    filled(' of by ', 'Sampling at '),
    filled(',caller=T1', '6,1,1'),
    filled('S', 'task:x state:'),
    filled('"a":1,', '{'),
  ];

  async function seconds(text: string, reader: FormatReader): Promise<number> {
    const start = process.cpuUsage();
    await readBytes(text, { reader }).catch(() => null);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  }

  test.each(READERS.map((reader) => [reader.name, reader] as const))('%s', async (_, reader) => {
    const ordinary = Math.max(
      await seconds(filled('a: 1 b;c_[k] [ 1.0] vfs_write+0x1/0x2 (x)\n'), reader),
      await seconds(filled('[ 1.0] Call Trace:\n'), reader),
      0.05,
    );
    for (const text of [...SHAPES, ...MORE]) {
      // The same in lines as long as readers take, and in one.
      for (const shape of [text, text.replace(/.{3000}/gs, '$&\n')]) {
        const ratio = (await seconds(shape, reader)) / ordinary;
        expect(ratio, `${reader.name}: ${JSON.stringify(shape.slice(0, 40))}`).toBeLessThan(60);
      }
    }
  });
});

describe('memory does not grow with what a file claims', () => {
  test('a window of zstd that nothing needs is refused', async () => {
    // A frame without a size: exponent 20, so 1 GiB; one raw block with a folded stack.
    const text = Buffer.from('a;b 1\n');
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, (text.length << 3) | 1, 0, 0, ...text]);
    await expect(readInputs([file('window.zst', frame)])).rejects.toThrow(/a window of more than 128 MiB.*zstd -d/);
    const small = Buffer.from(frame);
    small[5] = 5 << 3;
    expect((await readInputs([file('small.zst', small)])).census.total).toBe(1);
  });

  test('a stack of millions of frames in a small profile is lost, and said to be', async () => {
    const strings = new StringTable();
    const line = new Line({ functionId: 1, line: 1 });
    const profile = new Profile({
      stringTable: strings,
      sampleType: [new ValueType({ type: strings.dedup('calls'), unit: strings.dedup('count') })],
      function: [new ProfiledFunction({ id: 1, name: strings.dedup('f') })],
      location: [
        new Location({ id: 1, line: Array.from({ length: 3000 }, () => line) }),
        new Location({ id: 2, line: [line] }),
      ],
      sample: [
        new Sample({ locationId: Array.from({ length: 3000 }, () => 1), value: [5] }),
        new Sample({ locationId: [2], value: [2] }),
      ],
    });
    const { census } = await readInputs([file('deep.pb', profile.encode())]);
    expect([census.total, census.attributed]).toEqual([7, 2]);
    expect(census.losses).toEqual([{ code: 'stack-too-deep', frames: 65536, count: 5 }]);
  });
});

describe('sums are exact or refused', () => {
  test('within a file', async () => {
    const path = file('large.folded', 'a;b 9007199254740991\na;c 3\n');
    await expect(readInputs([path])).rejects.toThrow(/more than 2\^53 calls/);
  });

  test('over files: what was read before counts', async () => {
    const paths = [file('one.folded', 'a;b 9007199254740991\n'), file('two.folded', 'a;c 3\n')];
    const { census, unreadable } = await readInputs(paths);
    expect(census.total).toBe(Number.MAX_SAFE_INTEGER);
    expect(unreadable.map(({ why }) => why).join()).toMatch(/two\.folded.*2\^53/);
  });
});
