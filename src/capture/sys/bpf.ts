import { UserError } from '../../errors.ts';
import { arch } from './arch.ts';
import { addressOf, allocate, SystemCallError, systemCall, trySystemCall } from './native.ts';

/** `enum bpf_cmd` */
const MAP_CREATE = 0;
const MAP_LOOKUP_ELEM = 1;
const MAP_UPDATE_ELEM = 2;
const MAP_GET_NEXT_KEY = 4;
const PROG_LOAD = 5;
const OBJ_GET_INFO_BY_FD = 15;
const RAW_TRACEPOINT_OPEN = 17;
const MAP_LOOKUP_BATCH = 24;
const LINK_CREATE = 28;

/** `enum bpf_attach_type` */
const ATTACH_PERF_EVENT = 41;

/** `enum bpf_map_type` */
export const MAP_HASH = 1;
export const MAP_ARRAY = 2;
export const MAP_PERCPU_ARRAY = 6;
export const MAP_CGROUP_ARRAY = 8;

/** `enum bpf_prog_type` */
export const PROG_KPROBE = 2;
export const PROG_TRACEPOINT = 5;
export const PROG_PERF_EVENT = 7;
export const PROG_RAW_TRACEPOINT = 17;

/** A flag of arrays: programs see what this process writes to its memory. Since Linux 5.5. */
export const MAP_MMAPABLE = 1 << 10;

/** Refusals to load a program that say nothing about the program. */
const NOT_VERIFIED: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM'];

const ATTR_SIZE = 72;
const NAME_LENGTH = 15;
const LOG_SIZE = 1 << 20;

/** A map as it was created. */
export interface BpfMap {
  readonly descriptor: number;
  readonly keySize: number;
  /** Bytes of one value; a per-CPU map holds one per possible CPU. */
  readonly valueSize: number;
  readonly maxEntries: number;
}

/**
 * Creates a map; hash maps are preallocated (no BPF_F_NO_PREALLOC), as programs of breakpoints demand.
 * @throws {SystemCallError}
 */
export function createMap(
  name: string,
  type: number,
  keySize: number,
  valueSize: number,
  maxEntries: number,
  flags = 0,
): BpfMap {
  const attr = allocate(ATTR_SIZE);
  attr.writeUInt32LE(type, 0);
  attr.writeUInt32LE(keySize, 4);
  attr.writeUInt32LE(valueSize, 8);
  attr.writeUInt32LE(maxEntries, 12);
  attr.writeUInt32LE(flags, 16);
  attr.write(name.slice(0, NAME_LENGTH), 28, 'latin1');
  return { descriptor: bpf(`bpf map ${name}`, MAP_CREATE, attr), keySize, valueSize, maxEntries };
}

/** Stores one value. */
export function updateMap(map: BpfMap, key: Buffer, value: Buffer): void {
  bpf('bpf map update', MAP_UPDATE_ELEM, elementAttr(map, key, value));
}

/**
 * Reads the value of a key into `value`; false where there is none.
 * @throws {SystemCallError}
 */
export function lookupMap(map: BpfMap, key: Buffer, value: Buffer): boolean {
  return isFound(tryBpf(MAP_LOOKUP_ELEM, elementAttr(map, key, value)));
}

/** ENOENT is an answer of a map, any other error a refusal. */
function isFound(result: number | string): boolean {
  if (typeof result === 'string' && result !== 'ENOENT') throw new SystemCallError('bpf map read', result);
  return typeof result === 'number';
}

/**
 * Calls `visit` with key and value of every entry of a hash map. The buffers are reused between calls.
 * In batches where the kernel can (5.6), otherwise entry by entry.
 * @throws {SystemCallError}
 */
export function forEachEntry(map: BpfMap, visit: (key: Buffer, value: Buffer) => void): void {
  if (!forEachBatch(map, visit)) forEachKey(map, visit);
}

function forEachBatch(map: BpfMap, visit: (key: Buffer, value: Buffer) => void): boolean {
  // A batch has to hold the fullest hash bucket at least; 1024 is far beyond that.
  const size = Math.min(Math.max(map.maxEntries, 64), 1024);
  const keys = allocate(size * map.keySize);
  const values = allocate(size * map.valueSize);
  const position = allocate(Math.max(map.keySize, 8));
  for (let first = true; ; first = false) {
    const attr = allocate(56);
    attr.writeBigUInt64LE(first ? 0n : addressOf(position), 0);
    attr.writeBigUInt64LE(addressOf(position), 8);
    attr.writeBigUInt64LE(addressOf(keys), 16);
    attr.writeBigUInt64LE(addressOf(values), 24);
    attr.writeUInt32LE(size, 32);
    attr.writeUInt32LE(map.descriptor, 36);
    const result = tryBpf(MAP_LOOKUP_BATCH, attr);
    if (typeof result === 'string' && result !== 'ENOENT') {
      if (first) return false;
      throw new SystemCallError('bpf map read', result);
    }
    const count = attr.readUInt32LE(32);
    for (let i = 0; i < count; i++) {
      visit(
        keys.subarray(i * map.keySize, (i + 1) * map.keySize),
        values.subarray(i * map.valueSize, (i + 1) * map.valueSize),
      );
    }
    if (result === 'ENOENT') return true;
  }
}

