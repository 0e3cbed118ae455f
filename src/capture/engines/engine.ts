import type { Note } from '../../census/message.ts';
import type { ProgramContext } from '../bpf/count-program.ts';
import type { EngineRefusal } from '../refusals/reasons.ts';
import { refusalText } from '../refusals/words.ts';
import type { Descriptors } from '../sys/descriptors.ts';
import { SystemCallError } from '../sys/native.ts';
import type { Target } from '../targets/target.ts';

export type EngineName = 'kprobe' | 'breakpoint' | 'tracepoint' | 'uprobe' | 'hist';

/**
 * What the kernel itself says about the calls of a target while the gate was open.
 * - `between`: an event of the kernel counted them, whether or not the program ran. `most` has calls that `least` has not
 *   where the target was called right as the event was read.
 * - `missed`: how many calls the kernel knows it kept from the program.
 * - `unknown`: the kernel did not count; `why` goes into the notes.
 */
export type Truth =
  | { readonly kind: 'between'; readonly least: number; readonly most: number }
  | { readonly kind: 'missed'; readonly calls: number }
  | { readonly kind: 'unknown'; readonly why: Note };

/**
 * A target whose program runs at every call, or will once the gate is about to open; which of them count, the gate says
 * for all targets at once. Around its opening and closing engines look at what the kernel knows of the calls.
 */
export interface Armed {
  /** The gate opens next. */
  opening(): void;
  /** The gate has closed. */
  closed(): void;
  /** To be asked after the gate has closed. */
  truth(): Truth;
  /**
   * Of an engine that watches each CPU by itself: the CPUs that were watched until the gate closed. The kernel drops the
   * events of a CPU that goes offline, and does not take them up when it returns. undefined: all there are.
   */
  watched?(): readonly number[];
}

/** What an engine asks of the session: a program that counts into the session's maps. */
export interface ProgramRequest {
  /** `enum bpf_prog_type` */
  readonly type: number;
  readonly context: ProgramContext;
  /** The stack of calls is the one in the program, not the kernel's. */
  readonly userStack?: boolean;
}

/** The session as an engine sees it that arms a target. */
export interface EngineContext {
  /** Numbers of the CPUs that are online; at least one. */
  readonly cpus: readonly [number, ...number[]];
  /** What keeps the target armed: closed at the end, or at once where arming fails. */
  readonly held: Descriptors;
  /** Loads the counting program of the target; `held` holds it. */
  loadProgram(request: ProgramRequest): number;
  /** How many calls the program has seen while the gate was closed. */
  outside(): number;
}

/** A way to have the kernel run a program at every call of a target. */
export interface Engine {
  readonly name: EngineName;
  /** What this engine cannot see even where it works. */
  readonly blindSpots: readonly Note[];
  /** Whether the engine is meant for this kind of target at all. */
  fits(target: Target): boolean;
  /**
   * Arms a target.
   * @throws {CannotArm} where the kernel refuses this engine for this target
   */
  arm(target: Target, context: EngineContext): Armed;
}

/** The kernel refuses an engine for a target; another engine may do. */
export class CannotArm extends Error {
  override readonly name = 'CannotArm';
  readonly refusal: EngineRefusal;

  constructor(refusal: EngineRefusal, options: { readonly cause?: unknown } = {}) {
    super(refusalText(refusal), options);
    this.refusal = refusal;
  }
}

/** Errors that another engine would meet as well. */
const NO_DESCRIPTORS: readonly string[] = ['EMFILE', 'ENFILE'];

/**
 * Asks the kernel for something that it may refuse.
 * @throws {CannotArm} it did, for the reason that `whyNot` sees in it, or for that of the system call
 */
export function ask<T>(request: () => T, whyNot: (error: SystemCallError) => EngineRefusal | undefined): T {
  try {
    return request();
  } catch (error) {
    if (!(error instanceof SystemCallError) || NO_DESCRIPTORS.includes(error.errno)) throw error;
    throw new CannotArm(whyNot(error) ?? { code: 'engine-refused', why: error.message }, { cause: error });
  }
}
