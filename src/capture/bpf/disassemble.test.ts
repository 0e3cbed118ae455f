import { describe, expect, it } from 'vitest';
import { Assembler, R0, R1, R2, R3, R6, R7, R10 } from './asm.ts';
import { assembleCountProgram } from './count-program.ts';
import { disassemble } from './disassemble.ts';
import { keyLayout } from './key-layout.ts';

const MAPS = { enabled: 12, uncounted: 13, counts: 5, stacks: 6, drops: 7, scratch: 8 };
const NAMES = new Map(Object.entries(MAPS).map(([name, descriptor]) => [descriptor, name]));

describe('disassembling', () => {
  it('shows every kind of instruction', () => {
    const asm = new Assembler();
    asm.mov(R6, R1).mov(R2, -1).alu('arsh', R1, R2).alu32('and', R3, 15);
    asm.load(1, R1, R6, 112).store(8, R10, -8, R1).store(2, R10, -12, 7).atomicAdd(R0, 0, R1);
    asm.atomicExchange(R7, 8, R1).load64(R1, 0xb7e151628aed2a6bn).loadMap(R2, 5).loadMapValue(R1, 12).loadMap(R1, 99);
    asm.call('get_stack').label('again').jumpIf(R1, 's<=', R2, 'again').jumpIf32(R0, '==', -17, 'end').jump('again');
    asm.label('end').label('exit').exit();
    expect(disassemble(asm.assemble(), NAMES)).toMatchInlineSnapshot(`
      "   0: r6 = r1
         1: r2 = -1
         2: r1 s>>= r2
         3: w3 &= 15
         4: r1 = *(u8 *)(r6 +112)
         5: *(u64 *)(r10 -8) = r1
         6: *(u16 *)(r10 -12) = 7
         7: lock *(u64 *)(r0 +0) += r1
         8: r1 = xchg(*(u64 *)(r7 +8), r1)
         9: r1 = 0xb7e151628aed2a6b
        11: r2 = map[counts]
        13: r1 = map[enabled].value
        15: r1 = map[99]
        17: call get_stack
      again:
        18: if r1 s<= r2 goto again
        19: if w0 == -17 goto end
        20: goto again
      end:
      exit:
        21: exit
      "
    `);
  });

  it('makes the counting program readable', async () => {
    const program = assembleCountProgram({
      layout: keyLayout({ comm: true }),
      target: 1,
      maps: MAPS,
      filter: { pids: [4711] },
      userStacks: false,
      onlyUserStack: false,
      addCaller: false,
      mayBeEmpty: false,
      nesting: 0,
      isPreemptible: true,
      readsProcesses: true,
      ownPid: 1,
      pidNamespace: undefined,
      bucketMilliseconds: undefined,
      argumentOffset: undefined,
    });
    await expect(disassemble(program, NAMES)).toMatchFileSnapshot('count-program.listing.txt');
  });

  it('names what it does not know by its number', () => {
    const bytes = Buffer.from('8d00000000000000', 'hex');
    expect(disassemble({ bytes, labels: new Map(), goals: new Map() })).toBe('  0: (opcode 0x8d)\n');
  });
});
