/** What calls are told apart by, besides their stack and target. */
export interface KeyOptions {
  readonly pid?: boolean;
  readonly comm?: boolean;
  readonly cpu?: boolean;
  /** Width of the time buckets in milliseconds. */
  readonly bucketMilliseconds?: number;
  /** An argument of the target. */
  readonly argument?: boolean;
}

/**
 * Where each part of a key of the map of counts lies, in bytes; null for a part that was not asked for.
 * A key is no longer than it must be: it is hashed and compared at every call.
 */
export interface KeyLayout {
  /** 64-bit hash of the stack's contents; also the key of the map of stacks. */
  readonly stack: number;
  readonly target: number;
  readonly pid: number | null;
  readonly comm: number | null;
  readonly cpu: number | null;
  readonly bucket: number | null;
  readonly argument: number | null;
  /** Bytes of the whole key, a multiple of 8. */
  readonly size: number;
}

/** Length of a task's name in the kernel (TASK_COMM_LEN). */
export const COMM_LENGTH = 16;

/** Lays the parts out without holes, 8-byte parts first. */
export function keyLayout(options: KeyOptions): KeyLayout {
  let size = 8;
  const place = (wanted: boolean, bytes: number): number | null => {
    if (!wanted) return null;
    const offset = size;
    size += bytes;
    return offset;
  };
  const argument = place(options.argument === true, 8);
  const comm = place(options.comm === true, COMM_LENGTH);
  const target = size;
  size += 4;
  const pid = place(options.pid === true, 4);
  const cpu = place(options.cpu === true, 4);
  const bucket = place(options.bucketMilliseconds !== undefined, 4);
  return { stack: 0, target, pid, comm, cpu, bucket, argument, size: (size + 7) & ~7 };
}
