import { describe, expect, it } from 'vitest';
import { ProcessMappings } from './process-mappings.ts';

const program = { start: 0x10000, end: 0x20000, offset: 0x1000, path: '/bin/program' };
const library = { start: 0x7f0000000000, end: 0x7f0000004000, offset: 0, path: '/lib/library.so' };

describe('mappings of processes', () => {
  it('finds what an address lies in, from its first byte to its last', () => {
    const mappings = new ProcessMappings();
    for (const mapping of [program, library]) mappings.add(7, mapping);
    expect([0x10000, 0x1ffff, 0x7f0000003fff].map((address) => mappings.find(7, address))).toEqual([
      program,
      program,
      library,
    ]);
    expect([0xffff, 0x20000].map((address) => mappings.find(7, address))).toEqual([undefined, undefined]);
    expect(mappings.find(8, 0x10000)).toBeUndefined();
  });

  it('takes the newest of several, also where the first comes back', () => {
    const mappings = new ProcessMappings();
    const over = { start: 0x18000, end: 0x30000, offset: 0, path: '/bin/other' };
    for (const mapping of [program, over]) mappings.add(7, mapping);
    expect(mappings.find(7, 0x18000)).toEqual(over);
    expect(mappings.find(7, 0x17fff)).toEqual(program);
    const again = { ...program, start: 0x18000, end: 0x28000 };
    mappings.add(7, again);
    mappings.add(7, again);
    expect(mappings.find(7, 0x18000)).toEqual(again);
    expect(mappings.find(7, 0x28000)).toEqual(over);
  });

  it('keeps those of many processes apart, each at addresses of its own', () => {
    const mappings = new ProcessMappings();
    const base = (pid: number) => 0x7f0000000000 + pid * 0x1000;
    for (let pid = 1; pid <= 2000; pid++) {
      for (const mapping of [program, library]) {
        mappings.add(pid, { ...mapping, start: base(pid) + mapping.offset, end: base(pid) + mapping.offset + 0x100 });
      }
    }
    const wrong = [];
    for (let pid = 1; pid <= 2000; pid++) {
      const places = [0, 0x1000].map((offset) => mappings.find(pid, base(pid) + offset + 0xff)?.path);
      if (places.join() !== '/lib/library.so,/bin/program') wrong.push(pid, places);
    }
    expect(wrong).toEqual([]);
  });
});
