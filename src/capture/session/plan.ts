import type { Filter } from '../bpf/count-program.ts';
import type { KeyOptions } from '../bpf/key-layout.ts';
import type { EngineName } from '../engines/engine.ts';
import type { Kallsyms } from '../symbols/kallsyms.ts';
import type { RecordedArgument } from '../targets/arguments.ts';
import type { Target } from '../targets/target.ts';

/** What to count and how. */
export interface CapturePlan {
  readonly targets: readonly Target[];
  /** Names of the running kernel, by which programs can walk stacks; without, the kernel takes every stack. */
  readonly kallsyms?: Kallsyms;
  /** Use this engine and no other. */
  readonly engine?: EngineName;
  readonly keys: KeyOptions;
  readonly filter: Filter;
  readonly userStacks: boolean;
  /** The argument to record of each target, by index of the target. */
  readonly arguments: readonly (RecordedArgument | undefined)[];
  /** Descriptors of cgroups; the task has to be under every one of them. */
  readonly cgroups: readonly number[];
  /** How many distinct stacks there is room for; a stack takes about 1 KiB of kernel memory. */
  readonly maxStacks: number;
  /** How many distinct combinations of stack, target and further keys there is room for. */
  readonly maxKeys: number;
  /** Called before each target is armed: its name, 1 for the first, and how many there are. */
  readonly onArming?: (name: string, number: number, targets: number) => void;
}
