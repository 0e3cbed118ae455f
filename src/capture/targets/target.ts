import type { KernelFunction } from '../symbols/function-map.ts';

/** What targets of all kinds have. */
interface AnyTarget {
  readonly name: string;
  /** The word whose pattern it matched, where it was not named itself: others will do if it cannot be counted. */
  readonly pattern?: string;
}

/** A kernel function, at every address it has. */
export interface FunctionTarget extends AnyTarget {
  readonly kind: 'function';
  /** Normalised: without the suffixes of compiler copies. */
  readonly name: string;
  readonly functions: readonly KernelFunction[];
}

/** A static tracepoint: `sched:sched_switch`. */
export interface TracepointTarget extends AnyTarget {
  readonly kind: 'tracepoint';
  readonly name: string;
  readonly category: string;
  readonly event: string;
}

/** A function of an executable or library: `/usr/lib/libc.so.6:malloc`. */
export interface UserTarget extends AnyTarget {
  readonly kind: 'user';
  readonly name: string;
  /** The file as it was named. */
  readonly path: string;
  /** The file without symbolic links, as processes map it. */
  readonly file: string;
  readonly symbol: string;
  /** Byte offsets in the file: versions of one function have one name. */
  readonly offsets: readonly bigint[];
}

export type Target = FunctionTarget | TracepointTarget | UserTarget;
