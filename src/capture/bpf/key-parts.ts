import type { KeyColumnName } from '../../census/call-key.ts';
import type { PidNamespace } from '../sys/pid-namespace.ts';
import { type Assembler, R0, R1, R2, R3, R4 } from './asm.ts';
import { FRAME } from './count-registers.ts';
import { COMM_LENGTH, decodeTaskName } from './task-name.ts';

/** Where a part of a key is written, and with what. */
export interface PartPlace {
  /** Offset in the frame. */
  readonly at: number;
  /** Of which pids are; the initial one unless given. */
  readonly pidNamespace: PidNamespace | undefined;
  /** Offset of 8 bytes in the frame that are free. */
  readonly slot: number;
}

/** Something that calls are told apart by when that is asked for by its name (`--keys`). */
interface KeyPart {
  readonly bytes: 4 | 8 | 16;
  /** Writes it to the key of a call. May use R0 to R5. */
  readonly emit: (asm: Assembler, place: PartPlace) => void;
  /** Reads it out of a key. */
  readonly read: (key: Buffer, at: number) => string | number;
}

const number32 = (key: Buffer, at: number) => key.readUInt32LE(at);

/**
 * The parts of keys that are asked for by name, which is that of the census' column. This table is the only list of
 * them: options, layout, programs and reading follow it.
 */
export const KEY_PARTS = {
  comm: {
    bytes: COMM_LENGTH,
    emit: (asm, { at }) => emitComm(asm, at),
    read: (key, at) => decodeTaskName(key.subarray(at, at + COMM_LENGTH)),
  },
  pid: {
    bytes: 4,
    emit: (asm, { at, pidNamespace, slot }) => {
      emitPid(asm, pidNamespace, slot);
      asm.store(4, FRAME, at, R0);
    },
    read: number32,
  },
  cpu: {
    bytes: 4,
    emit: (asm, { at }) => asm.call('get_smp_processor_id').store(4, FRAME, at, R0),
    read: number32,
  },
} as const satisfies { readonly [name in KeyColumnName]?: KeyPart };

export type KeyPartName = keyof typeof KEY_PARTS;

/** The names, as `--keys` takes them. */
export const KEY_PART_NAMES = Object.keys(KEY_PARTS) as readonly KeyPartName[];

/** Whether a word is one of them. */
export function isKeyPart(word: string): word is KeyPartName {
  return Object.hasOwn(KEY_PARTS, word);
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
