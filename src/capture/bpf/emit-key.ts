import type { PidNamespace } from '../sys/pid-namespace.ts';
import { type Assembler, R0, R1, R2, R3, R4 } from './asm.ts';
import { CONTEXT, FRAME } from './count-registers.ts';
import { COMM_LENGTH, type KeyLayout } from './key-layout.ts';

/** What a key is made of, besides the hash of the stack. */
export interface KeyContent {
  readonly layout: KeyLayout;
  /** Index of the target. */
  readonly target: number;
  /** Of which pids are those of the key; the initial one unless given. */
  readonly pidNamespace: PidNamespace | undefined;
  readonly bucketMilliseconds: number | undefined;
  /** Byte offset in the context of the argument to record; undefined where the target has none. */
  readonly argumentOffset: number | undefined;
}

/** Fills the parts of the key after the hash, at `key` in the frame. Uses R0 to R4 and the 8 bytes at `slot`. */
export function emitKey(asm: Assembler, content: KeyContent, key: number, slot: number): void {
  const { layout, argumentOffset } = content;
  asm.store(4, FRAME, key + layout.target, content.target);
  let end = layout.target + 4;
  if (layout.argument !== null && argumentOffset !== undefined) {
    asm.load(8, R1, CONTEXT, argumentOffset).store(8, FRAME, key + layout.argument, R1);
  } else if (layout.argument !== null) {
    asm.store(8, FRAME, key + layout.argument, 0);
  }
  if (layout.comm !== null) emitComm(asm, key + layout.comm);
  if (layout.pid !== null) {
    emitPid(asm, content.pidNamespace, slot);
    asm.store(4, FRAME, key + layout.pid, R0);
    end = layout.pid + 4;
  }
  if (layout.cpu !== null) {
    asm.call('get_smp_processor_id').store(4, FRAME, key + layout.cpu, R0);
    end = layout.cpu + 4;
  }
  if (layout.bucket !== null) {
    asm.call('ktime_get_ns').load64(R1, BigInt(Math.round((content.bucketMilliseconds ?? 1000) * 1e6)));
    asm.alu('div', R0, R1).store(4, FRAME, key + layout.bucket, R0);
    end = layout.bucket + 4;
  }
  if (end < layout.size) asm.store(4, FRAME, key + end, 0);
}

/** R0 = pid (thread group), 0 where the namespace has none for it. Uses the 8 bytes at `slot`. */
export function emitPid(asm: Assembler, namespace: PidNamespace | undefined, slot: number): void {
  if (!namespace) {
    asm.call('get_current_pid_tgid').alu('rsh', R0, 32);
    return;
  }
  // It clears what it cannot fill.
  asm.load64(R1, namespace.device).load64(R2, namespace.inode).mov(R3, FRAME).alu('add', R3, slot).mov(R4, 8);
  asm.call('get_ns_current_pid_tgid').load(4, R0, FRAME, slot + 4);
}

/** Writes the task's name to the frame; cleared first, because the kernel may write no further than its end. */
export function emitComm(asm: Assembler, at: number): void {
  asm.store(8, FRAME, at, 0).store(8, FRAME, at + 8, 0);
  asm.mov(R1, FRAME).alu('add', R1, at).mov(R2, COMM_LENGTH).call('get_current_comm');
}
