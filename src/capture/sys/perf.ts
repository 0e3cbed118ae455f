import { readSync } from 'node:fs';
import { pause } from '../../pause.ts';
import { arch } from './arch.ts';
import { addressOf, allocate, systemCall } from './native.ts';
import { Struct } from './struct.ts';

/** `enum perf_type_id`; the types of kprobe and uprobe are read from /sys/bus/event_source/devices. */
const PERF_TYPE_SOFTWARE = 1;
export const PERF_TYPE_TRACEPOINT = 2;
export const PERF_TYPE_BREAKPOINT = 5;

/**
 * `struct perf_event_attr` up to PERF_ATTR_SIZE_VER5, which every kernel since 4.1 knows
 * (include/uapi/linux/perf_event.h).
 */
const ATTR = new Struct(112, {
  type: [0, 4],
  size: [4, 4],
  config: [8, 8],
  sample_period: [16, 8],
  read_format: [32, 8],
  flags: [40, 8],
  bp_type: [52, 4],
  config1: [56, 8],
  config2: [64, 8],
});
const FLAG_DISABLED = 1n;
/** `read_format`: after the count, how long the event was enabled, in nanoseconds. */
const FORMAT_TIME_ENABLED = 1n;
/** `PERF_COUNT_SW_DUMMY` */
const COUNT_SW_DUMMY = 9n;
const HW_BREAKPOINT_X = 4;
const PERF_FLAG_FD_CLOEXEC = 8;
const IOC_ENABLE = 0x2400;
const IOC_DISABLE = 0x2401;
const IOC_REFRESH = 0x2402;
const IOC_SET_BPF = 0x40042408;

/** What a perf event watches. Offsets are those of `struct perf_event_attr`. */
export interface PerfEventAttr {
  readonly type: number;
  readonly config?: bigint;
  /** Further bits of the flags. */
  readonly flags?: bigint;
  /** 1: every occurrence overflows, which is what runs a breakpoint's BPF program; 0: only counted. */
  readonly samplePeriod?: number;
  /** `bp_type`, for breakpoints. */
  readonly breakpoint?: boolean;
  /** `bp_addr`, `kprobe_func`, `uprobe_path`; a buffer stands for the address of its bytes. */
  readonly config1?: bigint | Buffer;
  /** `bp_len`, `kprobe_addr`, `probe_offset`. */
  readonly config2?: bigint;
}

/** The bytes of a `struct perf_event_attr`, for an event that starts disabled. */
export function perfEventBytes(event: PerfEventAttr): Buffer {
  return ATTR.pack({
    type: event.type,
    size: ATTR.size,
    config: event.config ?? 0,
    sample_period: event.samplePeriod ?? 0,
    read_format: FORMAT_TIME_ENABLED,
    flags: FLAG_DISABLED | (event.flags ?? 0n),
    bp_type: event.breakpoint ? HW_BREAKPOINT_X : 0,
    config1: event.config1 ?? 0,
    config2: event.config2 ?? 0,
  });
}

/** An event that never occurs; `flags` ask for records of what processes do. */
export function dummyEvent(flags = 0n): PerfEventAttr {
  return { type: PERF_TYPE_SOFTWARE, config: COUNT_SW_DUMMY, flags };
}

/** A breakpoint on the execution of a kernel address. */
export function breakpointEvent(address: bigint): PerfEventAttr {
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
export function openPerfEvent(event: PerfEventAttr, cpu: number): number {
  return open(event, -1, cpu);
}

/** Opens an event of one thread, 0 the one that calls, on whatever CPU it runs; it starts disabled. */
export function openPerfEventOf(event: PerfEventAttr, thread: number): number {
  return open(event, thread, -1);
}

function open(event: PerfEventAttr, thread: number, cpu: number): number {
  const number = arch().syscalls.perfEventOpen;
  return systemCall(
    { call: 'perf_event_open' },
    number,
    addressOf(perfEventBytes(event)),
    thread,
    cpu,
    -1,
    PERF_FLAG_FD_CLOEXEC,
  );
}

function ioctl(object: string, event: number, request: number, argument: number): void {
  systemCall({ call: 'ioctl', object }, arch().syscalls.ioctl, event, request, argument);
}

/** Lets a BPF program run at every occurrence of the event. */
export function setProgram(event: number, program: number): void {
  ioctl('PERF_EVENT_IOC_SET_BPF', event, IOC_SET_BPF, program);
}

export function enablePerfEvent(event: number): void {
  ioctl('PERF_EVENT_IOC_ENABLE', event, IOC_ENABLE, 0);
}

/** Enables an event that overflows, until it has done so this often. */
export function refreshPerfEvent(event: number, overflows: number): void {
  ioctl('PERF_EVENT_IOC_REFRESH', event, IOC_REFRESH, overflows);
}

export function disablePerfEvent(event: number): void {
  ioctl('PERF_EVENT_IOC_DISABLE', event, IOC_DISABLE, 0);
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
 * Those of some enabled events that the kernel has dropped. It does so where the CPU goes offline: they keep their
 * count, but neither count nor grow older any more, also when the CPU is online again. Takes a millisecond.
 */
export function droppedEvents(events: readonly number[]): number[] {
  if (events.length === 0) return [];
  const before = events.map((event) => read(event).enabled);
  pause(AGEING_MILLISECONDS);
  return events.filter((event, i) => read(event).enabled === before[i]);
}
