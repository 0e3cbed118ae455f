import type { Decompress } from 'fzstd';
import { NO_KEY } from '../../census/call-key.ts';
import { messageOf } from '../../errors.ts';
import type { CensusBuilder } from '../builder.ts';
import { MalformedInput } from '../reader.ts';
import { type Attribute, callChainAt, type Layout, layoutOf, SAMPLE, trailerOf } from './attributes.ts';
import { noFacts, type RecordingFacts, readBuildId, readFeature } from './features.ts';
import { type EventSetup, readEventRecord } from './header.ts';
import { ProcessMappings } from './mappings.ts';
import { SamplesByStack } from './samples-by-stack.ts';
import { Words } from './words.ts';

/** Types of records (include/uapi/linux/perf_event.h, tools/lib/perf/include/perf/event.h). */
const RECORD = {
  map: 1,
  lost: 2,
  comm: 3,
  throttle: 5,
  fork: 7,
  sample: 9,
  map2: 10,
  lostSamples: 13,
  event: 64,
  tracingData: 66,
  buildId: 67,
  finishedRound: 68,
  auxTrace: 71,
  eventUpdate: 78,
  feature: 80,
  compressed: 81,
  compressed2: 83,
} as const;

const HEADER = 8;
const EXEC = 1 << 13;
const MAP_BUILD_ID = 1 << 14;
const EVENT_NAME = 2;
/** A kernel's own process. */
const KERNEL_PID = -1;
/** Bytes of records that wait for their turn. */
const MOST_WAITING = 64 << 20;

interface Event {
  readonly attribute: Attribute;
  readonly layout: Layout;
  readonly trailer: ReturnType<typeof trailerOf>;
  /** Ids of its counters; the first names it. */
  readonly ids: readonly number[];
  /** Of the last record that named it. */
  name: string;
}

interface Waiting {
  readonly time: number;
  readonly record: Words;
}

/** A file mapped into the kernel: its image, a module. */
export interface KernelMapping {
  readonly start: number;
  readonly end: number;
  readonly file: string;
}

/**
 * What records say, one after another: samples are counted by stack, event and task; maps, names and forks change what the
 * next ones mean. Records of several CPUs are put into the order of their times first, round by round as perf wrote them.
 */
export class Recording {
  readonly facts: RecordingFacts = noFacts();
  readonly samples = new SamplesByStack();
  readonly kernelMappings: KernelMapping[] = [];
  /** Where the recorded kernel's `_text` (or another symbol) was: perf keeps it so that addresses can be moved. */
  reference: { readonly symbol: string; readonly address: number } | null = null;
  throttled = 0;
  unreadRecords = 0;
  readonly #isLittle: boolean;
  readonly #builder: CensusBuilder;
  readonly #events: Event[] = [];
  readonly #eventIds = new Map<number, number>();
  readonly #mappings = new ProcessMappings();
  readonly #comms = new Map<number, string>([[0, 'swapper']]);
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #newest = 0;
  #roundEnd = 0;
  #decompressor: Decompress | undefined;
  #unpacked: Buffer = Buffer.alloc(0);

  constructor(isLittle: boolean, builder: CensusBuilder) {
    this.#isLittle = isLittle;
    this.#builder = builder;
  }

  get events(): readonly { readonly attribute: Attribute; readonly name: string; readonly ids: readonly number[] }[] {
    return this.#events;
  }

  addEvent({ attribute, ids }: EventSetup): void {
    for (const id of ids) this.#eventIds.set(id, this.#events.length);
    this.#events.push({ attribute, ids, layout: layoutOf(attribute), trailer: trailerOf(attribute), name: '' });
  }

