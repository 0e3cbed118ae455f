import type { PidNamespace } from '../sys/pid-namespace.ts';
import { type Assembler, R0, R1 } from './asm.ts';
import { type CoarseTime, emitCoarseTime } from './coarse-time.ts';
import { CONTEXT, FRAME } from './count-registers.ts';
import { KEY_PART_NAMES, KEY_PARTS, type KeyPartName } from './key-parts.ts';

/** What calls are told apart by, besides their stack and target. */
export type KeyOptions = {
  readonly [name in KeyPartName]?: boolean;
} & {
  /** Width of the time buckets in milliseconds. */
  readonly bucketMilliseconds?: number;
  /** An argument of the target. */
  readonly argument?: boolean;
};

/**
 * Where each part of a key of the map of counts lies, in bytes; parts that were not asked for are not there.
 * A key is no longer than it must be: it is hashed and compared at every call.
 */
export interface KeyLayout {
  /** 64-bit hash of the stack's contents; also the key of the map of stacks. */
  readonly stack: number;
  readonly target: number;
  readonly parts: { readonly [name in KeyPartName]?: number };
  readonly bucket: number | null;
  readonly argument: number | null;
  /** Where the parts end; up to `size` there are zeroes. */
  readonly end: number;
  /** Bytes of the whole key, a multiple of 8. */
  readonly size: number;
}

/** Lays the parts out without holes, 8-byte parts first. */
export function keyLayout(options: KeyOptions): KeyLayout {
  let end = 8;
  const place = (bytes: number): number => {
    end += bytes;
    return end - bytes;
  };
  const parts: { [name in KeyPartName]?: number } = {};
  const placeParts = (areWide: boolean) => {
    for (const name of KEY_PART_NAMES) {
      const { bytes } = KEY_PARTS[name];
      if (options[name] && bytes >= 8 === areWide) parts[name] = place(bytes);
    }
  };
  const argument = options.argument ? place(8) : null;
  placeParts(true);
  const target = place(4);
  placeParts(false);
  const bucket = options.bucketMilliseconds === undefined ? null : place(4);
  return { stack: 0, target, parts, bucket, argument, end, size: (end + 7) & ~7 };
}

/** What a key is made of, besides the hash of the stack. */
export interface KeyContent {
  readonly layout: KeyLayout;
  /** Index of the target. */
  readonly target: number;
  /** Of which pids are those of the key; the initial one unless given. */
  readonly pidNamespace: PidNamespace | undefined;
  readonly bucketMilliseconds: number | undefined;
  /** In place of buckets of one width; the map of uncounted calls has the number it needs. */
  readonly coarseTime?: { readonly time: CoarseTime; readonly map: number } | undefined;
  /** Byte offset in the context of the argument to record; undefined where the target has none. */
  readonly argumentOffset: number | undefined;
}

/** Fills the parts of the key after the hash, at `key` in the frame. Uses R0 to R5 and the 8 bytes at `slot`. */
export function emitKey(asm: Assembler, content: KeyContent, key: number, slot: number): void {
  const { layout, argumentOffset, pidNamespace } = content;
  asm.store(4, FRAME, key + layout.target, content.target);
  if (layout.argument !== null && argumentOffset !== undefined) {
    asm.load(8, R1, CONTEXT, argumentOffset).store(8, FRAME, key + layout.argument, R1);
  } else if (layout.argument !== null) {
    asm.store(8, FRAME, key + layout.argument, 0);
  }
  for (const name of KEY_PART_NAMES) {
    const offset = layout.parts[name];
    if (offset !== undefined) KEY_PARTS[name].emit(asm, { at: key + offset, pidNamespace, slot });
  }
  if (layout.bucket !== null && content.coarseTime) {
    emitCoarseTime(asm, content.coarseTime.time, content.coarseTime.map, key + layout.bucket);
  } else if (layout.bucket !== null) {
    asm.call('ktime_get_ns').load64(R1, BigInt(Math.round((content.bucketMilliseconds ?? 1000) * 1e6)));
    asm.alu('div', R0, R1).store(4, FRAME, key + layout.bucket, R0);
  }
  if (layout.end < layout.size) asm.store(4, FRAME, key + layout.end, 0);
}
