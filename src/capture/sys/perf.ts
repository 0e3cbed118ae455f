import { readSync } from 'node:fs';
import { pause } from '../../pause.ts';
import { arch } from './arch.ts';
import { addressOf, allocate, systemCall } from './native.ts';

/** `enum perf_type_id`; the types of kprobe and uprobe are read from /sys/bus/event_source/devices. */
export const PERF_TYPE_TRACEPOINT = 2;
export const PERF_TYPE_BREAKPOINT = 5;

const ATTR_SIZE = 112; // PERF_ATTR_SIZE_VER5: known to every kernel since 4.1
const FLAG_DISABLED = 1n;
/** `read_format`: after the count, how long the event was enabled, in nanoseconds. */
const FORMAT_TIME_ENABLED = 1n;
const HW_BREAKPOINT_X = 4;
const PERF_FLAG_FD_CLOEXEC = 8;
const IOC_ENABLE = 0x2400;
const IOC_DISABLE = 0x2401;
const IOC_REFRESH = 0x2402;
const IOC_SET_BPF = 0x40042408;

/** What a perf event watches. Offsets are those of `struct perf_event_attr`. */
export interface PerfEvent {
  readonly type: number;
  readonly config?: bigint;
  /** 1: every occurrence overflows, which is what runs a breakpoint's program; 0: only counted. */
  readonly samplePeriod?: number;
  /** `bp_type`, for breakpoints. */
  readonly breakpoint?: boolean;
  /** `bp_addr`, `kprobe_func`, `uprobe_path`; a buffer stands for the address of its bytes. */
  readonly config1?: bigint | Buffer;
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
  attr.writeBigUInt64LE(FORMAT_TIME_ENABLED, 32);
  attr.writeBigUInt64LE(FLAG_DISABLED, 40);
  if (event.breakpoint) attr.writeUInt32LE(HW_BREAKPOINT_X, 52);
  const { config1 = 0n } = event;
  attr.writeBigUInt64LE(typeof config1 === 'bigint' ? config1 : addressOf(config1), 56);
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
  return open(attr, -1, cpu);
}

/** Opens an event of one thread, 0 the one that calls, on whatever CPU it runs; it starts disabled. */
export function openPerfEventOf(event: PerfEvent, thread: number): number {
  return open(perfEventAttr(event), thread, -1);
}

function open(attr: Buffer, thread: number, cpu: number): number {
  const number = arch().syscalls.perfEventOpen;
  return systemCall('perf_event_open', number, addressOf(attr), thread, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/** Lets a BPF program run at every occurrence of the event. */
export function setProgram(event: number, program: number): void {
  systemCall('PERF_EVENT_IOC_SET_BPF', arch().syscalls.ioctl, event, IOC_SET_BPF, program);
}

export function enablePerfEvent(event: number): void {
  systemCall('PERF_EVENT_IOC_ENABLE', arch().syscalls.ioctl, event, IOC_ENABLE, 0);
}

/** Enables an event that overflows, until it has done so this often. */
export function refreshPerfEvent(event: number, overflows: number): void {
  systemCall('PERF_EVENT_IOC_REFRESH', arch().syscalls.ioctl, event, IOC_REFRESH, overflows);
}

export function disablePerfEvent(event: number): void {
  systemCall('PERF_EVENT_IOC_DISABLE', arch().syscalls.ioctl, event, IOC_DISABLE, 0);
}

/** How often the event occurred while enabled. */
export function readPerfEvent(event: number): number {
  return read(event).count;
}

/** The count, and the nanoseconds for which the event was enabled. */
function read(event: number): { count: number; enabled: number } {
  const value = allocate(16);
  readSync(event, value, 0, 16, null);
  return { count: Number(value.readBigUInt64LE(0)), enabled: Number(value.readBigUInt64LE(8)) };
}

/** Long enough for an event to have grown older, whatever the clock it is measured by. */
const AGEING_MILLISECONDS = 1;

/**
 * Those of some enabled events that the kernel has dropped. It does so where the CPU goes offline: they keep their count,
 * but neither count nor grow older any more, also when the CPU comes back. Takes a millisecond.
 */
export function droppedEvents(events: readonly number[]): number[] {
  if (events.length === 0) return [];
  const before = events.map((event) => read(event).enabled);
  pause(AGEING_MILLISECONDS);
  return events.filter((event, i) => read(event).enabled === before[i]);
}
