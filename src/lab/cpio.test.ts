import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CpioEntry, cpioArchive, REGULAR } from './cpio.ts';

describe('cpioArchive', () => {
  it('writes the header that the kernel documents', () => {
    const archive = cpioArchive([{ path: 'a/b', mode: REGULAR, content: Buffer.from('12345') }]);
    const header = [
      '070701',
      ...['00000001', '000081A4', '00000000', '00000000', '00000001', '00000000', '00000005'],
      ...['00000000', '00000000', '00000000', '00000000', '00000004', '00000000'],
    ].join('');
    expect(archive.toString('latin1', 0, 110)).toBe(header);
    expect(archive.toString('latin1', 110, 124)).toBe('a/b\0\0\x0012345\0\0\0');
    expect(archive.length % 512).toBe(0);
  });

  it('loses nothing, whatever is in it', () => {
    const entry = fc.record({
      path: fc.string({ minLength: 1 }).map((name) => `f${name.replaceAll('\0', '_')}`),
      mode: fc.constant(REGULAR),
      content: fc.uint8Array({ maxLength: 600 }),
    });
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const read = unpack(cpioArchive(entries));
        expect(read).toEqual(entries.map(({ path, mode, content }) => ({ path, mode, content: Buffer.from(content) })));
      }),
    );
  });
});

/** Reads an archive back as the kernel does: every name and every content starts at a multiple of four bytes. */
function unpack(archive: Buffer): CpioEntry[] {
  const entries: CpioEntry[] = [];
  let at = 0;
  for (;;) {
    const field = (index: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const path = archive.toString('utf8', at + 110, at + 110 + nameSize - 1);
    if (path === 'TRAILER!!!') return entries;
    const start = (at + 110 + nameSize + 3) & ~3;
    entries.push({ path, mode, content: Buffer.from(archive.subarray(start, start + size)) });
    at = (start + size + 3) & ~3;
  }
}