function forEachKey(map: BpfMap, visit: (key: Buffer, value: Buffer) => void): void {
  const key = allocate(map.keySize);
  const next = allocate(map.keySize);
  const value = allocate(map.valueSize);
  for (let first = true; ; first = false) {
    const attr = elementAttr(map, key, next);
    if (first) attr.writeBigUInt64LE(0n, 8);
    if (!isFound(tryBpf(MAP_GET_NEXT_KEY, attr))) return;
    next.copy(key);
    if (lookupMap(map, key, value)) visit(key, value);
  }
}

function elementAttr(map: BpfMap, key: Buffer, value: Buffer): Buffer {
  const attr = allocate(32);
  attr.writeUInt32LE(map.descriptor, 0);
  attr.writeBigUInt64LE(addressOf(key), 8);
  attr.writeBigUInt64LE(addressOf(value), 16);
  return attr;
}

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
 */
export function loadProgram(name: string, type: number, instructions: Buffer): number {
  const code = allocate(instructions.length);
  instructions.copy(code);
  const licence = allocate(4);
  licence.write('GPL', 'latin1');
  const attr = allocate(ATTR_SIZE);
  attr.writeUInt32LE(type, 0);
  attr.writeUInt32LE(instructions.length / 8, 4);
  attr.writeBigUInt64LE(addressOf(code), 8);
  attr.writeBigUInt64LE(addressOf(licence), 16);
  attr.write(name.replace(/[^A-Za-z0-9_.]/g, '_').slice(0, NAME_LENGTH), 48, 'latin1');
  const result = tryBpf(PROG_LOAD, attr);
  if (typeof result === 'number') return result;
  if (NOT_VERIFIED.includes(result)) throw new SystemCallError('bpf program load', result);
  // Only a refused program is verified a second time, with the log that makes loading slow.
  const log = allocate(LOG_SIZE);
  attr.writeUInt32LE(1, 24);
  attr.writeUInt32LE(LOG_SIZE, 28);
  attr.writeBigUInt64LE(addressOf(log), 32);
  const second = tryBpf(PROG_LOAD, attr);
  if (typeof second === 'number') return second;
  const end = log.indexOf(0);
  const text = log.toString('latin1', 0, end < 0 ? undefined : end);
  if (text === '') throw new SystemCallError('bpf program load', result);
  throw new VerifierError(name, result, text);
}

/** Runs a program at every hit of a raw tracepoint until the returned descriptor is closed. */
export function openRawTracepoint(tracepoint: string, program: number): number {
  const name = allocate(tracepoint.length + 1);
  name.write(tracepoint, 'latin1');
  const attr = allocate(16);
  attr.writeBigUInt64LE(addressOf(name), 0);
  attr.writeUInt32LE(program, 8);
  return bpf(`raw tracepoint ${tracepoint}`, RAW_TRACEPOINT_OPEN, attr);
}

/**
 * Runs a program at every occurrence of a perf event until the returned descriptor is closed (since 5.15).
 * Unlike the ioctl, the link can be asked what it missed.
 */
export function linkPerfEvent(event: number, program: number): number {
  const attr = allocate(32);
  attr.writeUInt32LE(program, 0);
  attr.writeUInt32LE(event, 4);
  attr.writeUInt32LE(ATTACH_PERF_EVENT, 8);
  return bpf('bpf link', LINK_CREATE, attr);
}

/**
 * How often the kernel skipped a program because another one was running on that CPU: `recursion_misses` of
 * `struct bpf_prog_info`. For raw tracepoints since 6.1, before which they are not skipped; for kprobes and tracepoints it stays 0 before 6.7.
 */
export function recursionMisses(program: number): number {
  return Number(objectInfo(program, 256).readBigUInt64LE(208));
}

/**
 * Hits of a kprobe that came while a kprobe was being handled on that CPU, so that nothing ran at all:
 * `perf_event.kprobe.missed` of `struct bpf_link_info`, since 6.7.
 */
export function kprobeMisses(link: number): number {
  return Number(objectInfo(link, 64).readBigUInt64LE(48));
}

function objectInfo(descriptor: number, size: number): Buffer {
  const info = allocate(size);
  const attr = allocate(16);
  attr.writeUInt32LE(descriptor, 0);
  attr.writeUInt32LE(info.length, 4);
  attr.writeBigUInt64LE(addressOf(info), 8);
  bpf('bpf object info', OBJ_GET_INFO_BY_FD, attr);
  return info;
}

function bpf(what: string, command: number, attr: Buffer): number {
  return systemCall(what, arch().syscalls.bpf, command, addressOf(attr), attr.length);
}

function tryBpf(command: number, attr: Buffer): number | string {
  return trySystemCall(arch().syscalls.bpf, command, addressOf(attr), attr.length);
}
