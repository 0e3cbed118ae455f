import { arch } from '../sys/arch.ts';
import type { PidNamespace } from '../sys/pid-namespace.ts';
import { Assembler, type BpfCode, R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, type Register } from './asm.ts';
import { COMM_LENGTH, type KeyLayout } from './key-layout.ts';
import { CHECK_EVERY, emitWalk, WALK_SCRATCH, type WalkPlan } from './stack-walk.ts';
import { encodeTaskName } from './task-name.ts';

/** Frames kept of a stack: what the kernel itself collects at most (sysctl kernel.perf_event_max_stack). */
export const MAX_FRAMES = 127;
const STACK_BYTES = MAX_FRAMES * 8;
/** A stack as it is stored: 127 addresses, and one of zero to end them. */
const STACK_ROOM = STACK_BYTES + 8;

/** Why a call that the program saw was not counted; the index of its counter. */
export const FATES = [
  'filtered',
  'no-stack',
  'nested',
  'stacks-full',
  'stacks-busy',
  'counts-full',
  'counts-busy',
] as const;
export type Fate = (typeof FATES)[number];

/** Which calls a program counts; those that do not pass are counted as `filtered`. */
export interface Filter {
  /** Processes (thread group ids) to leave out. */
  readonly excludePids?: readonly number[];
  readonly pids?: readonly number[];
  readonly comms?: readonly string[];
  readonly cpus?: readonly number[];
  /** A cgroup array: the task has to be under every one of its entries. */
  readonly cgroups?: { readonly map: number; readonly count: number };
}

/** What counting programs make use of where the kernel has it. */
export interface ProgramFeatures {
  /** Programs of uprobes may be preempted, and values can be exchanged atomically. */
  readonly preemptsPrograms: boolean;
  /** There is a helper that reads the memory of processes, besides the one that reads any. */
  readonly readsProcesses: boolean;
}

/** What a counting program is made for. */
export interface CountProgram {
  readonly layout: KeyLayout;
  /** Index of the target, stored in the key. */
  readonly target: number;
  readonly maps: ProgramMaps;
  readonly filter: Filter;
  /** What numbers of processes are those of, both in filters and in keys; the initial namespace unless given. */
  readonly pidNamespace?: PidNamespace;
  /** Take the stack in the program as well, into the second half of the record. */
  readonly userStacks: boolean;
  /**
   * The target is a function of a program. In place of the kernel's part of the stack stands the address it was called
   * from: unwinding by frame pointers misses that one where the function has not made its own frame yet.
   */
  readonly onlyUserStack: boolean;
  /**
   * The kernel's unwinder misses the function that called, because it follows frame pointers and the target has not made
   * its frame yet: that address is taken from the link register.
   */
  readonly addCaller: boolean;
  /** A call without any frame is a call all the same: the context may have no kernel stack. */
  readonly mayBeEmpty: boolean;
  readonly bucketMilliseconds?: number;
  /** Byte offset in the context of the argument to record. */
  readonly argumentOffset?: number;
  /**
   * The kernel lets programs of this kind interrupt each other on a CPU: each takes a place of the scratch space that is
   * free. 0 where it does not: they share the only one.
   */
  readonly places: number;
  /** What the kernel that runs it can do. */
  readonly kernel: ProgramFeatures;
  /** Recognise stacks that are known by walking them in the program; for functions, with registers as context. */
  readonly walk?: WalkPlan;
}

/** File descriptors of the maps a program works on. */
export interface ProgramMaps {
  /** Array of one value, a 64-bit number: calls count unless it is 0. */
  readonly gate: number;
  /** Array of one value, a 64-bit number for each target: its calls that did not count. */
  readonly outside: number;
  /** Key {@link KeyLayout}, value 64-bit count. */
  readonly counts: number;
  /** Key 64-bit hash, value {@link stackRecordSize} bytes of return addresses. */
  readonly stacks: number;
  /** Per CPU, index target * FATES.length + fate, value 64-bit count. */
  readonly fates: number;
  /** Per CPU, elements of {@link scratchSize} bytes, as many as there are places. */
  readonly scratch: number;
}

