import type { CaptureFilter } from '../bpf/capture-filter.ts';
import type { EngineName } from '../engines/engines.ts';
import type { Kallsyms } from '../symbols/kallsyms.ts';
import type { RecordedArgument, RequestedKeys } from '../targets/arguments.ts';
import type { Target } from '../targets/target.ts';

/**
 * How calls are to be counted, as whoever asks may choose. It goes as a whole from the command line to the BPF program.
 */
export interface CountingOptions {
  /** Use this engine and no other. */
  readonly engine?: EngineName | undefined;
  readonly filter: CaptureFilter;
  readonly keys: RequestedKeys;
  /** Width of time buckets. */
  readonly bucketMilliseconds?: number | undefined;
  /** Without buckets of one width: tell calls apart by time coarsely, as long as there is room for it. */
  readonly coarseTimes?: boolean | undefined;
  /** Times were asked for, and not only taken because COMMAND is known to have phases. */
  readonly needsTimes?: boolean | undefined;
  /** Let BPF programs recognise stacks by walking them; else the kernel's unwinder takes every one. */
  readonly walk: boolean;
  /** Take the user part of stacks as well. */
  readonly userStacks: boolean;
  /** How many distinct stacks there is room for; a stack takes about 1 KiB of kernel memory. */
  readonly maxStacks: number;
  /** How many distinct combinations of stack, target and further keys there is room for. */
  readonly maxKeys: number;
  /** Called before each target is armed: its name, 1 for the first, and how many there are. */
  readonly onArming?: (name: string, number: number, targets: number) => void;
}

/** What to count and how. */
export interface CapturePlan extends CountingOptions {
  readonly targets: readonly Target[];
  /** The argument to record of each target, by index of the target. */
  readonly arguments: readonly (RecordedArgument | undefined)[];
  /** Names of the running kernel, by which BPF programs can walk stacks. */
  readonly kallsyms: Kallsyms | null;
  /** Descriptors of cgroups; the task has to be under every one of them. */
  readonly cgroups: readonly number[];
  /** What was counted so far will be asked for while counting goes on. */
  readonly needsSnapshots: boolean;
}
