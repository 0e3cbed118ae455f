import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assembleCountProgram, type CountProgram } from './count-program.ts';
import { keyLayout } from './key-layout.ts';
import { SCRATCH_SPACE, scratchSize } from './scratch-space.ts';
import { WALK_SCRATCH } from './stack-walk.ts';

const EXIT = 0x95;
const CALL = 0x85;
const JUMP_ALWAYS = 0x05;
const WIDE = 0x18;
/** What kernels before 5.2 took; later ones take a million. */
const OLD_LIMIT = 4096;

/** The instructions that can be reached, by index; fails on a jump out of the program or into a wide instruction. */
function reachable(code: Buffer): Set<number> {
  const count = code.length / 8;
  const seen = new Set<number>();
  const pending = [0];
  while (pending.length > 0) {
    const at = pending.pop()!;
    if (seen.has(at)) continue;
    if (at < 0 || at >= count) throw new Error(`instruction ${at} of ${count}`);
    const opcode = code[at * 8]!;
    if (opcode === 0) throw new Error(`a jump into the second half of a wide instruction at ${at}`);
    seen.add(at);
    const target = at + 1 + code.readInt16LE(at * 8 + 2);
    if (opcode === EXIT) continue;
    if (opcode === WIDE) {
      seen.add(at + 1);
      pending.push(at + 2);
    } else if (opcode === JUMP_ALWAYS) pending.push(target);
    else if ((opcode & 7) === 5 || (opcode & 7) === 6) pending.push(...(opcode === CALL ? [at + 1] : [at + 1, target]));
    else pending.push(at + 1);
  }
  return seen;
}

const program = fc
  .record({
    pid: fc.boolean(),
    comm: fc.boolean(),
    cpu: fc.boolean(),
    argument: fc.boolean(),
    timed: fc.boolean(),
    isCoarse: fc.boolean(),
    userStacks: fc.boolean(),
    onlyUserStack: fc.boolean(),
    addCaller: fc.boolean(),
    nesting: fc.constantFrom(0, 1, 8),
    mayBeEmpty: fc.boolean(),
    pids: fc.array(fc.nat(4_194_304), { maxLength: 3 }),
    comms: fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 3 }),
    cpus: fc.array(fc.nat(255), { maxLength: 3 }),
    cgroups: fc.nat(2),
    pidNamespace: fc.boolean(),
    self: fc.boolean(),
    isPreemptible: fc.boolean(),
    readsProcesses: fc.boolean(),
    walk: fc.constantFrom(null, '2-bit' as const, '3-bit' as const),
  })
  .map((o): CountProgram => {
    const bucketMilliseconds = o.timed ? 100 : undefined;
    return {
      layout: keyLayout({
        pid: o.pid,
        comm: o.comm,
        cpu: o.cpu,
        argument: o.argument,
        ...(bucketMilliseconds && { bucketMilliseconds }),
      }),
      target: 3,
      maps: {
        enabled: 12,
        uncounted: 13,
        counts: 5,
        stacks: 6,
        drops: 7,
        scratch: 8,
        ...(o.cgroups > 0 && { cgroups: { map: 9, count: o.cgroups } }),
      },
      filter: {
        pids: o.pids,
        comms: o.comms,
        cpus: o.cpus,
        includeSelf: o.self,
      },
      ownPid: 1,
      pidNamespace: o.pidNamespace ? { device: 4n, inode: 4_026_532_000n } : undefined,
      userStacks: o.userStacks || o.onlyUserStack,
      onlyUserStack: o.onlyUserStack,
      addCaller: o.addCaller,
      mayBeEmpty: o.mayBeEmpty,
      nesting: o.nesting,
      isPreemptible: o.isPreemptible,
      readsProcesses: o.readsProcesses,
      bucketMilliseconds,
      coarseTime: o.isCoarse ? { time: { base: 5n, mostKeys: 65_536, insertedAt: 32 }, map: 13 } : undefined,
      argumentOffset: o.argument ? 96 : undefined,
      ...(o.walk && {
        walk: {
          rules: 10,
          tables: 11,
          tableCount: 3,
          format: o.walk,
          registers: { instruction: 128, codeSegment: 136, stack: 152, frame: 32 },
        },
      }),
    };
  });

describe('the counting program', () => {
  it('has no instruction that nothing reaches, and no jump that leads nowhere, whatever is asked of it', () => {
    fc.assert(
      fc.property(program, (of) => {
        const { bytes: code } = assembleCountProgram(of);
        expect(reachable(code).size).toBe(code.length / 8);
        expect(code.length / 8).toBeLessThan(OLD_LIMIT);
      }),
    );
  });

  it('stays within the 512 bytes of a program’s frame and writes no frame byte above it', () => {
    fc.assert(
      fc.property(program, (of) => {
        const { bytes: code } = assembleCountProgram(of);
        for (let at = 0; at < code.length; at += 8) {
          const store = (code[at]! & 7) === 2 || (code[at]! & 7) === 3;
          if (!store || (code[at + 1]! & 15) !== 10) continue;
          const offset = code.readInt16LE(at + 2);
          expect(offset).toBeGreaterThanOrEqual(-512);
          expect(offset).toBeLessThan(0);
        }
      }),
    );
  });

  it('has scratch room for both parts of a stack', () => {
    expect(scratchSize(true) - scratchSize(false)).toBe(128 * 8);
    expect(scratchSize(false)).toBeGreaterThanOrEqual(SCRATCH_SPACE.stack + 128 * 8 + WALK_SCRATCH);
  });
});
