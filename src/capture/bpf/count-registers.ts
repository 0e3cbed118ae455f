import { R6, R7, R8, R9, R10 } from './asm.ts';

// What registers hold throughout the counting program. Those below are lost in calls and free to use.

/** What the kernel gives the program: see {@link ProgramContext}. */
export const CONTEXT = R6;
/** The scratch space of this run of the program. */
export const SCRATCH = R7;
/** Bytes of the part of the stack that is hashed. */
export const LENGTH = R8;
/** Hash of the stack. */
export const HASH = R9;
/** The end of the program's frame. */
export const FRAME = R10;
