import type { Words } from './words.ts';

/** Bits of `perf_event_attr.sample_type` (include/uapi/linux/perf_event.h). */
export const SAMPLE = {
  ip: 1,
  tid: 1 << 1,
  time: 1 << 2,
  addr: 1 << 3,
  read: 1 << 4,
  callchain: 1 << 5,
  id: 1 << 6,
  cpu: 1 << 7,
  period: 1 << 8,
  streamId: 1 << 9,
  raw: 1 << 10,
  identifier: 1 << 16,
} as const;

/** Bits of `perf_event_attr.read_format`. */
const READ = { enabled: 1, running: 1 << 1, id: 1 << 2, group: 1 << 3, lost: 1 << 4 } as const;

const SAMPLE_ID_ALL = 1 << 18;
const FREQUENCY = 1 << 10;

const TYPES = { hardware: 0, software: 1, tracepoint: 2, cache: 3, raw: 4, breakpoint: 5 } as const;
const HARDWARE = [
  ...['cycles', 'instructions', 'cache-references', 'cache-misses', 'branches', 'branch-misses', 'bus-cycles'],
  ...['stalled-cycles-frontend', 'stalled-cycles-backend', 'ref-cycles'],
];
const SOFTWARE = [
  ...['cpu-clock', 'task-clock', 'page-faults', 'context-switches', 'cpu-migrations', 'minor-faults', 'major-faults'],
  ...['alignment-faults', 'emulation-faults', 'dummy', 'bpf-output', 'cgroup-switches'],
];

/** An event as it was set up. */
export interface Attribute {
  readonly sampleType: number;
  readonly readFormat: number;
  readonly hasSampleIds: boolean;
  /** Every how many of the event a sample was taken; 0 where perf chose (`-F`). */
  readonly period: number;
  /** The name that its numbers give; the file mostly has a better one. */
  readonly name: string;
  readonly isTracepoint: boolean;
}

/** Reads a `perf_event_attr`, of whatever size: fields beyond it are 0. */
export function readAttribute(words: Words): Attribute {
  const type = words.u32(0);
  const config = words.u64(8);
  const flags = words.u32(40);
  const sampleType = words.u64(24);
  const isLittle = words.isLittle;
  // The flags are a bit field: of the other byte order they count from the other end.
  const bits = isLittle ? flags : reversed(words.u32(40));
  return {
    sampleType,
    readFormat: words.u64(32),
    hasSampleIds: (bits & SAMPLE_ID_ALL) !== 0,
    period: bits & FREQUENCY ? 0 : words.u64(16),
    name: nameOf(type, config, words),
    isTracepoint: type === TYPES.tracepoint,
  };
}

function reversed(bits: number): number {
  let result = 0;
  for (let i = 0; i < 32; i++) if (bits & (1 << i)) result |= 1 << (31 - i);
  return result;
}

function nameOf(type: number, config: number, words: Words): string {
  if (type === TYPES.hardware) return HARDWARE[config] ?? `hardware event ${config}`;
  if (type === TYPES.software) return SOFTWARE[config] ?? `software event ${config}`;
  if (type === TYPES.breakpoint) return `mem:0x${hexadecimal(words, 56)}`;
  if (type === TYPES.raw) return `raw 0x${config.toString(16)}`;
  return type === TYPES.tracepoint ? `tracepoint ${config}` : `event ${type}/0x${config.toString(16)}`;
}

function hexadecimal(words: Words, at: number): string {
  return BigInt.asUintN(64, BigInt(words.i64(at))).toString(16);
}

/** Where the parts of a sample lie that depend on nothing before them but their type. */
export interface Layout {
  /** Offsets in the body of a sample, -1 where it has none. */
  readonly ip: number;
  readonly tid: number;
  readonly time: number;
  readonly id: number;
  readonly cpu: number;
  readonly period: number;
  /** Where values of other counters begin, which are of no fixed size, then the call chain. */
  readonly read: number;
}

export function layoutOf({ sampleType }: Attribute): Layout {
  let at = 0;
  const next = (bit: number): number => {
    if ((sampleType & bit) === 0) return -1;
    at += 8;
    return at - 8;
  };
  const identifier = next(SAMPLE.identifier);
  const ip = next(SAMPLE.ip);
  const tid = next(SAMPLE.tid);
  const time = next(SAMPLE.time);
  next(SAMPLE.addr);
  const id = next(SAMPLE.id);
  next(SAMPLE.streamId);
  const cpu = next(SAMPLE.cpu);
  const period = next(SAMPLE.period);
  return { ip, tid, time, id: identifier >= 0 ? identifier : id, cpu, period, read: at };
}

/** Where the call chain of a sample begins, after what was read of counters. */
export function callChainAt(words: Words, { sampleType, readFormat }: Attribute, at: number): number {
  if ((sampleType & SAMPLE.read) === 0) return at;
  const times = (readFormat & READ.enabled ? 8 : 0) + (readFormat & READ.running ? 8 : 0);
  const value = 8 + (readFormat & READ.id ? 8 : 0) + (readFormat & READ.lost ? 8 : 0);
  if ((readFormat & READ.group) === 0) return at + times + value;
  const counters = words.u64(at);
  return counters > words.length ? words.length : at + 8 + times + counters * value;
}

/** Where the time and the event of a record that is no sample stand, counted from its end; -1 where it has none. */
export function trailerOf({ sampleType, hasSampleIds }: Attribute): {
  time: number;
  id: number;
  cpu: number;
  size: number;
} {
  if (!hasSampleIds) return { time: -1, id: -1, cpu: -1, size: 0 };
  let at = 0;
  const next = (bit: number): number => {
    if ((sampleType & bit) === 0) return -1;
    at += 8;
    return at;
  };
  // Read from the end: the identifier is last.
  const identifier = next(SAMPLE.identifier);
  const cpu = next(SAMPLE.cpu);
  next(SAMPLE.streamId);
  const id = next(SAMPLE.id);
  const time = next(SAMPLE.time);
  next(SAMPLE.tid);
  return { time, cpu, id: identifier >= 0 ? identifier : id, size: at };
}
