import type { PidNamespace } from '../sys/pid-namespace.ts';
import { Assembler, type BpfCode, R0, R1, R2, R3, R4 } from './asm.ts';
import { type CaptureFilter, emitFilter } from './capture-filter.ts';
import { CONTEXT, FRAME, HASH, SCRATCH } from './count-registers.ts';
import { emitHashSeed, emitMix, emitStack, SCRATCH_STACK, type StackContent } from './emit-stack.ts';
import { emitKey, type KeyContent } from './key-layout.ts';
import { SCRATCH_SPACE, walkScratch } from './scratch-space.ts';
import { CHECK_EVERY, emitWalk, type WalkPlan } from './stack-walk.ts';

/** Why a call that the program saw was not counted; the index of its counter. */
export const DROP_REASONS = [
  'filtered',
  'no-stack',
  'reentered',
  'stacks-full',
  'stacks-busy',
  'counts-full',
  'counts-busy',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What a counting program is made for. */
export interface CountProgram extends KeyContent, StackContent {
  readonly maps: ProgramMaps;
  readonly filter: CaptureFilter;
  /** The process of whocalls. */
  readonly ownPid: number;
  /** Of which pids are those of filters and keys; the initial one unless given. */
  readonly pidNamespace: PidNamespace | undefined;
  /**
   * How many runs of programs of this kind the kernel may nest on a CPU: each takes a buffer of the scratch space that
   * is free. 0 where it does not nest them: they share the only one.
   */
  readonly nesting: number;
  /** Programs of this kind may be preempted; values can be exchanged atomically then. */
  readonly isPreemptible: boolean;
  /** Recognise stacks that are known by walking them in the program; where the context is a function's entry. */
  readonly walk?: WalkPlan;
}

/** File descriptors of the maps a program works on. */
export interface ProgramMaps {
  /** Array of one value, a 64-bit number: calls count unless it is 0. */
  readonly enabled: number;
  /** Array of one value, a 64-bit number for each target: its calls while the enable flag was off. */
  readonly uncounted: number;
  /** Key {@link KeyLayout}, value 64-bit count. */
  readonly counts: number;
  /** Key 64-bit hash, value {@link stackRecordSize} bytes of return addresses. */
  readonly stacks: number;
  /** Per CPU, index target * DROP_REASONS.length + reason, value 64-bit count. */
  readonly drops: number;
  /** Per CPU, buffers of {@link scratchSize} bytes, one for each level of nesting. */
  readonly scratch: number;
  /** A cgroup array: the task has to be under every one of its entries. */
  readonly cgroups?: { readonly map: number; readonly count: number };
}

const ATTEMPTS = 4;
const BPF_NOEXIST = 1;
const EEXIST = -17;
const E2BIG = -7;

/**
 * The program that runs at every call: takes the stack into per-CPU scratch space, hashes its contents, and adds one
 * to the count of (stack, target, …). Only the first call of a kind inserts: into the map of stacks, then into the
 * map of counts. Where stacks can be walked here, only those that are not known yet are asked of the kernel.
 *
 * Stacks are keyed by a 64-bit hash of their contents because the kernel's own stack ids collide and lose calls.
 * With n distinct stacks two share a hash with odds of n² / 2^65: one in 10^11 for 20,000.
 *
 * It may run in NMI context, where an insert can fail because a lock is taken (-EBUSY) or a free list is in use
 * (-E2BIG); lookups and atomic additions cannot. So it looks up first, retries inserts, and counts what it gives up.
 */
export function assembleCountProgram(program: CountProgram): BpfCode {
  const asm = new Assembler();
  const { layout, maps, walk, filter, ownPid, pidNamespace } = program;
  const key = -layout.size;
  const one = key - 8;
  const index = one - 8;
  const walked = index - 8;

  asm.mov(CONTEXT, R1);
  asm.loadMapValue(R1, maps.enabled).load(8, R1, R1, 0).jumpIf(R1, '!=', 0, 'enabled');
  asm
    .loadMapValue(R1, maps.uncounted)
    .mov(R2, 1)
    .alu('add', R1, 8 * program.target)
    .atomicAdd(R1, 0, R2)
    .jump('exit');
  asm.label('enabled');
  emitFilter(asm, filter, { ownPid, pidNamespace, cgroups: maps.cgroups, slot: index, otherwise: 'drop.filtered' });
  emitScratch(asm, program, index);
  emitKey(asm, program, key, index);

  if (walk) {
    asm.store(8, FRAME, walked, 0);
    emitWalk(asm, walk, {
      scratch: walkScratch(program.userStacks),
      context: walked - 8,
      startHash: emitHashSeed,
      mix: emitMix,
      kernel: 'kernel',
    });
    asm.store(8, FRAME, key + layout.stack, HASH);
    lookup(asm, maps.counts, key).jumpIf(R0, '==', 0, 'kernel');
    asm.load(8, R1, SCRATCH, SCRATCH_SPACE.walked).mov(R2, R1).alu('add', R2, 1);
    asm
      .store(8, SCRATCH, SCRATCH_SPACE.walked, R2)
      .alu('and', R1, CHECK_EVERY - 1)
      .jumpIf(R1, '!=', 0, 'add');
    increment(asm, SCRATCH_SPACE.checked).store(8, FRAME, walked, HASH);
    asm.label('kernel');
  }
  emitStack(asm, program, 'drop.no-stack');
  if (walk) {
    asm.load(8, R1, FRAME, walked).jumpIf(R1, '==', 0, 'taken').jumpIf(R1, '==', HASH, 'taken');
    increment(asm, SCRATCH_SPACE.differed).label('taken');
  }
  asm.store(8, FRAME, key + layout.stack, HASH);

  // The fast path: a call whose key is known.
  lookup(asm, maps.counts, key).jumpIf(R0, '==', 0, 'insert');
  asm.label('add').mov(R1, 1).atomicAdd(R0, 0, R1).jump('done');

  asm.label('insert');
  lookup(asm, maps.stacks, key).jumpIf(R0, '!=', 0, 'stack.known');
  emitInsert(asm, maps.stacks, key, 'stacks', () => asm.mov(R3, SCRATCH).alu('add', R3, SCRATCH_STACK));
  asm.label('stack.known').store(8, FRAME, one, 1);
  emitInsert(asm, maps.counts, key, 'counts', () => asm.mov(R3, FRAME).alu('add', R3, one));
  if (program.coarseTime) {
    const { time, map } = program.coarseTime;
    asm.loadMapValue(R1, map).mov(R2, 1).alu('add', R1, time.insertedAt).atomicAdd(R1, 0, R2);
  }
  asm.label('done');
  if (program.nesting > 0) asm.store(8, SCRATCH, SCRATCH_SPACE.busy, 0);
  asm.label('exit').mov(R0, 0).exit();

  emitDrops(asm, program, index);
  return asm.assemble();
}

/** What can become of a call before its program has a buffer. */
const WITHOUT_BUFFER: readonly DropReason[] = ['filtered', 'reentered'];

/** Counts a call that is not counted by the reason for it. */
function emitDrops(asm: Assembler, { maps, target, nesting }: CountProgram, index: number): void {
  for (const [number, reason] of DROP_REASONS.entries()) {
    if (!asm.isWanted(`drop.${reason}`)) continue;
    asm.label(`drop.${reason}`);
    if (nesting > 0 && !WITHOUT_BUFFER.includes(reason)) asm.store(8, SCRATCH, SCRATCH_SPACE.busy, 0);
    asm.mov(R1, target * DROP_REASONS.length + number).jump('drop');
  }
  asm.label('drop').store(4, FRAME, index, R1);
  asm.loadMap(R1, maps.drops).mov(R2, FRAME).alu('add', R2, index).call('map_lookup_elem');
  asm.jumpIf(R0, '==', 0, 'exit').mov(R1, 1).atomicAdd(R0, 0, R1).jump('exit');
}

/** {@link SCRATCH} = where the program may work. Uses the 4 bytes at `index` in the frame. */
function emitScratch(asm: Assembler, { maps, nesting, isPreemptible }: CountProgram, index: number): void {
  const find = (buffer: number) => {
    asm.store(4, FRAME, index, buffer).loadMap(R1, maps.scratch).mov(R2, FRAME).alu('add', R2, index);
    asm.call('map_lookup_elem').jumpIf(R0, '==', 0, 'exit').mov(SCRATCH, R0);
  };
  if (nesting === 0) {
    find(0);
    return;
  }
  // No loop: verifiers of old kernels do not see the end of one whose count is kept in the frame.
  const found = asm.fresh('buffer');
  for (let buffer = 0; buffer < nesting; buffer++) {
    find(buffer);
    const isBusy = R1;
    // Where nothing is preempted, whatever interrupts a program is over before it goes on: nothing comes between looking
    // and taking.
    if (isPreemptible) asm.mov(isBusy, 1).atomicExchange(SCRATCH, SCRATCH_SPACE.busy, isBusy);
    else asm.load(8, isBusy, SCRATCH, SCRATCH_SPACE.busy);
    asm.jumpIf(isBusy, '==', 0, found);
  }
  asm.jump('drop.reentered').label(found);
  if (!isPreemptible) asm.store(8, SCRATCH, SCRATCH_SPACE.busy, 1);
}

/** Adds one to a number of the scratch space, which no program that runs at the same time uses. */
function increment(asm: Assembler, offset: number): Assembler {
  return asm.load(8, R1, SCRATCH, offset).alu('add', R1, 1).store(8, SCRATCH, offset, R1);
}

/** R0 = value of the key at `key` in the frame, or 0. */
function lookup(asm: Assembler, map: number, key: number): Assembler {
  return asm.loadMap(R1, map).mov(R2, FRAME).alu('add', R2, key).call('map_lookup_elem');
}

/**
 * Inserts an entry, unless another CPU does meanwhile. For counts, an entry that appeared meanwhile is added to.
 * `value` sets R3 to the address of the value. Updating returns an int, which kernels before 6.4 leave unextended.
 */
function emitInsert(asm: Assembler, map: number, key: number, name: 'stacks' | 'counts', value: () => void): void {
  const inserted = `${name}.inserted`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    asm.loadMap(R1, map).mov(R2, FRAME).alu('add', R2, key);
    value();
    asm.mov(R4, BPF_NOEXIST).call('map_update_elem').jumpIf32(R0, '==', 0, inserted);
    asm.jumpIf32(R0, '==', EEXIST, `${name}.exists`);
  }
  asm.jumpIf32(R0, '==', E2BIG, `drop.${name}-full`).jump(`drop.${name}-busy`);
  asm.label(`${name}.exists`);
  if (name === 'counts') lookup(asm, map, key).jumpIf(R0, '!=', 0, 'add').jump('drop.counts-busy');
  asm.label(inserted);
}
