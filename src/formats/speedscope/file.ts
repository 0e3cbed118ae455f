// The file format of speedscope (https://www.speedscope.app/file-format-schema.json), as far as it is used here.

export const SPEEDSCOPE_SCHEMA = 'https://www.speedscope.app/file-format-schema.json';

export interface SpeedscopeFrame {
  readonly name: string;
  /** Of ours: `[kernel]`, a module `[ext4]`, a program's file. */
  readonly file?: string;
  readonly line?: number;
}

/** Stacks, outermost frame first, with a weight each. */
export interface SampledProfile {
  readonly type: 'sampled';
  readonly name?: string;
  readonly unit: string;
  readonly startValue: number;
  readonly endValue: number;
  readonly samples: readonly (readonly number[])[];
  readonly weights: readonly number[];
}

/** Frames that open and close as the value grows. */
export interface EventedProfile {
  readonly type: 'evented';
  readonly name?: string;
  readonly unit: string;
  readonly events: readonly { readonly type: 'O' | 'C'; readonly frame: number; readonly at: number }[];
}

export interface SpeedscopeFile {
  readonly $schema: string;
  readonly name?: string;
  readonly exporter?: string;
  readonly shared: { readonly frames: readonly SpeedscopeFrame[] };
  readonly profiles: readonly (SampledProfile | EventedProfile)[];
}

/** The file of a frame of the kernel image. */
export const KERNEL_FILE = '[kernel]';
/** Begins the outermost frame: the process. */
export const PROCESS_PREFIX = 'process ';
/** Begins the name of a profile of losses; a frame names the cause. */
export const LOST_PROFILE = '(lost)';
/** Begins a frame that the unwinder doubted. */
export const DOUBTED = '? ';
