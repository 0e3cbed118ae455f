import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bytesOf, fieldsOf } from '../../../test/fuzz/wire.ts';
import { expectSame } from '../../../test/support/check-census.ts';
import { readBytes } from '../../../test/support/check-reader.ts';
import { generator } from '../../../test/support/random.ts';
import { recording } from '../../../test/support/recordings.ts';
import { sniffProfile } from './fields.ts';
import { writePprof } from './write.ts';

/** Bytes of a field: its number and type, then a number or bytes behind their length (below 128). */
const number = (field: number, value: number) => [field << 3, value];
const bytes = (field: number, content: readonly number[]) => [(field << 3) | 2, content.length, ...content];
const text = (field: number, content: string) => bytes(field, [...Buffer.from(content)]);

const VALUE_TYPE = bytes(1, [...number(1, 1), ...number(2, 2)]);
const SAMPLE = bytes(2, [...bytes(1, [1, 2]), ...bytes(2, [5])]);
/** As writers before packed lists did. */
const UNPACKED_SAMPLE = bytes(2, [...number(1, 1), ...number(1, 2), ...number(2, 5)]);
const LOCATION = bytes(4, [...number(1, 1), ...bytes(4, [...number(1, 1)])]);

describe('a profile is known by its beginning', () => {
  test.each([
    ['a sample type', [...VALUE_TYPE, ...SAMPLE]],
    ['a sample', [...SAMPLE, ...VALUE_TYPE]],
    ['a sample with lists that are not packed', [...UNPACKED_SAMPLE, ...VALUE_TYPE]],
    ['a mapping', [...bytes(3, [...number(1, 1), ...number(5, 3)]), ...SAMPLE]],
    ['a location', [...LOCATION, ...SAMPLE]],
    ['a function', [...bytes(5, [...number(1, 1), ...number(2, 4)]), ...SAMPLE]],
    ['strings', [...text(6, ''), ...text(6, 'vfs_write'), ...VALUE_TYPE, ...SAMPLE]],
    ['a time', [0x48, 0xd6, 0xdd, 0xe5, 0x92, 0x85, 0x8c, 0xbf, 0xaa, 0x15, ...VALUE_TYPE, ...SAMPLE]],
    ['a period', [...number(12, 10), ...bytes(11, [...number(1, 1)]), ...SAMPLE]],
    ['a comment', [...number(13, 7), ...VALUE_TYPE, ...SAMPLE]],
    ['comments in one list', [...bytes(13, [7, 8]), ...VALUE_TYPE, ...SAMPLE]],
  ])('%s', (_what, content) => {
    expect(sniffProfile(Buffer.from(content), true)).toBe('yes');
  });

  test('which may be longer than what there is of it', () => {
    const strings = Array.from({ length: 40 }, () => text(6, 'x'.repeat(100))).flat();
    const whole = Buffer.from([...strings, ...VALUE_TYPE, ...SAMPLE]);
    expect(sniffProfile(whole.subarray(0, 4000), false)).toBe('more');
    expect(sniffProfile(whole, false)).toBe('yes');
    expect(sniffProfile(Buffer.from([...VALUE_TYPE, ...SAMPLE.slice(0, 4)]), false)).toBe('more');
  });

  test.each([
    ['an empty file', []],
    ['zeros', [0, 0, 0, 0]],
    ['strings only', [...text(6, 'a'), ...text(6, 'b')]],
    ['messages of others in field 1', bytes(1, [...number(1, 1), ...bytes(2, [...number(1, 1)])])],
    ['a number where a message must be', [...number(2, 4), ...VALUE_TYPE]],
    ['a message that is longer than the one around it', bytes(2, [0x1a, 20, 8, 1])],
    ['a field that no profile has', [...VALUE_TYPE, ...SAMPLE, 0x82, 0x01, 0]],
  ])('%s: no profile', (_what, content) => {
    expect(sniffProfile(Buffer.from(content), true)).toBe('no');
  });

  test.each([
    '\n\n[    1.000000] Call Trace:\n',
    '2 a;b;c\n* x\n',
    '"a","b"\n',
    'Hello\n',
    'Zzzz\nx 1\n',
    'jjjj 12\n',
  ])('the text %j is none', (content) => {
    expect(sniffProfile(Buffer.from(content), true)).toBe('no');
    expect(sniffProfile(Buffer.from(content.repeat(200)), false)).not.toBe('yes');
  });
});

test('a profile with its fields in any order is the same profile', async () => {
  const { census } = await readBytes(readFileSync(recording('stackcount-folded.txt.gz')));
  const profile = gunzipSync(await writePprof(census));
  const fields = (fieldsOf(profile, 0) ?? []).map((field) => bytesOf([field]));
  expect(fields.length).toBeGreaterThan(100);
  const random = generator(7);
  for (let round = 0; round < 5; round++) {
    // The order of strings is their numbering; all else may go anywhere.
    const isString = (field: Buffer) => field[0] === 0x32;
    const strings = fields.filter(isString);
    const others = fields.filter((field) => !isString(field));
    const places = new Map([...others, ...strings].map((field) => [field, random()]));
    const inOrder = strings.map((field) => places.get(field) ?? 0).sort();
    for (const [i, field] of strings.entries()) places.set(field, inOrder[i] ?? 0);
    const shuffled = [...others, ...strings].sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
    const read = await readBytes(Buffer.concat(shuffled));
    expect(read.format).toBe('pprof');
    expectSame(read.census, census, `order ${round}`);
  }
});
