import { arch } from './arch.ts';
import { addressOf, SystemCallError, type SystemCallRequest, trySystemCall } from './native.ts';
import { Struct } from './struct.ts';

/** A command of bpf(2) with its part of `union bpf_attr` (include/uapi/linux/bpf.h), and what it works on. */
interface Command {
  /** `enum bpf_cmd` */
  readonly number: number;
  readonly object: string;
}

export const MAP_CREATE: Command = { number: 0, object: 'map' };
export const MAP_LOOKUP_ELEM: Command = { number: 1, object: 'map element' };
export const MAP_UPDATE_ELEM: Command = { number: 2, object: 'map element' };
export const MAP_GET_NEXT_KEY: Command = { number: 4, object: 'map element' };
export const PROG_LOAD: Command = { number: 5, object: 'program' };
export const PROG_TEST_RUN: Command = { number: 10, object: 'program' };
export const OBJ_GET_INFO_BY_FD: Command = { number: 15, object: 'object info' };
export const RAW_TRACEPOINT_OPEN: Command = { number: 17, object: 'raw tracepoint' };
export const MAP_LOOKUP_BATCH: Command = { number: 24, object: 'map elements' };
export const LINK_CREATE: Command = { number: 28, object: 'link' };

/** For {@link MAP_CREATE}. */
export const MAP_ATTR = new Struct(72, {
  map_type: [0, 4],
  key_size: [4, 4],
  value_size: [8, 4],
  max_entries: [12, 4],
  map_flags: [16, 4],
  map_name: [28, 16],
});

/** For the commands on one element. */
export const ELEMENT_ATTR = new Struct(32, {
  map_fd: [0, 4],
  key: [8, 8],
  /** Or the next key. */
  value: [16, 8],
});

/** For {@link MAP_LOOKUP_BATCH}. */
export const BATCH_ATTR = new Struct(56, {
  in_batch: [0, 8],
  out_batch: [8, 8],
  keys: [16, 8],
  values: [24, 8],
  /** Room, and afterwards how many there were. */
  count: [32, 4],
  map_fd: [36, 4],
});

/** For {@link PROG_LOAD}. */
export const PROGRAM_ATTR = new Struct(72, {
  prog_type: [0, 4],
  insn_cnt: [4, 4],
  insns: [8, 8],
  license: [16, 8],
  log_level: [24, 4],
  log_size: [28, 4],
  log_buf: [32, 8],
  prog_flags: [44, 4],
  prog_name: [48, 16],
});

/** For {@link PROG_TEST_RUN}. */
export const TEST_RUN_ATTR = new Struct(72, { prog_fd: [0, 4], retval: [4, 4] });

/** For {@link RAW_TRACEPOINT_OPEN}. */
export const RAW_TRACEPOINT_ATTR = new Struct(16, { name: [0, 8], prog_fd: [8, 4] });

/** For {@link LINK_CREATE}. */
export const LINK_ATTR = new Struct(32, { prog_fd: [0, 4], target_fd: [4, 4], attach_type: [8, 4] });

/** For {@link OBJ_GET_INFO_BY_FD}. */
export const INFO_ATTR = new Struct(16, {
  bpf_fd: [0, 4],
  /** Room, and afterwards how much the kernel knows of. */
  info_len: [4, 4],
  info: [8, 8],
});

/**
 * Makes the system call bpf(2).
 * @param name of the object, for the error
 * @throws {SystemCallError}
 */
export function bpf(command: Command, attr: Buffer, name?: string): number {
  const result = tryBpf(command, attr);
  if (typeof result === 'string') throw new SystemCallError(request(command, name), result);
  return result;
}

/** The same, where a refusal is an answer: a number, or the name of the error. */
export function tryBpf({ number }: Command, attr: Buffer): number | string {
  return trySystemCall(arch().syscalls.bpf, number, addressOf(attr), attr.length);
}

/** What a command asks for, to be named in an error. */
export function request({ object }: Command, name?: string): SystemCallRequest {
  return { call: 'bpf', object, ...(name !== undefined && { name }) };
}