  /** Takes a record with its header. What must keep its turn waits for the round to end. */
  async take(bytes: Buffer): Promise<void> {
    const record = new Words(bytes, this.#isLittle);
    const type = record.u32(0);
    switch (type) {
      case RECORD.finishedRound:
        this.#flush(this.#roundEnd);
        this.#roundEnd = this.#newest;
        return;
      case RECORD.event:
        this.addEvent(readEventRecord(record));
        return;
      case RECORD.buildId:
        readBuildId(record, this.facts);
        return;
      case RECORD.feature:
        readFeature(record.u64(HEADER), record.part(HEADER + 8, record.length), this.facts);
        return;
      case RECORD.eventUpdate:
        this.#updateEvent(record);
        return;
      case RECORD.compressed:
        return this.#unpack(bytes.subarray(HEADER));
      case RECORD.compressed2:
        return this.#unpack(bytes.subarray(HEADER + 8, HEADER + 8 + record.u64(HEADER)));
      case RECORD.lost:
        this.#builder.census.lose({ code: 'ring-buffer-full' }, exact(record.u64(HEADER + 8)));
        return;
      case RECORD.lostSamples:
        this.#builder.census.lose({ code: 'ring-buffer-full' }, exact(record.u64(HEADER)));
        return;
      case RECORD.throttle:
        this.throttled++;
        return;
      case RECORD.sample:
      case RECORD.map:
      case RECORD.map2:
      case RECORD.comm:
      case RECORD.fork:
        this.#wait(record, type === RECORD.sample);
    }
  }

  /** All that still waits. */
  finish(): void {
    this.#flush(Number.POSITIVE_INFINITY);
    if (this.#unpacked.length > 0) this.unreadRecords++;
  }

  #wait(record: Words, isSample: boolean): void {
    const time = this.#timeOf(record, isSample);
    // Without a time it is of before the recording: what ran and was mapped already.
    if (time === 0) {
      this.#apply(record);
      return;
    }
    if (time > this.#newest) this.#newest = time;
    this.#waiting.push({ time, record });
    this.#waitingBytes += record.length;
    if (this.#waitingBytes > MOST_WAITING) this.#flush(Number.POSITIVE_INFINITY);
  }

  #flush(until: number): void {
    const ready = this.#waiting.filter(({ time }) => time <= until);
    if (ready.length === 0) return;
    this.#waiting = ready.length === this.#waiting.length ? [] : this.#waiting.filter(({ time }) => time > until);
    this.#waitingBytes = this.#waiting.reduce((sum, { record }) => sum + record.length, 0);
    ready.sort((a, b) => a.time - b.time);
    for (const { record } of ready) this.#apply(record);
  }

  /** The time of a record in nanoseconds; 0 where it has none. */
  #timeOf(record: Words, isSample: boolean): number {
    const event = this.#events[this.#eventOf(record, isSample)];
    if (!event) return 0;
    if (isSample) return event.layout.time < 0 ? 0 : record.u64(HEADER + event.layout.time);
    const { time, size } = event.trailer;
    return time < 0 || record.length < HEADER + size ? 0 : record.u64(record.length - time);
  }

  /** Index of the event a record belongs to; 0 where only one is there or nobody says. */
  #eventOf(record: Words, isSample: boolean): number {
    const [first] = this.#events;
    if (!first || this.#events.length === 1) return 0;
    // All events keep the id in the same place, or none could be told from the others.
    const at = isSample ? HEADER + first.layout.id : record.length - first.trailer.id;
    const has = isSample ? first.layout.id >= 0 : first.trailer.id >= 0;
    return has ? (this.#eventIds.get(record.u64(at)) ?? 0) : 0;
  }

  #apply(record: Words): void {
    switch (record.u32(0)) {
      case RECORD.sample:
        this.#sample(record);
        break;
      case RECORD.map:
        this.#map(record, HEADER + 32);
        break;
      case RECORD.map2:
        this.#map(record, HEADER + 64);
        this.#buildIdOf(record);
        break;
      case RECORD.comm: {
        const [pid, tid] = [record.i32(HEADER), record.i32(HEADER + 4)];
        this.#comms.set(tid, record.text(HEADER + 8, 16));
        if (record.u16(4) & EXEC) this.#mappings.exec(pid);
        break;
      }
      case RECORD.fork: {
        const [pid, parent] = [record.i32(HEADER), record.i32(HEADER + 4)];
        const [tid, parentTid] = [record.i32(HEADER + 8), record.i32(HEADER + 12)];
        this.#mappings.fork(pid, parent);
        const comm = this.#comms.get(parentTid);
        if (comm !== undefined) this.#comms.set(tid, comm);
        break;
      }
    }
  }

  #map(record: Words, fileAt: number): void {
    const pid = record.i32(HEADER);
    const start = record.i64(HEADER + 8);
    const size = record.u64(HEADER + 16);
    const offset = record.i64(HEADER + 24);
    const file = record.text(fileAt, record.length - fileAt);
    if (pid !== KERNEL_PID) {
      this.#mappings.map(pid, { start, end: start + size, fileOffset: offset, file });
      return;
    }
    // `[kernel.kallsyms]_text`: the symbol and, as offset, where it was.
    const symbol = /^\[kernel\.kallsyms\](\w+)$/.exec(file)?.[1];
    if (symbol !== undefined) this.reference = { symbol, address: offset };
    this.kernelMappings.push({ start, end: start + size, file });
  }