/** Bytes of one stored stack: kernel part, then the user part if asked for; unused frames are 0. */
export function stackRecordSize(userStacks: boolean): number {
  return userStacks ? 2 * STACK_ROOM : STACK_ROOM;
}

/** Byte offset of the user part in a stored stack. */
export const USER_PART = STACK_ROOM;

/**
 * A place of the scratch space: a busy flag, how many stacks were recognised by walking, how many of these were checked
 * against the kernel's unwinder and how many of those differed, a stack record, and what a walk needs.
 */
export const SCRATCH_SPACE = { busy: 0, walked: 8, checked: 16, differed: 24, stack: 32 } as const;

/** Bytes of a place. */
export function scratchSize(userStacks: boolean): number {
  return walkScratch(userStacks) + WALK_SCRATCH;
}

function walkScratch(userStacks: boolean): number {
  return SCRATCH_SPACE.stack + stackRecordSize(userStacks);
}

const SCRATCH_STACK = SCRATCH_SPACE.stack;
const ATTEMPTS = 4;
const BPF_NOEXIST = 1;
const BPF_F_USER_STACK = 1 << 8;
const EEXIST = -17;
const E2BIG = -7;
/** Odd 64-bit constants, from the digits of e and pi. */
const HASH_SEED = 0xb7e151628aed2a6bn;
const HASH_FACTOR = 0x9216d5d98979fb1bn;

