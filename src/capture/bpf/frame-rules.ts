import { type Assembler, R0, R1, R2, R3, R4, R5, R6, R8, R9, type Register } from './asm.ts';
import { SCRATCH } from './count-registers.ts';

/** Where rules are kept, and what they are learned from. */
export interface RuleSource {
  /** Array of one element, {@link RULES_SIZE} bytes: how the caller is found from a frame at some address. */
  readonly rules: number;
  /** Array of {@link CODE_TABLE_SIZE} bytes per kernel image or module: where its ORC table lies. */
  readonly tables: number;
  /** Number of tables, ascending by the start of the code. */
  readonly tableCount: number;
  readonly format: OrcFormat;
}

/**
 * The layouts of `struct orc_entry`.
 * - `2-bit`: before Linux 6.3, a type of two bits and a flag for the end of the stack.
 * - `3-bit`: since 6.4, a type of three bits, the end of the stack among them, and a flag for interrupted code.
 */
export type OrcFormat = '2-bit' | '3-bit';

/**
 * Rules lie in pairs, at a place that depends on the address. A rule is one word, so that it is read and written as a
 * whole whatever other processors do:
 * bits 32 to 63 the address (the upper half is all ones wherever kernel code is), 0 to 11 the caller's stack pointer
 * and 12 to 23 the saved frame pointer below that, in words, 24 to 25 what the former is counted from, 26 to 27 a kind.
 */
export const RULE = { stack: 0, frame: 12, base: 24, kind: 26 } as const;
const PAIRS_BITS = 14;
export const RULES_SIZE = 16 << PAIRS_BITS;
export const MOST_WORDS = 0xfff;
export const BASE = { stack: 0, frame: 1, indirect: 2 } as const;
export const KIND = { call: 0, registers: 1, end: 2, unknown: 3 } as const;
/** Any odd number whose product spreads addresses that are close. */
const SPREAD = 0x61c88647;
/** Fields of an entry in the table of code: where it starts, its ORC addresses, its ORC entries, how many. */
export const CODE_TABLE = { start: 0, addresses: 8, entries: 16, count: 24 } as const;

export const CODE_TABLE_SIZE = 32;

/** Numbers of registers in ORC entries. */
const ORC = { undefined: 0, previousStack: 1, frame: 4, stack: 5, stackIndirect: 9 } as const;
const ORC_ENTRY = 6;
/** 2^24 entries are more than any kernel has. */
const SEARCH_STEPS = 24;

/** What learning keeps from step to step, by offset in its part of the scratch space. */
const STATE = { word: 0, at: 8, middle: 16, addresses: 24, entries: 32, high: 40 } as const;
/** Bytes of scratch space that learning needs. */
export const LEARN_SCRATCH = 48;

/** How learning fits into the program around it. */
export interface LearnPlace {
  /** Offset in the scratch space of {@link LEARN_SCRATCH} bytes. */
  readonly scratch: number;
  /** Offset in the scratch space of the address to learn about. */
  readonly address: number;
  /** Where to go afterwards, whether something was learned or not. */
  readonly next: string;
}

type State = { readonly [name in keyof typeof STATE]: number };

/** `rule` = what is known of the address in a register; goes to `unknown` where nothing is. Uses r2, r3. */
export function emitFindRule(
  asm: Assembler,
  { rules }: RuleSource,
  address: Register,
  rule: Register,
  unknown: string,
): void {
  const found = asm.fresh('rule');
  rulesOf(asm, rules, address);
  for (const at of [0, 8]) {
    asm.load(8, rule, R3, at).mov(R2, rule).alu('arsh', R2, 32);
    if (at === 0) asm.jumpIf(R2, '==', address, found);
    else asm.jumpIf(R2, '!=', address, unknown);
  }
  asm.label(found);
}

/** r3 = the pair of rules for an address; uses r2. */
function rulesOf(asm: Assembler, rules: number, address: Register): void {
  asm.mov(R2, address).alu('mul', R2, SPREAD).alu('rsh', R2, 20);
  asm.alu('and', R2, (1 << PAIRS_BITS) - 1).alu('lsh', R2, 4);
  asm.loadMapValue(R3, rules).alu('add', R3, R2);
}

