import type { StackRegisters } from '../sys/arch.ts';
import { type Assembler, R0, R1, R2, R3, R4, R5, R6, R8 } from './asm.ts';
import { CONTEXT, FRAME, SCRATCH } from './count-registers.ts';
import {
  BASE,
  emitFindRule,
  emitLearnRule,
  KIND,
  LEARN_SCRATCH,
  MOST_WORDS,
  RULE,
  type RuleSource,
} from './frame-rules.ts';

/**
 * Walking the stack inside the BPF program, by what the kernel's own unwinder (ORC, x86-64) knows of each address. The
 * kernel searches its tables for every frame of every call; here what an address means is looked up once and kept as a
 * rule of 64 bits.
 *
 * A walk is only ever a short cut to a stack that is known already: what it finds is hashed, and unless the kernel's
 * unwinder has produced a stack of that hash before, the kernel's unwinder is asked. So a walk that goes wrong costs
 * time and changes no count, unless it strays exactly along another known stack; one in {@link CHECK_EVERY} is checked
 * against the kernel's for that.
 */
export interface WalkPlan extends RuleSource {
  /** Byte offsets in the registers a program is given. */
  readonly registers: StackRegisters;
}

/** Frames a walk goes at most; deeper stacks are left to the kernel. The verifier follows every single one. */
const MOST_WALKED = 40;
/** One in so many walks is checked against the kernel's unwinder. */
export const CHECK_EVERY = 256;
/** Bytes of stack copied at a time; a power of two that divides a page. */
const WINDOW = 256;

const PAGE = 4096;

/**
 * What a walk keeps from step to step, by offset in its part of the scratch space. It is memory of a map rather than
 * registers or the program's frame because the verifier does not follow what is in there: every step looks the same to
 * it, whatever way led there.
 */
const STATE = {
  stack: 0,
  /** The frame pointer, unless `savedFrame` says where on the stack it is. */
  frame: 8,
  savedFrame: 16,
  /** Address of the part of the stack that is in the window. */
  window: 24,
  /** The address whose rule comes next. */
  address: 32,
  rule: 40,
  at: 48,
} as const;
const LEARN = 56;
const STACK_WINDOW = LEARN + LEARN_SCRATCH;
/** Bytes of scratch space a walk needs: its state, that of learning, then a window of the stack. */
export const WALK_SCRATCH = STACK_WINDOW + WINDOW;

/** How a walk fits into the program around it. */
export interface WalkPlace {
  /** Offset in the scratch space of {@link WALK_SCRATCH} bytes. */
  readonly scratch: number;
  /** Offset in the program's frame of a place to keep the context in. */
  readonly context: number;
  /** Adds the address in r1 to the hash in r9; may use r5. */
  readonly mix: (asm: Assembler) => void;
  /** Sets r9 to the hash of nothing. */
  readonly startHash: (asm: Assembler) => void;
  /** Where to go, with the context in r6, when the kernel's unwinder has to be asked. */
  readonly kernel: string;
}

/**
 * Walks the stack of a function that is about to execute its first instruction. Afterwards r9 is the hash of its
 * addresses and r6 the context; or the program has gone on at `place.kernel`. r7 is the scratch space throughout.
 */
