import { describe, expect, test } from 'vitest';
import { expectSame } from '../../test/support/check-census.ts';
import { readBytes } from '../../test/support/check-reader.ts';
import { DUMPS, PRINTERS, printed } from '../../test/support/kernel-log.ts';

const log = printed(
  DUMPS.map((text) => text.replace('db bench', 'größe 名')),
  PRINTERS.dmesg!,
);
const utf16 = Buffer.from(log, 'utf16le');

describe('a text says the same in', () => {
  test.each([
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${log}`)],
    ['UTF-16, little endian', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16])],
    ['UTF-16, big endian', Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()])],
    ['UTF-16 without a mark', utf16],
  ])('%s', async (_encoding, bytes) => {
    const expected = (await readBytes(log)).census;
    for (const size of [1, 7, 1 << 20])
      expectSame((await readBytes(bytes, {}, size)).census, expected, `pieces of ${size}`);
  });
});

test('folded stacks in UTF-16 are read', async () => {
  const { census } = await readBytes(Buffer.from('\ufeffalpha;do_syscall_64;vfs_read 3\n', 'utf16le'));
  expect(census.total).toBe(3);
});
