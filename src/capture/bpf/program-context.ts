import { arch } from '../sys/arch.ts';

/** What a BPF program finds in its context, which depends on what the kernel runs it for. */
export interface ProgramContext {
  /** Byte offset of argument `number` (1 the first); undefined where there is no such argument. */
  argumentOffset(number: number): number | undefined;
  /**
   * The registers of a function that is about to execute its first instruction: its stack can be walked, and its caller
   * is not in a frame yet.
   */
  readonly isFunctionEntry: boolean;
  /** There may be no kernel stack at all. */
  readonly mayBeEmpty: boolean;
}

/** The registers at a function's entry: kprobes, breakpoints, uprobes. */
export const FUNCTION_ENTRY: ProgramContext = {
  argumentOffset: (number) => arch().argumentOffsets[number - 1],
  isFunctionEntry: true,
  mayBeEmpty: false,
};

/** The arguments of a raw tracepoint, 8 bytes each. */
export const RAW_TRACEPOINT: ProgramContext = {
  argumentOffset: (number) => (number <= 12 ? (number - 1) * 8 : undefined),
  isFunctionEntry: false,
  mayBeEmpty: false,
};

/** The record of a system call's trace event: 8 bytes of header, 8 of its number, then the arguments. */
export const SYSCALL_EVENT: ProgramContext = {
  argumentOffset: (number) => (number <= 6 ? 8 + number * 8 : undefined),
  isFunctionEntry: false,
  mayBeEmpty: true,
};