export function emitWalk(asm: Assembler, plan: WalkPlan, place: WalkPlace): void {
  const { registers } = plan;
  const state = stateIn(place);
  const address = R1;
  const rule = R4;
  const kind = R5;
  const stack = R6;
  const frames = R8;
  asm.store(8, FRAME, place.context, CONTEXT);
  place.startHash(asm);
  asm.load(8, R1, CONTEXT, registers.instruction);
  place.mix(asm);
  asm.load(8, R1, CONTEXT, registers.frame).store(8, SCRATCH, state.frame, R1);
  asm.load(8, stack, CONTEXT, registers.stack).store(8, SCRATCH, state.stack, stack);
  asm.store(8, SCRATCH, state.savedFrame, 0).store(8, SCRATCH, state.window, 0).mov(frames, 0);
  // Nothing is on the stack yet but the return address.
  asm.load(8, stack, SCRATCH, state.stack).alu('add', stack, 8).jump('walk.call');

  asm.label('walk').load(8, address, SCRATCH, state.address);
  emitFindRule(asm, plan, address, rule, 'walk.learn');
  asm.load(8, stack, SCRATCH, state.stack).mov(kind, rule).alu('rsh', kind, RULE.kind).alu('and', kind, 3);
  asm.jumpIf(kind, '==', KIND.end, 'walk.done').jumpIf(kind, '==', KIND.unknown, 'walk.kernel');
  asm.mov(R3, rule).alu('rsh', R3, RULE.base).alu('and', R3, 3).jumpIf(R3, '!=', BASE.stack, 'walk.base');
  asm.label('walk.based').mov(R3, rule).alu('and', R3, MOST_WORDS).alu('lsh', R3, 3).alu('add', stack, R3);
  asm.jumpIf(kind, '==', KIND.registers, 'walk.registers');
  asm.mov(R3, rule).alu('rsh', R3, RULE.frame).alu('and', R3, MOST_WORDS).jumpIf(R3, '==', 0, 'walk.called');
  asm.alu('lsh', R3, 3).mov(R2, stack).alu('sub', R2, R3).store(8, SCRATCH, state.savedFrame, R2);
  // A jump to the next instruction: before 6.4 the verifier lets nothing but jumps lead back into a loop.
  asm.label('walk.called').jump('walk.call');
  // The return address is right below the caller's stack; what is known of it is known of the call before it.
  asm.label('walk.call').store(8, SCRATCH, state.stack, stack);
  asm.mov(R3, stack).alu('sub', R3, 8);
  readStack(asm, place, 8);
  asm.load(8, address, R1, 0);
  place.mix(asm);
  asm.alu('sub', address, 1).store(8, SCRATCH, state.address, address);
  asm.label('walk.next').alu('add', frames, 1).jumpIf(frames, '<', MOST_WALKED, 'walk').jump('walk.kernel');

  // The caller's stack is counted from the frame pointer, or from a stack pointer saved where stacks were switched.
  asm.label('walk.base').store(8, SCRATCH, state.rule, rule).mov(R2, R3).mov(R3, stack);
  asm.jumpIf(R2, '!=', BASE.frame, 'walk.saved').load(8, stack, SCRATCH, state.frame);
  asm.load(8, R3, SCRATCH, state.savedFrame).jumpIf(R3, '==', 0, 'walk.again').label('walk.saved');
  readStack(asm, place, 8);
  asm.load(8, stack, R1, 0);
  asm.label('walk.again').load(8, rule, SCRATCH, state.rule);
  asm.mov(kind, rule).alu('rsh', kind, RULE.kind).alu('and', kind, 3).jump('walk.based');

  // An interrupt or exception, or the entry from user mode: the registers as they were.
  asm.label('walk.registers').mov(R3, stack).alu('add', R3, registers.frame);
  asm.store(8, SCRATCH, state.savedFrame, R3).mov(R3, stack).alu('add', R3, registers.instruction);
  readStack(asm, place, registers.stack + 8 - registers.instruction);
  asm
    .load(8, R2, R1, registers.codeSegment - registers.instruction)
    .alu('and', R2, 3)
    .jumpIf(R2, '!=', 0, 'walk.done');
  asm.load(8, R2, R1, registers.stack - registers.instruction).store(8, SCRATCH, state.stack, R2);
  asm.load(8, address, R1, 0);
  place.mix(asm);
  asm.store(8, SCRATCH, state.address, address).jump('walk.next');

  asm.label('walk.learn');
  emitLearnRule(asm, plan, { scratch: place.scratch + LEARN, address: state.address, next: 'walk.kernel' });
  asm.label('walk.kernel').load(8, CONTEXT, FRAME, place.context).jump(place.kernel);
  asm.label('walk.done').load(8, CONTEXT, FRAME, place.context);
}

type State = { readonly [name in keyof typeof STATE]: number };

function stateIn({ scratch }: WalkPlace): State {
  return Object.fromEntries(Object.entries(STATE).map(([name, offset]) => [name, scratch + offset])) as State;
}

/**
 * r1 = where so many bytes of the stack, from the address in r3 on, can be read; uses r0 to r5. A window of the stack
 * is copied at a time, never across the end of a page: beyond it there may be nothing.
 */
function readStack(asm: Assembler, place: WalkPlace, bytes: number): void {
  const state = stateIn(place);
  const window = place.scratch + STACK_WINDOW;
  const have = asm.fresh('window');
  const fits = asm.fresh('fits');
  const last = WINDOW - bytes;
  asm.load(8, R1, SCRATCH, state.window).mov(R2, R3).alu('sub', R2, R1).jumpIf(R2, '<=', last, have);
  asm
    .store(8, SCRATCH, state.at, R3)
    .mov(R1, R3)
    .alu('or', R1, PAGE - 1)
    .alu('sub', R1, WINDOW - 1);
  asm.jumpIf(R3, '<=', R1, fits).mov(R3, R1).label(fits).store(8, SCRATCH, state.window, R3);
  asm.mov(R1, SCRATCH).alu('add', R1, window).mov(R2, WINDOW).call('probe_read_kernel');
  asm.jumpIf(R0, '!=', 0, 'walk.kernel').load(8, R2, SCRATCH, state.at).load(8, R1, SCRATCH, state.window);
  asm.alu('sub', R2, R1).jumpIf(R2, '>', last, 'walk.kernel');
  asm.label(have).mov(R1, SCRATCH).alu('add', R1, window).alu('add', R1, R2);
}
