import { UserError } from '../../errors.ts';
import {
  bpf,
  INFO_ATTR,
  LINK_ATTR,
  LINK_CREATE,
  OBJ_GET_INFO_BY_FD,
  PROG_LOAD,
  PROG_TEST_RUN,
  PROGRAM_ATTR,
  RAW_TRACEPOINT_ATTR,
  RAW_TRACEPOINT_OPEN,
  request,
  TEST_RUN_ATTR,
  tryBpf,
} from './bpf-call.ts';
import { allocate, SystemCallError } from './native.ts';
import { Struct } from './struct.ts';

/** `enum bpf_attach_type` */
const ATTACH_PERF_EVENT = 41;

/** `enum bpf_prog_type` */
export const PROG_KPROBE = 2;
export const PROG_TRACEPOINT = 5;
export const PROG_PERF_EVENT = 7;
export const PROG_RAW_TRACEPOINT = 17;

/** A flag of programs: they may sleep (BPF_F_SLEEPABLE). */
export const PROG_SLEEPABLE = 1 << 4;

/** Bytes of an instruction. */
const INSTRUCTION = 8;

/** Refusals to load a program that say nothing about the program. */
const NOT_VERIFIED: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM'];

const LOG_SIZE = 1 << 20;

/** `struct bpf_prog_info`, as far as it is read. */
const PROGRAM_INFO = new Struct(256, { recursion_misses: [208, 8] });

/** `struct bpf_link_info` of a kprobe's link, as far as it is read. */
const LINK_INFO = new Struct(64, { missed: [48, 8] });
/** Bytes of {@link LINK_INFO} up to the end of `missed`. */
const WITH_MISSED = 56;

/** The kernel's verifier refused a program. */
export class VerifierError extends UserError {
  override readonly name = 'VerifierError';
  readonly errno: string;
  /** What the verifier says. */
  readonly log: string;

  /** `listing`: the program as text. */
  constructor(program: string, errno: string, log: string, listing = '') {
    super(`the kernel refused the BPF program ${program} (${errno}); --debug shows the verifier's log`, {
      details: `${listing}${log}`,
    });
    this.errno = errno;
    this.log = log;
  }
}

/**
 * Loads a program; licence GPL, because the helpers that read stacks ask for it.
 * @throws {VerifierError} with the verifier's log
 * @throws {SystemCallError}
 */
export function loadProgram(name: string, type: number, instructions: Buffer): number {
  const attr = programAttr(type, instructions);
  PROGRAM_ATTR.set(attr, 'prog_name', name.replace(/[^A-Za-z0-9_.]/g, '_'));
  const result = tryBpf(PROG_LOAD, attr);
  if (typeof result === 'number') return result;
  if (NOT_VERIFIED.includes(result)) throw new SystemCallError(request(PROG_LOAD, name), result);
  // Only a refused program is verified a second time, with the log that makes loading slow.
  const log = allocate(LOG_SIZE);
  PROGRAM_ATTR.set(attr, 'log_level', 1);
  PROGRAM_ATTR.set(attr, 'log_size', LOG_SIZE);
  PROGRAM_ATTR.set(attr, 'log_buf', log);
  const second = tryBpf(PROG_LOAD, attr);
  if (typeof second === 'number') return second;
  const end = log.indexOf(0);
  const text = log.toString('latin1', 0, end < 0 ? undefined : end);
  if (text === '') throw new SystemCallError(request(PROG_LOAD, name), result);
  throw new VerifierError(name, result, text);
}

/** Tries to load a program: its descriptor, or the name of the error. */
export function tryLoadProgram(type: number, instructions: Buffer, flags = 0): number | string {
  const attr = programAttr(type, instructions);
  PROGRAM_ATTR.set(attr, 'prog_flags', flags);
  return tryBpf(PROG_LOAD, attr);
}

function programAttr(type: number, instructions: Buffer): Buffer {
  const insns = allocate(instructions.length);
  instructions.copy(insns);
  const license = allocate(4);
  license.write('GPL', 'latin1');
  return PROGRAM_ATTR.pack({ prog_type: type, insn_cnt: instructions.length / INSTRUCTION, insns, license });
}

/**
 * Runs a program of a raw tracepoint once, without its tracepoint (since 5.10).
 * @throws {SystemCallError}
 */
export function runProgram(program: number): void {
  bpf(PROG_TEST_RUN, TEST_RUN_ATTR.pack({ prog_fd: program }));
}

/** Runs a program at every hit of a raw tracepoint until the returned descriptor is closed. */
export function openRawTracepoint(tracepoint: string, program: number): number {
  const name = allocate(tracepoint.length + 1);
  name.write(tracepoint, 'latin1');
  return bpf(RAW_TRACEPOINT_OPEN, RAW_TRACEPOINT_ATTR.pack({ name, prog_fd: program }), tracepoint);
}

/**
 * Runs a program at every occurrence of a perf event until the returned descriptor is closed (since 5.15).
 * Unlike the ioctl, the link can be asked what it missed.
 */
export function linkPerfEvent(event: number, program: number): number {
  return bpf(LINK_CREATE, LINK_ATTR.pack({ prog_fd: program, target_fd: event, attach_type: ATTACH_PERF_EVENT }));
}

/**
 * How often the kernel skipped a program because another one was running on that CPU: `recursion_misses` of `struct
 * bpf_prog_info`. For raw tracepoints since 6.1, before which they are not skipped; for kprobes and tracepoints it
 * stays 0 before 6.7.
 */
export function recursionMisses(program: number): number {
  return PROGRAM_INFO.get(objectInfo(program, PROGRAM_INFO.size).info, 'recursion_misses');
}

/**
 * Hits of a kprobe that came while a kprobe was being handled on that CPU, so that nothing ran at all:
 * `perf_event.kprobe.missed` of `struct bpf_link_info`, since 6.7.
 */
export function kprobeMisses(link: number): number {
  return LINK_INFO.get(objectInfo(link, LINK_INFO.size).info, 'missed');
}

/** Whether the kernel's `struct bpf_link_info` reaches as far as the number of misses. */
export function knowsMisses(link: number): boolean {
  return objectInfo(link, LINK_INFO.size).known >= WITH_MISSED;
}

/** What the kernel tells of a program or link, and how many bytes of that it knows. */
function objectInfo(descriptor: number, size: number): { info: Buffer; known: number } {
  const info = allocate(size);
  const attr = INFO_ATTR.pack({ bpf_fd: descriptor, info_len: size, info });
  bpf(OBJ_GET_INFO_BY_FD, attr);
  return { info, known: INFO_ATTR.get(attr, 'info_len') };
}
