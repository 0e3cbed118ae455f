import { describe, expect, it } from 'vitest';
import { Btf } from './btf.ts';

/** `[name, kind, members, size or type, …what follows]` for each type. */
type Row = [name: string, kind: number, members: number, type: number, ...extra: number[]];

function btf(rows: Row[], stringsBefore = 0): Buffer {
  let strings = '\0';
  const types = rows.flatMap(([name, kind, members, type, ...extra]) => {
    const offset = name === '' ? 0 : stringsBefore + strings.length;
    if (name !== '') strings += `${name}\0`;
    return [offset, (kind << 24) | members, type, ...extra];
  });
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  const words = [24, 0, types.length * 4, types.length * 4, strings.length];
  for (const [i, word] of words.entries()) header.writeUInt32LE(word, 4 + 4 * i);
  return Buffer.concat([header, Buffer.from(Uint32Array.from(types).buffer), Buffer.from(strings)]);
}

// A struct and an int first, whose members and bits have to be stepped over.
const IMAGE: Row[] = [
  ['task', 4, 2, 16, 1, 2, 3, 4, 5, 6],
  ['int', 1, 0, 4, 32],
  ['', 13, 3, 0, 0, 2, 0, 2, 0, 2],
  ['', 2, 0, 3],
  ['btf_trace_switch', 8, 0, 4],
  ['btf_trace_data', 8, 0, 2],
  ['vfs_write', 12, 1, 3],
];

describe('types of the kernel', () => {
  const image = new Btf(btf(IMAGE));

  it('tell how many arguments functions have', () => {
    expect(image.argumentsOf('btf_trace_switch')).toBe(3);
    expect(image.argumentsOf('btf_trace_data')).toBeNull();
    expect(image.argumentsOf('btf_trace_none')).toBeNull();
    expect(image.argumentsOf('trace_switch')).toBeNull();
    expect(image.argumentsOfFunction('vfs_write')).toBe(3);
    expect(image.argumentsOfFunction('btf_trace_switch')).toBeNull();
  });

  it('of modules go on where those of the image end', () => {
    const strings = ['task', 'int', 'btf_trace_switch', 'btf_trace_data', 'vfs_write'].reduce(
      (sum, name) => sum + name.length + 1,
      1,
    );
    const rows: Row[] = [
      ['', 13, 2, 0, 0, 2, 0, 2],
      ['', 2, 0, 8],
      ['btf_trace_write', 8, 0, 9],
      ['like_vfs_write', 12, 0, 3],
      ['own', 12, 0, 8],
    ];
    const module = new Btf(btf(rows, strings), image);
    expect(module.argumentsOf('btf_trace_write')).toBe(2);
    expect([module.argumentsOfFunction('like_vfs_write'), module.argumentsOfFunction('own')]).toEqual([3, 2]);
  });

  it('cut off are refused', () => {
    const bytes = btf(IMAGE);
    for (let length = 0; length < 24; length++) expect(() => new Btf(bytes.subarray(0, length))).toThrow(RangeError);
    expect(() => new Btf(Buffer.alloc(64))).toThrow('no BTF');
  });
});
