import { arch } from './arch.ts';
import { memoryAt, systemCall, trySystemCall } from './native.ts';
import { closeDescriptor, enablePerfEvent, openPerfEventWith, type PerfEvent, perfEventAttr } from './perf.ts';

const PERF_TYPE_SOFTWARE = 1;
const COUNT_SW_DUMMY = 9n;
/** Flags of `struct perf_event_attr` that ask for records of executable mappings and of new processes. */
const FLAG_MMAP = 1n << 8n;
const FLAG_TASK = 1n << 13n;
const FLAG_MMAP2 = 1n << 23n;
const FLAGS_AT = 40;

const PAGE = 4096;
/** A power of two: room for some two thousand mappings between two looks at it. */
const PAGES = 64;
/** In `struct perf_event_mmap_page`: where the kernel writes next, and how far has been read. */
const HEAD_AT = 1024;
const TAIL_AT = 1032;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

/** `enum perf_event_type` */
export const RECORD_FORK = 7;
export const RECORD_MMAP2 = 10;

/** The records of new processes and executable mappings on one CPU, from the moment it is made. */
export class TaskRecords {
  readonly #event: number;
  readonly #address: number;
  readonly #memory: Buffer;

  /** @throws {SystemCallError} where the kernel refuses the event or the memory */
  constructor(cpu: number) {
    const dummy: PerfEvent = { type: PERF_TYPE_SOFTWARE, config: COUNT_SW_DUMMY };
    const attr = perfEventAttr(dummy);
    attr.writeBigUInt64LE(attr.readBigUInt64LE(FLAGS_AT) | FLAG_MMAP | FLAG_TASK | FLAG_MMAP2, FLAGS_AT);
    this.#event = openPerfEventWith(attr, cpu);
    const size = (1 + PAGES) * PAGE;
    try {
      this.#address = systemCall('mmap', arch().syscalls.mmap, 0, size, PROT_READ_WRITE, MAP_SHARED, this.#event, 0);
    } catch (error) {
      closeDescriptor(this.#event);
      throw error;
    }
    this.#memory = memoryAt(this.#address, size);
    enablePerfEvent(this.#event);
  }

  /** Calls `visit` with every record that came since the last time; `type` is its kind, the bytes are its own. */
  read(visit: (type: number, record: Buffer) => void): void {
    const ring = this.#memory.subarray(PAGE);
    const head = Number(this.#memory.readBigUInt64LE(HEAD_AT));
    let at = Number(this.#memory.readBigUInt64LE(TAIL_AT));
    while (at < head) {
      const start = at % ring.length;
      const size = ring.readUInt16LE(start + 6);
      if (size === 0) break;
      // Records are multiples of 8 bytes and may go on at the beginning of the ring.
      const record = Buffer.concat([
        ring.subarray(start, start + size),
        ring.subarray(0, Math.max(0, start + size - ring.length)),
      ]);
      visit(record.readUInt32LE(0), record);
      at += size;
    }
    this.#memory.writeBigUInt64LE(BigInt(head), TAIL_AT);
  }

  close(): void {
    trySystemCall(arch().syscalls.munmap, this.#address, this.#memory.length);
    closeDescriptor(this.#event);
  }
}
