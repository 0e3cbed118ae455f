/*
 * The kernel's words, which mean what they mean there:
 *
 * - perf event: what perf_event_open(2) makes, a file descriptor. It counts occurrences of something, and may run a BPF
 *   program at each; it is gone when the descriptor is closed.
 * - kprobe: a probe on an instruction of the kernel, put there by changing the code. Refused for functions that were
 *   compiled without tracing (`notrace`, all of lib/). Its `nmissed`: hits while another kprobe was being handled.
 * - breakpoint: an address in a debug register of the processor, which stops there. Belongs to one CPU.
 * - uprobe: a probe on an instruction of an executable or library, in every process that runs it.
 * - tracepoint: a call in the kernel's source, off until it is used (`TRACE_EVENT`). A raw
 *   tracepoint hands a BPF program the call's arguments.
 * - trace event: a tracepoint as tracefs lists it, with a record of its own and a number for perf; system calls have
 *   trace events only.
 * - histogram: what tracefs counts of a trace event by itself (`hist` trigger), without BPF.
 * - lost, missed: occurrences that the kernel knows of and did not give to the program (`recursion_misses`, `nmissed`).
 * - helper: a function of the kernel that BPF programs may call. Not the atlas' word for a function that passes a call on.
 *
 * And ours: the enable flag is a word of memory that says whether calls count (src/capture/session/enable-flag.ts).
 */
import type { Note } from '../../census/message.ts';
import type { ProgramContext } from '../bpf/program-context.ts';
import type { EngineRefusal } from '../refusals/reasons.ts';
import { refusalText } from '../refusals/words.ts';
import type { Descriptors } from '../sys/descriptors.ts';
import { SystemCallError } from '../sys/native.ts';
import type { Target } from '../targets/target.ts';
import type { TrialTarget } from '../targets/trial-targets.ts';

/** A way to count calls, as far as it concerns the command line, the documentation and `whocalls doctor`. */
export interface Engine {
  readonly name: string;
  /** How the calls come to be counted: by BPF programs, or by histograms of the kernel. */
  readonly backend: 'bpf' | 'histogram';
  /** What it is for, how it works and what limits it; the table of docs/how-it-counts.md. */
  readonly summary: { readonly targets: string; readonly how: string; readonly limits: string };
  /** What `whocalls doctor` tries it on, and says where that works. */
  readonly trial: { readonly on: TrialTarget; readonly brings: string };
  /** How many targets it takes is limited by the processor: free slots can be counted. */
  readonly hasSlots: boolean;
  /** Whether the engine is meant for this kind of target at all. */
  fits(target: Target): boolean;
  /** Tries it out beyond arming; null where it works. */
  check?(): EngineRefusal | null;
}

/** An engine that has the kernel run a BPF program at every call of a target. */
export interface BpfEngine extends Engine {
  readonly backend: 'bpf';
  /** What it cannot see even where it works. */
  readonly blindSpots: readonly Note[];
  /**
   * Engines of a higher number begin later and end earlier: they count all that happens in between, while others are
   * asked what they missed by bpf(2), which keeps BPF programs from running.
   */
  readonly order: number;
  /** Whether it may count a call again where an interrupt comes before the function's first instruction. */
  mayRepeat(): boolean;
  /**
   * Arms a target.
   * @throws {CannotArm} where the kernel refuses this engine for this target
   */
  arm(target: Target, context: EngineContext): Armed;
}

/**
 * What the kernel itself says about the calls of a target while the enable flag was on.
 * - `between`: an event of the kernel counted them, whether or not the program ran. `most` has calls that `least` has not
 *   where the target was called right as the event was read.
 * - `missed`: how many calls the kernel knows it kept from the program.
 * - `unknown`: the kernel did not count; `why` goes into the notes.
 */
export type KernelCount =
  | { readonly kind: 'between'; readonly least: number; readonly most: number }
  | { readonly kind: 'missed'; readonly calls: number }
  | { readonly kind: 'unknown'; readonly why: Note };

/**
 * A target whose BPF program runs at every call, or will once counting is about to begin; which of them count, the
 * enable flag says for all targets at once. Before and after, engines look at what the kernel knows of the calls.
 */
export interface Armed {
  /** The enable flag is set next. */
  beforeStart(): void;
  /** The enable flag has been cleared. */
  afterStop(): void;
  /**
   * Calls since the flag was set, those that a filter leaves out too, where that can be read without any effect on
   * counting.
   */
  soFar?(): number;
  /** To be asked after the flag has been cleared. */
  kernelCount(): KernelCount;
  /**
   * Of an engine that watches each CPU by itself: the CPUs that were watched until the end. The kernel drops the events
   * of a CPU that goes offline, and does not take them up when it is online again. undefined: all there are.
   */
  watched?(): readonly number[];
}

/** What an engine asks of the session: a BPF program that counts into the session's maps. */
export interface ProgramRequest {
  /** `enum bpf_prog_type` */
  readonly type: number;
  readonly context: ProgramContext;
  /** The kernel lets such programs interrupt each other on a CPU. */
  readonly isNested?: boolean;
  /** The stack of calls is the user part, not the kernel's. */
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
  /** How many calls the program has seen while the enable flag was off. */
  uncounted(): number;
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
