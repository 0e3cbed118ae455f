import { WALK_SCRATCH } from './stack-walk.ts';

/** Frames kept of a stack: what the kernel itself collects at most (sysctl kernel.perf_event_max_stack). */
export const MAX_FRAMES = 127;
export const STACK_BYTES = MAX_FRAMES * 8;
/** A stack as it is stored: 127 addresses, and one of zero to end them. */
const STACK_ROOM = STACK_BYTES + 8;

/** Byte offset of the user part in a stored stack. */
export const USER_PART = STACK_ROOM;

/** Bytes of one stored stack: kernel part, then the user part if asked for; unused frames are 0. */
export function stackRecordSize(userStacks: boolean): number {
  return userStacks ? 2 * STACK_ROOM : STACK_ROOM;
}

/**
 * A buffer of the scratch space: a busy flag, how many stacks were recognised by walking, how many of these were
 * checked against the kernel's unwinder and how many of those differed, a stack record, and what a walk needs.
 */
export const SCRATCH_SPACE = { busy: 0, walked: 8, checked: 16, differed: 24, stack: 32 } as const;

/** Byte offset of what a walk needs. */
export function walkScratch(userStacks: boolean): number {
  return SCRATCH_SPACE.stack + stackRecordSize(userStacks);
}

/** Bytes of a buffer. */
export function scratchSize(userStacks: boolean): number {
  return walkScratch(userStacks) + WALK_SCRATCH;
}