const CONTEXT = R6;
const SCRATCH = R7;
const LENGTH = R8;
const HASH = R9;
const FACTOR = R0;
const FRAME = R10;

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
  const { layout, maps, walk } = program;
  const key = -layout.size;
  const one = key - 8;
  const index = one - 8;
  const walked = index - 8;

  asm.mov(CONTEXT, R1);
  asm.loadMapValue(R1, maps.gate).load(8, R1, R1, 0).jumpIf(R1, '!=', 0, 'inside');
  asm
    .loadMapValue(R1, maps.outside)
    .mov(R2, 1)
    .alu('add', R1, 8 * program.target)
    .atomicAdd(R1, 0, R2)
    .jump('exit');
  asm.label('inside');
  emitFilter(asm, program, index);
  emitScratch(asm, program, index);
  emitKey(asm, program, key, index);

  if (walk) {
    asm.store(8, FRAME, walked, 0);
    emitWalk(asm, walk, {
      scratch: walkScratch(program.userStacks),
      context: walked - 8,
      startHash: (to) => to.load64(HASH, HASH_SEED),
      mix: (to) => mix(to.load64(R5, HASH_FACTOR), R1, R5),
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
  emitStack(asm, program);
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
  asm.label('done');
  if (program.places > 0) asm.store(8, SCRATCH, SCRATCH_SPACE.busy, 0);
  asm.label('exit').mov(R0, 0).exit();

  for (const [number, fate] of FATES.entries()) {
    if (!asm.isWanted(`lost.${fate}`)) continue;
    asm.label(`lost.${fate}`);
    if (program.places > 0 && !WITHOUT_PLACE.includes(fate)) asm.store(8, SCRATCH, SCRATCH_SPACE.busy, 0);
    asm.mov(R1, program.target * FATES.length + number).jump('count.fate');
  }
  asm.label('count.fate').store(4, FRAME, index, R1);
  asm.loadMap(R1, maps.fates).mov(R2, FRAME).alu('add', R2, index).call('map_lookup_elem');
  asm.jumpIf(R0, '==', 0, 'exit').mov(R1, 1).atomicAdd(R0, 0, R1).jump('exit');
  return asm.assemble();
}

/** What becomes of a call before its program has a place in the scratch space. */
const WITHOUT_PLACE: readonly Fate[] = ['filtered', 'nested'];

/** r7 = where the program may work. Uses the 4 bytes at `index` in the frame. */
function emitScratch(asm: Assembler, { maps, places, kernel }: CountProgram, index: number): void {
  const find = (place: number) => {
    asm.store(4, FRAME, index, place).loadMap(R1, maps.scratch).mov(R2, FRAME).alu('add', R2, index);
    asm.call('map_lookup_elem').jumpIf(R0, '==', 0, 'exit').mov(SCRATCH, R0);
  };
  if (places === 0) {
    find(0);
    return;
  }
  // Before 6.0 whatever interrupts a program is over before it goes on: nothing comes between looking and taking.
  const mayBePreempted = kernel.preemptsPrograms;
  // No loop: verifiers of old kernels do not see the end of one whose count is kept in the frame.
  const found = asm.fresh('place');
  for (let place = 0; place < places; place++) {
    find(place);
    const isBusy = R1;
    if (mayBePreempted) asm.mov(isBusy, 1).atomicExchange(SCRATCH, SCRATCH_SPACE.busy, isBusy);
    else asm.load(8, isBusy, SCRATCH, SCRATCH_SPACE.busy);
    asm.jumpIf(isBusy, '==', 0, found);
  }
  asm.jump('lost.nested').label(found);
  if (!mayBePreempted) asm.store(8, SCRATCH, SCRATCH_SPACE.busy, 1);
}

/** Adds one to a number of the scratch space, which no program that runs at the same time uses. */
function increment(asm: Assembler, offset: number): Assembler {
  return asm.load(8, R1, SCRATCH, offset).alu('add', R1, 1).store(8, SCRATCH, offset, R1);
}

/** r0 = value of the key at `key` in the frame, or 0. */
function lookup(asm: Assembler, map: number, key: number): Assembler {
  return asm.loadMap(R1, map).mov(R2, FRAME).alu('add', R2, key).call('map_lookup_elem');
}

function emitFilter(asm: Assembler, { filter, pidNamespace }: CountProgram, index: number): void {
  const { excludePids = [], pids = [], comms = [], cpus = [], cgroups } = filter;
  if (excludePids.length > 0 || pids.length > 0) {
    emitPid(asm, pidNamespace, index);
    for (const pid of excludePids) asm.jumpIf(R0, '==', pid, 'lost.filtered');
    oneOf(asm, pids, (pid, yes) => asm.jumpIf(R0, '==', pid, yes));
  }
  if (cpus.length > 0) {
    asm.call('get_smp_processor_id');
    oneOf(asm, cpus, (cpu, yes) => asm.jumpIf(R0, '==', cpu, yes));
  }
  if (comms.length > 0) {
    const at = index - COMM_LENGTH;
    emitComm(asm, at);
    asm.load(8, R1, FRAME, at).load(8, R2, FRAME, at + 8);
    oneOf(asm, comms, (comm, yes) => {
      const bytes = encodeTaskName(comm);
      const no = asm.fresh('other.comm');
      asm.load64(R3, bytes.readBigInt64LE(0)).jumpIf(R1, '!=', R3, no);
      asm.load64(R3, bytes.readBigInt64LE(8)).jumpIf(R2, '==', R3, yes).label(no);
    });
  }
  for (let entry = 0; cgroups && entry < cgroups.count; entry++) {
    asm.loadMap(R1, cgroups.map).mov(R2, entry).call('current_task_under_cgroup').jumpIf(R0, '!=', 1, 'lost.filtered');
  }
}

/** r0 = number of the process (thread group), 0 where the namespace has none for it. Uses the 8 bytes at `slot`. */
function emitPid(asm: Assembler, namespace: PidNamespace | undefined, slot: number): void {
  if (!namespace) {
    asm.call('get_current_pid_tgid').alu('rsh', R0, 32);
    return;
  }
  // It clears what it cannot fill.
  asm.load64(R1, namespace.device).load64(R2, namespace.inode).mov(R3, FRAME).alu('add', R3, slot).mov(R4, 8);
  asm.call('get_ns_current_pid_tgid').load(4, R0, FRAME, slot + 4);
}

/** Writes the task's name to the frame; cleared first, because the kernel may write no further than its end. */
function emitComm(asm: Assembler, at: number): void {
  asm.store(8, FRAME, at, 0).store(8, FRAME, at + 8, 0);
  asm.mov(R1, FRAME).alu('add', R1, at).mov(R2, COMM_LENGTH).call('get_current_comm');
}

function oneOf<T>(asm: Assembler, wanted: readonly T[], test: (value: T, yes: string) => void): void {
  if (wanted.length === 0) return;
  const yes = asm.fresh('wanted');
  for (const value of wanted) test(value, yes);
  asm.jump('lost.filtered').label(yes);
}

/** Takes the stack into the scratch space; r9 = hash of its contents. */
function emitStack(asm: Assembler, program: CountProgram): void {
  const { userStacks, onlyUserStack } = program;
  if (onlyUserStack) emitReturnAddress(asm, program.kernel);
  else emitKernelStack(asm, program);
  asm.mov(LENGTH, R0);
  if (userStacks) {
    // A task without a user part (a kernel thread) has an empty one; that is no loss.
    getStack(asm, SCRATCH_STACK + USER_PART, STACK_BYTES, BPF_F_USER_STACK);
    if (onlyUserStack) asm.jumpIf(R0, 's<=', 0, 'lost.no-stack');
    asm.mov(R4, R0);
  }
  asm.load64(HASH, HASH_SEED).load64(FACTOR, HASH_FACTOR);
  emitHash(asm, SCRATCH_STACK, LENGTH);
  if (userStacks) {
    asm.mov(LENGTH, R4);
    emitHash(asm, SCRATCH_STACK + USER_PART, LENGTH);
  }
}

/** The kernel's part of the stack, as its unwinder sees it; r0 = its bytes. */
function emitKernelStack(asm: Assembler, { addCaller, mayBeEmpty }: CountProgram): void {
  const missing = mayBeEmpty ? 's<' : 's<=';
  if (!addCaller) {
    getStack(asm, SCRATCH_STACK, STACK_BYTES, 0);
    asm.jumpIf(R0, missing, 0, 'lost.no-stack');
    return;
  }
  // The function itself and its callers but the first, one place too far; then the two that begin the stack.
  getStack(asm, SCRATCH_STACK + 8, STACK_BYTES - 8, 0);
  asm.jumpIf(R0, missing, 0, 'lost.no-stack');
  asm.load(8, R1, SCRATCH, SCRATCH_STACK + 8).store(8, SCRATCH, SCRATCH_STACK, R1);
  asm.load(8, R1, CONTEXT, arch().returnAddress.offset).store(8, SCRATCH, SCRATCH_STACK + 8, R1);
  asm.alu('add', R0, 8);
}

/** Writes the address the function was called from, 0 where it cannot be read, into the scratch space; r0 = its size. */
function emitReturnAddress(asm: Assembler, kernel: ProgramFeatures): void {
  const { offset, onStack } = arch().returnAddress;
  asm.load(8, R3, CONTEXT, offset);
  if (!onStack) asm.store(8, SCRATCH, SCRATCH_STACK, R3);
  else {
    asm.mov(R1, SCRATCH).alu('add', R1, SCRATCH_STACK).mov(R2, 8);
    asm.call(kernel.readsProcesses ? 'probe_read_user' : 'probe_read');
  }
  asm.mov(R0, 8);
}

function getStack(asm: Assembler, offset: number, bytes: number, flags: number): void {
  asm.mov(R1, CONTEXT).mov(R2, SCRATCH).alu('add', R2, offset).mov(R3, bytes).mov(R4, flags);
  asm.call('get_stack');
}

/** Mixes `length` bytes of addresses at SCRATCH + offset into r9; bounded, because the verifier wants to see the end. */
function emitHash(asm: Assembler, offset: number, length: Register): void {
  const loop = asm.fresh('hash');
  const end = asm.fresh('hash.end');
  asm.mov(R2, SCRATCH).alu('add', R2, offset).mov(R3, 0).jumpIf(length, 's<=', 0, end);
  asm.label(loop).load(8, R1, R2, 0);
  mix(asm, R1, FACTOR);
  asm.alu('add', R2, 8).alu('add', R3, 8);
  asm.jumpIf(R3, '>=', STACK_BYTES, end).jumpIf(R3, '<', length, loop).label(end);
}

/** Mixes the address in a register into r9; uses r5. */
function mix(asm: Assembler, address: Register, factor: Register): void {
  asm.alu('xor', HASH, address).alu('mul', HASH, factor);
  asm.mov(R5, HASH).alu('rsh', R5, 32).alu('xor', HASH, R5);
}

/** Fills the parts of the key after the hash. */
function emitKey(asm: Assembler, program: CountProgram, key: number, slot: number): void {
  const { layout } = program;
  asm.store(4, FRAME, key + layout.target, program.target);
  let end = layout.target + 4;
  if (layout.argument !== null && program.argumentOffset !== undefined) {
    asm.load(8, R1, CONTEXT, program.argumentOffset).store(8, FRAME, key + layout.argument, R1);
  } else if (layout.argument !== null) {
    asm.store(8, FRAME, key + layout.argument, 0);
  }
  if (layout.comm !== null) emitComm(asm, key + layout.comm);
  if (layout.pid !== null) {
    emitPid(asm, program.pidNamespace, slot);
    asm.store(4, FRAME, key + layout.pid, R0);
    end = layout.pid + 4;
  }
  if (layout.cpu !== null) {
    asm.call('get_smp_processor_id').store(4, FRAME, key + layout.cpu, R0);
    end = layout.cpu + 4;
  }
  if (layout.bucket !== null) {
    asm.call('ktime_get_ns').load64(R1, BigInt(Math.round((program.bucketMilliseconds ?? 1000) * 1e6)));
    asm.alu('div', R0, R1).store(4, FRAME, key + layout.bucket, R0);
    end = layout.bucket + 4;
  }
  if (end < layout.size) asm.store(4, FRAME, key + end, 0);
}

/**
 * Inserts an entry, unless somebody else does meanwhile. For counts, an entry that appeared meanwhile is added to.
 * `value` sets r3 to the address of the value. Updating returns an int, which kernels before 6.4 leave unextended.
 */
function emitInsert(asm: Assembler, map: number, key: number, name: 'stacks' | 'counts', value: () => void): void {
  const inserted = `${name}.inserted`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    asm.loadMap(R1, map).mov(R2, FRAME).alu('add', R2, key);
    value();
    asm.mov(R4, BPF_NOEXIST).call('map_update_elem').jumpIf32(R0, '==', 0, inserted);
    asm.jumpIf32(R0, '==', EEXIST, `${name}.exists`);
  }
  asm.jumpIf32(R0, '==', E2BIG, `lost.${name}-full`).jump(`lost.${name}-busy`);
  asm.label(`${name}.exists`);
  if (name === 'counts') lookup(asm, map, key).jumpIf(R0, '!=', 0, 'add').jump('lost.counts-busy');
  asm.label(inserted);
}

/**
 * What a program finds in its context: the registers at a function's entry, the arguments of a raw tracepoint, or the
 * record of a syscall's trace event.
 */
export type ProgramContext = 'registers' | 'raw-tracepoint' | 'syscall-event';

/** Byte offset of argument `number` (1 the first) in the context; undefined where there is no such argument. */
export function argumentOffset(number: number, context: ProgramContext): number | undefined {
  switch (context) {
    case 'registers':
      return arch().argumentOffsets[number - 1];
    case 'raw-tracepoint':
      return number <= 12 ? (number - 1) * 8 : undefined;
    case 'syscall-event':
      // 8 bytes of header, 8 of syscall number, then the arguments
      return number <= 6 ? 8 + number * 8 : undefined;
  }
}
