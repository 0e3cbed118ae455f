import { arch } from '../sys/arch.ts';
import { type Assembler, R0, R1, R2, R3, R4, R5, type Register } from './asm.ts';
import { CONTEXT, HASH, LENGTH, SCRATCH } from './count-registers.ts';
import { SCRATCH_SPACE, STACK_BYTES, USER_PART } from './scratch-space.ts';

const BPF_F_USER_STACK = 1 << 8;
/** Odd 64-bit constants, from the digits of e and pi. */
const HASH_SEED = 0xb7e151628aed2a6bn;
const HASH_FACTOR = 0x9216d5d98979fb1bn;

const FACTOR = R0;
/** Where the stack record lies in the scratch space. */
export const SCRATCH_STACK = SCRATCH_SPACE.stack;

/** Which stack is taken. */
export interface StackContent {
  /** Take the user part of the stack as well, into the second half of the record. */
  readonly userStacks: boolean;
  /**
   * The target is a function of an executable. In place of the kernel's part of the stack stands the address it was
   * called from: unwinding by frame pointers misses that one where the function has not made its own frame yet.
   */
  readonly onlyUserStack: boolean;
  /**
   * The kernel's unwinder misses the function that called, because it follows frame pointers and the target has not
   * made its frame yet: that address is taken from the link register.
   */
  readonly addCaller: boolean;
  /** A call without any frame is a call all the same: the context may have no kernel stack. */
  readonly mayBeEmpty: boolean;
  /** There is a helper that reads the memory of processes, besides the one that reads any. */
  readonly readsProcesses: boolean;
}

/**
 * Takes the stack into the scratch space; {@link HASH} = hash of its contents. Goes to `missing` where there is none.
 */
export function emitStack(asm: Assembler, content: StackContent, missing: string): void {
  const { userStacks, onlyUserStack } = content;
  if (onlyUserStack) emitReturnAddress(asm, content.readsProcesses);
  else emitKernelStack(asm, content, missing);
  asm.mov(LENGTH, R0);
  if (userStacks) {
    // A task without a user part (a kernel thread) has an empty one; that is no loss.
    getStack(asm, SCRATCH_STACK + USER_PART, STACK_BYTES, BPF_F_USER_STACK);
    if (onlyUserStack) asm.jumpIf(R0, 's<=', 0, missing);
    asm.mov(R4, R0);
  }
  emitHashSeed(asm);
  asm.load64(FACTOR, HASH_FACTOR);
  emitHash(asm, SCRATCH_STACK, LENGTH);
  if (userStacks) {
    asm.mov(LENGTH, R4);
    emitHash(asm, SCRATCH_STACK + USER_PART, LENGTH);
  }
}

/** {@link HASH} = the hash of no addresses. */
export function emitHashSeed(asm: Assembler): void {
  asm.load64(HASH, HASH_SEED);
}

/** Mixes the address in R1 into {@link HASH}; uses R5. */
export function emitMix(asm: Assembler): void {
  mix(asm.load64(R5, HASH_FACTOR), R5);
}

/** The kernel's part of the stack, as its unwinder sees it; R0 = its bytes. */
function emitKernelStack(asm: Assembler, { addCaller, mayBeEmpty }: StackContent, missing: string): void {
  const isMissing = mayBeEmpty ? 's<' : 's<=';
  if (!addCaller) {
    getStack(asm, SCRATCH_STACK, STACK_BYTES, 0);
    asm.jumpIf(R0, isMissing, 0, missing);
    return;
  }
  // The function itself and its callers but the first, one place too far; then the two that begin the stack.
  getStack(asm, SCRATCH_STACK + 8, STACK_BYTES - 8, 0);
  asm.jumpIf(R0, isMissing, 0, missing);
  asm.load(8, R1, SCRATCH, SCRATCH_STACK + 8).store(8, SCRATCH, SCRATCH_STACK, R1);
  asm.load(8, R1, CONTEXT, arch().returnAddress.offset).store(8, SCRATCH, SCRATCH_STACK + 8, R1);
  asm.alu('add', R0, 8);
}

/**
 * Writes the address the function was called from, 0 where it cannot be read, into the scratch space; R0 = its size.
 */
function emitReturnAddress(asm: Assembler, readsProcesses: boolean): void {
  const { offset, onStack } = arch().returnAddress;
  asm.load(8, R3, CONTEXT, offset);
  if (!onStack) asm.store(8, SCRATCH, SCRATCH_STACK, R3);
  else {
    asm.mov(R1, SCRATCH).alu('add', R1, SCRATCH_STACK).mov(R2, 8);
    asm.call(readsProcesses ? 'probe_read_user' : 'probe_read');
  }
  asm.mov(R0, 8);
}

function getStack(asm: Assembler, offset: number, bytes: number, flags: number): void {
  asm.mov(R1, CONTEXT).mov(R2, SCRATCH).alu('add', R2, offset).mov(R3, bytes).mov(R4, flags);
  asm.call('get_stack');
}

/**
 * Mixes `length` bytes of addresses at SCRATCH + offset into the hash; bounded, because the verifier wants to see the
 * end.
 */
function emitHash(asm: Assembler, offset: number, length: Register): void {
  const loop = asm.fresh('hash');
  const end = asm.fresh('hash.end');
  asm.mov(R2, SCRATCH).alu('add', R2, offset).mov(R3, 0).jumpIf(length, 's<=', 0, end);
  asm.label(loop).load(8, R1, R2, 0);
  mix(asm, FACTOR);
  asm.alu('add', R2, 8).alu('add', R3, 8);
  asm.jumpIf(R3, '>=', STACK_BYTES, end).jumpIf(R3, '<', length, loop).label(end);
}

function mix(asm: Assembler, factor: Register): void {
  asm.alu('xor', HASH, R1).alu('mul', HASH, factor);
  asm.mov(R5, HASH).alu('rsh', R5, 32).alu('xor', HASH, R5);
}