  /** A mapping may carry the file's build id in place of its inode. */
  #buildIdOf(record: Words): void {
    if ((record.u16(4) & MAP_BUILD_ID) === 0) return;
    const length = Math.min(record.bytes[HEADER + 32] ?? 0, 20);
    const file = record.text(HEADER + 64, record.length - HEADER - 64);
    this.facts.buildIds.set(file, record.bytes.toString('hex', HEADER + 36, HEADER + 36 + length));
  }

  #sample(record: Words): void {
    const index = this.#eventOf(record, true);
    const event = this.#events[index];
    if (!event) {
      this.unreadRecords++;
      return;
    }
    const { attribute, layout } = event;
    const has = (at: number): boolean => at >= 0 && HEADER + at + 8 <= record.length;
    const [pid, tid] = has(layout.tid)
      ? [record.i32(HEADER + layout.tid), record.i32(HEADER + layout.tid + 4)]
      : [KERNEL_PID, KERNEL_PID];
    const cpu = has(layout.cpu) ? record.u32(HEADER + layout.cpu) : -1;
    const period = has(layout.period) ? record.u64(HEADER + layout.period) : attribute.period || -1;
    const comm = this.#comms.get(tid) ?? (tid > 0 ? `:${tid}` : '');
    const task = tid < 0 && cpu < 0 ? NO_KEY : this.#builder.task({ comm, pid: tid, cpu });
    this.samples.add(this.#chainOf(record, event), this.#mappings.of(pid), index, task, period);
  }

  /** Addresses of a sample as they lie in the file: its call chain, else where it was taken. */
  #chainOf(record: Words, { attribute, layout }: Event): Buffer {
    if (attribute.sampleType & SAMPLE.callchain) {
      const at = callChainAt(record, attribute, HEADER + layout.read);
      const count = record.u64(at);
      const end = at + 8 + 8 * count;
      if (end <= record.length) return record.bytes.subarray(at + 8, end);
      this.unreadRecords++;
      return record.bytes.subarray(0, 0);
    }
    const at = HEADER + layout.ip;
    return layout.ip < 0 ? record.bytes.subarray(0, 0) : record.bytes.subarray(at, at + 8);
  }

  #updateEvent(record: Words): void {
    if (record.u64(HEADER) !== EVENT_NAME) return;
    const event = this.#events[this.#eventIds.get(record.u64(HEADER + 8)) ?? -1];
    if (event) event.name = record.text(HEADER + 16, record.length - HEADER - 16);
  }

  /** Records that were compressed one after another, into one stream of zstd. */
  async #unpack(bytes: Buffer): Promise<void> {
    if (!this.#decompressor) {
      const { Decompress: Decompressor } = await import('fzstd');
      this.#decompressor = new Decompressor((chunk) => {
        if (chunk.length > 0) this.#unpacked = Buffer.concat([this.#unpacked, chunk]);
      });
    }
    try {
      this.#decompressor.push(bytes);
    } catch (error) {
      throw new MalformedInput(`compressed records are damaged: ${messageOf(error)}`, { cause: error });
    }
    let at = 0;
    while (at + HEADER <= this.#unpacked.length) {
      const size = new Words(this.#unpacked, this.#isLittle).u16(at + 6);
      if (size < HEADER) throw new MalformedInput(`a compressed record says it has ${size} bytes`);
      if (at + size > this.#unpacked.length) break;
      await this.take(Buffer.from(this.#unpacked.subarray(at, at + size)));
      at += size;
    }
    this.#unpacked = Buffer.from(this.#unpacked.subarray(at));
  }
}

/** A number of losses; damage is none. */
function exact(count: number): number {
  return Number.isSafeInteger(count) ? count : 0;
}

export { HEADER as RECORD_HEADER_BYTES, RECORD };
