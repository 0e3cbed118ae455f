import { describe, expect, it } from 'vitest';
import { Assembler, type BpfCode, R0, R1, R2, R3, R5, R6, R10 } from './asm.ts';

/** One instruction as the fields of `struct bpf_insn`. */
function decode({ bytes: code }: BpfCode): number[][] {
  const rows: number[][] = [];
  for (let at = 0; at < code.length; at += 8) {
    rows.push([code[at]!, code[at + 1]! & 15, code[at + 1]! >> 4, code.readInt16LE(at + 2), code.readInt32LE(at + 4)]);
  }
  return rows;
}

describe('BPF assembler', () => {
  // The codes are those that the kernel's macros in include/linux/filter.h give.
  it('encodes every kind of instruction', () => {
    const asm = new Assembler();
    asm.mov(R6, R1).mov(R2, -1).alu('add', R1, 8).alu('xor', R1, R5).alu32('and', R3, 15);
    asm.load(8, R1, R6, 112).load(4, R2, R10, -4).store(8, R10, -8, R1).store(4, R10, -12, 7).atomicAdd(R0, 0, R1);
    asm.call('get_stack').exit();
    expect(decode(asm.assemble())).toEqual([
      [0xbf, 6, 1, 0, 0],
      [0xb7, 2, 0, 0, -1],
      [0x07, 1, 0, 0, 8],
      [0xaf, 1, 5, 0, 0],
      [0x54, 3, 0, 0, 15],
      [0x79, 1, 6, 112, 0],
      [0x61, 2, 10, -4, 0],
      [0x7b, 10, 1, -8, 0],
      [0x62, 10, 0, -12, 7],
      [0xdb, 0, 1, 0, 0],
      [0x85, 0, 0, 0, 67],
      [0x95, 0, 0, 0, 0],
    ]);
  });

  it('splits 64-bit constants and marks map descriptors', () => {
    const code = decode(new Assembler().load64(R1, 0xb7e151628aed2a6bn).loadMap(R2, 5).assemble());
    expect(code).toEqual([
      [0x18, 1, 0, 0, 0x8aed2a6b | 0],
      [0, 0, 0, 0, 0xb7e15162 | 0],
      [0x18, 2, 1, 0, 5],
      [0, 0, 0, 0, 0],
    ]);
  });

  it('resolves jumps in both directions, counted from the next instruction', () => {
    const asm = new Assembler();
    asm.label('loop').alu('add', R3, 1).jumpIf(R3, '>=', 9, 'end').jump('loop').label('end').exit();
    expect(decode(asm.assemble()).map((fields) => fields[3])).toEqual([0, 1, -3, 0]);
  });

  it('refuses missing and repeated labels', () => {
    expect(() => new Assembler().jump('nowhere').assemble()).toThrow('no label nowhere');
    expect(() => new Assembler().label('a').label('a')).toThrow('label a stands twice');
  });
});
