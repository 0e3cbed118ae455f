import { closeSync, readSync } from 'node:fs';
import { arch } from './arch.ts';
import { addressOf, allocate, systemCall } from './native.ts';

/** `enum perf_type_id`; the types of kprobe and uprobe are read from /sys/bus/event_source/devices. */
export const PERF_TYPE_TRACEPOINT = 2;
export const PERF_TYPE_BREAKPOINT = 5;

const ATTR_SIZE = 112; // PERF_ATTR_SIZE_VER5: known to every kernel since 4.1
const FLAG_DISABLED = 1n;
const HW_BREAKPOINT_X = 4;
const PERF_FLAG_FD_CLOEXEC = 8;
const IOC_ENABLE = 0x2400;
const IOC_DISABLE = 0x2401;
const IOC_SET_BPF = 0x40042408;

/** What a perf event watches. Offsets are those of `struct perf_event_attr`. */
export interface PerfEvent {
  readonly type: number;
  readonly config?: bigint;
  /** 1: every occurrence overflows, which is what runs a breakpoint's program; 0: only counted. */
  readonly samplePeriod?: number;
  /** `bp_type`, for breakpoints. */
  readonly breakpoint?: boolean;
  /** `bp_addr`, `kprobe_func`, `uprobe_path`. */
  readonly config1?: bigint;
  /** `bp_len`, `kprobe_addr`, `probe_offset`. */
  readonly config2?: bigint;
}

/** The bytes of a `struct perf_event_attr`, for an event that starts disabled. */
export function perfEventAttr(event: PerfEvent): Buffer {
  const attr = allocate(ATTR_SIZE);
  attr.writeUInt32LE(event.type, 0);
  attr.writeUInt32LE(ATTR_SIZE, 4);
  attr.writeBigUInt64LE(event.config ?? 0n, 8);
  attr.writeBigUInt64LE(BigInt(event.samplePeriod ?? 0), 16);
  attr.writeBigUInt64LE(FLAG_DISABLED, 40);
  if (event.breakpoint) attr.writeUInt32LE(HW_BREAKPOINT_X, 52);
  attr.writeBigUInt64LE(event.config1 ?? 0n, 56);
  attr.writeBigUInt64LE(event.config2 ?? 0n, 64);
  return attr;
}

/** A breakpoint on the execution of a kernel address. */
export function breakpointEvent(address: bigint): PerfEvent {
  return {
    type: PERF_TYPE_BREAKPOINT,
    samplePeriod: 1,
    breakpoint: true,
    config1: address,
    config2: BigInt(arch().breakpointLength),
  };
}

/**
 * Opens an event on one CPU, for all processes; it starts disabled.
 * @throws {SystemCallError}
 */
export function openPerfEvent(event: PerfEvent, cpu: number): number {
  return openPerfEventWith(perfEventAttr(event), cpu);
}

/** {@link openPerfEvent} with the bytes of a `struct perf_event_attr`. */
export function openPerfEventWith(attr: Buffer, cpu: number): number {
  return systemCall(
    'perf_event_open',
    arch().syscalls.perfEventOpen,
    addressOf(attr),
    -1,
    cpu,
    -1,
    PERF_FLAG_FD_CLOEXEC,
  );
}

/** Lets a BPF program run at every occurrence of the event. */
export function setProgram(event: number, program: number): void {
  systemCall('PERF_EVENT_IOC_SET_BPF', arch().syscalls.ioctl, event, IOC_SET_BPF, program);
}

export function enablePerfEvent(event: number): void {
  systemCall('PERF_EVENT_IOC_ENABLE', arch().syscalls.ioctl, event, IOC_ENABLE, 0);
}

export function disablePerfEvent(event: number): void {
  systemCall('PERF_EVENT_IOC_DISABLE', arch().syscalls.ioctl, event, IOC_DISABLE, 0);
}

/** How often the event occurred while enabled. */
export function readPerfEvent(event: number): number {
  const value = allocate(8);
  readSync(event, value, 0, 8, null);
  return Number(value.readBigUInt64LE(0));
}

/** Closes a file descriptor of a perf event, BPF map or program. */
export function closeDescriptor(descriptor: number): void {
  closeSync(descriptor);
}