/** Looks up what the kernel knows of an address and keeps it as a rule. Uses all registers but r7. */
export function emitLearnRule(asm: Assembler, plan: RuleSource, place: LearnPlace): void {
  const address = R6;
  const low = R8;
  const steps = R9;
  const { next, scratch } = place;
  const state = Object.fromEntries(Object.entries(STATE).map(([name, at]) => [name, scratch + at])) as State;
  asm.load(8, address, SCRATCH, place.address);
  // The code with the highest start not above the address.
  asm.store(8, SCRATCH, state.high, 0).mov(steps, 0);
  asm.label('learn.code').store(4, SCRATCH, state.word, steps);
  asm.loadMap(R1, plan.tables).mov(R2, SCRATCH).alu('add', R2, state.word).call('map_lookup_elem');
  asm.jumpIf(R0, '==', 0, 'learn.found').load(8, R1, R0, CODE_TABLE.start).jumpIf(R1, '>', address, 'learn.found');
  asm.load(8, R1, R0, CODE_TABLE.addresses).store(8, SCRATCH, state.addresses, R1);
  asm.load(8, R1, R0, CODE_TABLE.entries).store(8, SCRATCH, state.entries, R1);
  asm.load(8, R1, R0, CODE_TABLE.count).store(8, SCRATCH, state.high, R1);
  asm.alu('add', steps, 1).jumpIf(steps, '<', plan.tableCount, 'learn.code');

  // In its table, the last entry whose address is not above: addresses are relative to where they stand.
  asm.label('learn.found').mov(low, 0).mov(steps, 0);
  asm.label('learn.search').load(8, R1, SCRATCH, state.high).jumpIf(low, '>=', R1, 'learn.entry');
  asm.mov(R2, low).alu('add', R2, R1).alu('rsh', R2, 1).store(8, SCRATCH, state.middle, R2);
  asm.alu('lsh', R2, 2).load(8, R3, SCRATCH, state.addresses).alu('add', R3, R2).store(8, SCRATCH, state.at, R3);
  readKernel(asm, state.word, 4, next);
  asm.load(4, R1, SCRATCH, state.word).alu('lsh', R1, 32).alu('arsh', R1, 32);
  asm.load(8, R2, SCRATCH, state.at).alu('add', R1, R2).jumpIf(R1, '>', address, 'learn.lower');
  asm.load(8, low, SCRATCH, state.middle).alu('add', low, 1).jump('learn.step');
  asm.label('learn.lower').load(8, R1, SCRATCH, state.middle).store(8, SCRATCH, state.high, R1);
  asm.label('learn.step').alu('add', steps, 1).jumpIf(steps, '<', SEARCH_STEPS, 'learn.search');

  asm.label('learn.entry').jumpIf(low, '==', 0, next);
  asm.alu('sub', low, 1).alu('mul', low, ORC_ENTRY).load(8, R3, SCRATCH, state.entries).alu('add', R3, low);
  readKernel(asm, state.word, ORC_ENTRY, next);
  emitRule(asm, plan.format, state.word);
  // r4 = the rule without its address, which has to be one of kernel code
  asm.mov(R2, address).alu('arsh', R2, 31).jumpIf(R2, '!=', -1, next);
  asm.mov(R5, address).alu('lsh', R5, 32).alu('or', R5, R4);
  rulesOf(asm, plan.rules, address);
  asm.load(8, R4, R3, 0).store(8, R3, 8, R4).store(8, R3, 0, R5).jump(next);
}

/** Copies kernel memory at r3 to the scratch space. */
function readKernel(asm: Assembler, to: number, bytes: number, otherwise: string): void {
  asm.mov(R1, SCRATCH).alu('add', R1, to).mov(R2, bytes).call('probe_read_kernel');
  asm.jumpIf(R0, '!=', 0, otherwise);
}

/** r4 = the rule of the ORC entry in the scratch space; whatever is not understood completely is left to the kernel. */
function emitRule(asm: Assembler, format: OrcFormat, word: number): void {
  const kind = R2;
  const rule = R4;
  asm.load(2, R1, SCRATCH, word + 4).mov(rule, 0);
  // r3 = register the caller's stack is counted from, r5 = type and flag
  asm.mov(R3, R1).alu('and', R3, 15);
  asm.mov(R5, R1).alu('rsh', R5, 8);
  if (format === '3-bit') {
    asm.alu('and', R5, 15);
    asm
      .jumpIf(R5, '==', 1, 'rule.end')
      .jumpIf(R5, '==', 2, 'rule.call')
      .jumpIf(R5, '==', 3 | 8, 'rule.registers');
  } else {
    asm.alu('and', R5, 7);
    asm.jumpIf(R5, '==', 4, 'rule.last').jumpIf(R5, '==', 0, 'rule.call').jumpIf(R5, '==', 1, 'rule.registers');
  }
  asm.label('rule.unknown').mov(rule, 0).mov(kind, KIND.unknown).jump('rule.kind');
  if (format === '2-bit') asm.label('rule.last').jumpIf(R3, '!=', ORC.undefined, 'rule.unknown');
  asm.label('rule.end').mov(kind, KIND.end).jump('rule.kind');
  asm.label('rule.registers').mov(kind, KIND.registers).jump('rule.base');

  asm.label('rule.call').mov(kind, KIND.call);
  asm.label('rule.base').alu('rsh', R1, 4).alu('and', R1, 15).jumpIf(R1, '==', ORC.undefined, 'rule.frame.kept');
  asm.jumpIf(R1, '!=', ORC.previousStack, 'rule.unknown').jumpIf(kind, '==', KIND.registers, 'rule.unknown');
  asm
    .load(2, R1, SCRATCH, word + 2)
    .alu('lsh', R1, 48)
    .alu('arsh', R1, 48)
    .mov(R5, 0)
    .alu('sub', R5, R1);
  emitWords(asm, RULE.frame);
  asm.jumpIf(R5, '==', 0, 'rule.unknown');
  asm.label('rule.frame.kept').load(2, R5, SCRATCH, word).alu('lsh', R5, 48).alu('arsh', R5, 48);
  emitWords(asm, RULE.stack);
  asm.mov(R1, BASE.stack).jumpIf(R3, '==', ORC.stack, 'rule.based');
  asm.mov(R1, BASE.frame).jumpIf(R3, '==', ORC.frame, 'rule.based');
  asm.mov(R1, BASE.indirect).jumpIf(R3, '!=', ORC.stackIndirect, 'rule.unknown');
  asm.label('rule.based').alu('lsh', R1, RULE.base).alu('or', rule, R1);
  asm.label('rule.kind').alu('lsh', kind, RULE.kind).alu('or', rule, kind);
}

/** Adds the bytes in r5 to the rule in r4 as words; uses r1. */
function emitWords(asm: Assembler, shift: number): void {
  asm.mov(R1, R5).alu('and', R1, 7).jumpIf(R1, '!=', 0, 'rule.unknown');
  asm.jumpIf(R5, '>', MOST_WORDS * 8, 'rule.unknown');
  asm.mov(R1, R5).alu('rsh', R1, 3).alu('lsh', R1, shift).alu('or', R4, R1);
}
