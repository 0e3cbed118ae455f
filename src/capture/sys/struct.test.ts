import { expect, test } from 'vitest';
import { Struct } from './struct.ts';

const POINT = new Struct(32, { small: [0, 1], half: [2, 2], number: [4, 4], wide: [8, 8], name: [16, 8] });

test('writes and reads fields where they lie', () => {
  const bytes = POINT.pack({ small: 255, half: 0x1234, number: 0xffffffff, wide: 0x1122334455667788n, name: 'abc' });
  expect(bytes.toString('hex')).toBe(`ff003412ffffffff8877665544332211${'6162630000000000'}${'00'.repeat(8)}`);
  expect([POINT.get(bytes, 'small'), POINT.get(bytes, 'half'), POINT.get(bytes, 'number')]).toEqual([
    255, 0x1234, 0xffffffff,
  ]);
});

test('a name that is too long loses its end, not the zero after it', () => {
  expect(POINT.pack({ name: 'abcdefghij' }).toString('latin1', 16, 32)).toBe(`abcdefg${'\0'.repeat(9)}`);
});

test('refuses a number that does not fit', () => {
  expect(() => POINT.pack({ half: 0x10000 })).toThrow(RangeError);
});
