import type { ProgramContext } from '../bpf/count-program.ts';
import type { Target } from '../targets.ts';

export type EngineName = 'kprobe' | 'breakpoint' | 'tracepoint' | 'uprobe' | 'hist';

/**
 * What the kernel itself says about the calls of a target while it was armed.
 * - `exact`: an event of the kernel counted them, whether or not the program ran.
 * - `between`: the same, but the counters could not be switched together with the program: calls in the moment of
 *   arming or disarming may be in `most` and not in `least`.
 * - `missed`: how many calls the kernel knows it kept from the program.
 * - `unknown`: nobody counted; `why` goes into the notes.
 */
export type Truth =
  | { readonly kind: 'exact'; readonly calls: number }
  | { readonly kind: 'between'; readonly least: number; readonly most: number }
  | { readonly kind: 'missed'; readonly calls: number }
  | { readonly kind: 'unknown'; readonly why: string };

/** A target under watch. Nothing is counted before `start`; closing is allowed at any time. */
export interface Armed {
  start(): void;
  stop(): void;
  truth(): Truth;
  /**
   * Of an engine that watches each CPU by itself: the CPUs that were watched all the time from start to stop. The kernel
   * drops the events of a CPU that goes offline, and does not take them up when it returns. undefined: all there are.
   */
  watched?(): readonly number[];
  close(): void;
}

/** What an engine asks of the session: a program that counts into the session's maps. */
export interface ProgramRequest {
  /** `enum bpf_prog_type` */
  readonly type: number;
  readonly context: ProgramContext;
  /** The stack of calls is the one in the program, not the kernel's. */
  readonly userStack?: boolean;
}

/** The session as an engine sees it. */
export interface EngineContext {
  /** Numbers of the CPUs that are online. */
  readonly cpus: readonly number[];
  /** Loads the counting program of the target with this index; the session closes it. */
  loadProgram(target: number, request: ProgramRequest): number;
}

/** A way to have the kernel run a program at every call of a target. */
export interface Engine {
  readonly name: EngineName;
  /** What this engine cannot see even where it works, a sentence each. */
  readonly blindSpots: readonly string[];
  /** Whether the engine is meant for this kind of target at all. */
  fits(target: Target): boolean;
  /**
   * Arms the target with this index, started later.
   * @throws {CannotArm} where the kernel refuses this engine for this target
   */
  arm(target: Target, index: number, context: EngineContext): Armed;
}

/** The kernel refuses an engine for a target; another engine may do. */
export class CannotArm extends Error {
  override readonly name = 'CannotArm';
}
