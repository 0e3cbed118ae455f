import { describe, expect, it } from 'vitest';
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

  it('gives the address where a process is gone', () => {
    expect(new UserSymbols().locate(4_194_305, 0x1234)).toEqual({ name: '0x1234', file: '', offset: -1 });
  });
});
