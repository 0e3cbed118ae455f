import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { elfSections } from './kernel-elf.ts';
import { findSharedLibrary } from './shared-library.ts';
import { BRANCH, stepX86, type X86Instruction } from './x86-length.ts';

function lengthOf(...bytes: number[]): number {
  return stepX86(Uint8Array.from(bytes), 0, bytes.length, { branch: 0, displacement: 0, field: 0 });
}

describe('stepX86', () => {
  it.each([
    ['push %rbp', [0x55], 1],
    ['mov %rsp,%rbp', [0x48, 0x89, 0xe5], 3],
    ['movabs $…,%rax', [0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8], 10],
    ['mov $1,%ax', [0x66, 0xb8, 1, 0], 4],
    ['testb $1,4(%rdi)', [0xf6, 0x47, 4, 1], 4],
    ['not %eax', [0xf7, 0xd0], 2],
    ['mov (%rip),%rax', [0x48, 0x8b, 0x05, 0, 0, 0, 0], 7],
    ['mov 0x0(,%rax,8),%rax', [0x48, 0x8b, 0x04, 0xc5, 0, 0, 0, 0], 8],
    ['nopw %cs:0(%rax,%rax,1)', [0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0], 10],
    ['lock cmpxchg %edx,(%rdi)', [0xf0, 0x0f, 0xb1, 0x17], 4],
    ['pshufb', [0x66, 0x0f, 0x38, 0x00, 0xc1], 5],
    ['palignr $8', [0x66, 0x0f, 0x3a, 0x0f, 0xc1, 8], 6],
    ['vpaddd (VEX of 2 bytes)', [0xc5, 0xf5, 0xfe, 0xc2], 4],
    ['vperm2i128 $1 (VEX of 3 bytes)', [0xc4, 0xe3, 0x75, 0x46, 0xc2, 1], 6],
    ['vpxorq (EVEX)', [0x62, 0xf1, 0xed, 0x40, 0xef, 0xd2], 6],
    ['enter $16,$0', [0xc8, 16, 0, 0], 4],
    ['ret', [0xc3], 1],
  ] as const)('%s', (_, bytes, length) => {
    expect(lengthOf(...bytes)).toBe(length);
    // Cut off it is no instruction, and nothing is read beyond the end.
    for (let end = 0; end < length; end++) {
      expect(stepX86(Uint8Array.from(bytes), 0, end, { branch: 0, displacement: 0, field: 0 })).toBe(0);
    }
  });

  it.each([
    ['call', [0xe8, 0xfb, 0xff, 0xff, 0xff], BRANCH.call, -5],
    ['jmp of 32 bits', [0xe9, 0x10, 0, 0, 0], BRANCH.jump, 16],
    ['jmp of 8 bits', [0xeb, 0xfe], BRANCH.jump, -2],
    ['je of 32 bits', [0x0f, 0x84, 1, 0, 0, 0], BRANCH.conditional, 1],
    ['jne of 8 bits', [0x75, 0x7f], BRANCH.conditional, 127],
    ['cs call', [0x2e, 0xe8, 1, 0, 0, 0], BRANCH.call, 1],
    ['lea 8(%rip),%rdi', [0x48, 0x8d, 0x3d, 8, 0, 0, 0], BRANCH.address, 8],
  ] as const)('tells where %s goes', (_, bytes, branch, displacement) => {
    const found: X86Instruction = { branch: 0, displacement: 0, field: 0 };
    expect(stepX86(Uint8Array.from(bytes), 0, bytes.length, found)).toBe(bytes.length);
    expect(found).toMatchObject({ branch, displacement });
  });

  const libc = process.arch === 'x64' ? findSharedLibrary('c') : undefined;
  const hasObjdump = libc !== undefined && existsSync('/usr/bin/objdump');
  it.skipIf(!hasObjdump)('walks the C library as objdump does (needs binutils)', () => {
    const text = elfSections(readFileSync(String(libc)), 'libc').find(({ name }) => name === '.text');
    if (!text) throw new Error('no .text');
    // Where its string functions are, with every vector instruction there is.
    const [start, end] = [text.address, text.address + Math.min(text.size, 1_500_000)];
    const { stdout } = spawnSync(
      'objdump',
      ['-d', '-w', '--no-show-raw-insn', `--start-address=${start}`, `--stop-address=${end}`, String(libc)],
      { encoding: 'latin1', maxBuffer: 1 << 28 },
    );
    const expected = new Set(
      [...stdout.matchAll(/^\s+([0-9a-f]+):\t(?!.*\(bad\))/gm)].map(([, at = '']) => Number.parseInt(at, 16)),
    );
    expect(expected.size).toBeGreaterThan(100_000);
    const found: X86Instruction = { branch: 0, displacement: 0, field: 0 };
    let wrong = 0;
    for (const at of expected) {
      const length = stepX86(text.bytes, at - text.address, text.bytes.length, found);
      if (at + length < end && !expected.has(at + length)) wrong++;
    }
    expect(wrong).toBe(0);
  });
});
