import { readFileSync, realpathSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { elfProbes } from '../../image/elf.ts';
import { parseMaps, UserSymbols } from './user-symbols.ts';

describe('user symbols', () => {
  it('keeps executable mappings of files, with blanks in their names', () => {
    const text = `55d0c6a00000-55d0c6a02000 r--p 00000000 fe:01 12 /usr/bin/x
55d0c6a02000-55d0c6a21000 r-xp 00002000 fe:01 1234                       /usr/bin/my program
7ffd0a5f0000-7ffd0a611000 rw-p 00000000 00:00 0                          [stack]
7f0000000000-7f0000001000 r-xp 00000000 00:00 0 
`;
    expect(parseMaps(text)).toEqual([
      { start: 0x55d0c6a02000, end: 0x55d0c6a21000, offset: 0x2000, path: '/usr/bin/my program' },
    ]);
  });

  it('knows nothing of a process that is gone', () => {
    expect(new UserSymbols().locate(4_194_305, 0x1234)).toEqual({ name: '[unknown]', file: '', offset: -1 });
  });

  it('looks up what a process mapped while it lived, or had from the one that made it', () => {
    const symbols = new UserSymbols();
    const [parent, child] = [4_194_305, 4_194_306];
    symbols.mapped(parent, { start: 0x10000, end: 0x20000, offset: 0x3000, path: '/no/such/library.so' });
    symbols.mapped(parent, { start: 0x50000, end: 0x60000, offset: 0, path: '//anon' });
    symbols.forked(child, parent);
    const place = { name: '0x3100 in library.so', file: '/no/such/library.so', offset: -1 };
    expect(symbols.locate(child, 0x10100)).toEqual(place);
    // the byte behind a call that ends the mapping
    expect(symbols.locate(child, 0x20000).name).toBe('[unknown]');
    expect(symbols.locate(child, 0x20000, true).name).toBe('0x13000 in library.so');
    // another program in place of the first
    symbols.mapped(child, { start: 0x10000, end: 0x20000, offset: 0, path: '/no/such/program' });
    expect(symbols.locate(child, 0x10100).name).toBe('0x100 in program');
  });

  it('names functions of this very process', () => {
    const symbols = new UserSymbols();
    const text = readFileSync('/proc/self/maps', 'latin1');
    const [mapping] = parseMaps(text).filter(({ path }) => path === realpathSync(process.execPath));
    const { functions } = elfProbes(process.execPath);
    const known = functions.find(
      ({ offsets: [offset = 0n] }) =>
        mapping && Number(offset) >= mapping.offset && Number(offset) < mapping.offset + mapping.end - mapping.start,
    );
    const address = mapping!.start + Number(known!.offsets[0]) - mapping!.offset;
    const { file, offset } = symbols.locate(process.pid, address);
    expect([file, offset]).toEqual([mapping!.path, 0]);
  });
});
