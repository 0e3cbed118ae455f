import { closeSync } from 'node:fs';
import { SharedMemory } from './memory.ts';
import { cFunction } from './native.ts';
import { dummyEvent, enablePerfEvent, openPerfEvent } from './perf.ts';
import { RecordRing } from './record-ring.ts';

/** Flags of `struct perf_event_attr` that ask for records of executable mappings and of new processes. */
const FLAG_MMAP = 1n << 8n;
const FLAG_TASK = 1n << 13n;
const FLAG_MMAP2 = 1n << 23n;

/** Room for some two thousand mappings between two looks at it; with the size of a page a power of two. */
const RING_BYTES = 256 * 1024;

/** `enum perf_event_type` */
export const RECORD_FORK = 7;
export const RECORD_MMAP2 = 10;

/** The records of new processes and executable mappings on one CPU, from the moment it is made. */
export class TaskRecords {
  readonly #event: number;
  readonly #memory: SharedMemory;
  readonly #ring: RecordRing;

  /** @throws {SystemCallError} where the kernel refuses the event or the memory */
  constructor(cpu: number) {
    this.#event = openPerfEvent(dummyEvent(FLAG_MMAP | FLAG_TASK | FLAG_MMAP2), cpu);
    const page = Number(cFunction('int getpagesize()')());
    const size = page + Math.max(RING_BYTES, page);
    try {
      this.#memory = new SharedMemory(this.#event, size);
    } catch (error) {
      closeSync(this.#event);
      throw error;
    }
    this.#ring = new RecordRing(this.#memory.bytes);
    enablePerfEvent(this.#event);
  }

  /** How many records were lost, as far as it is known: {@link RecordRing.lost}. */
  get lost(): number {
    return this.#ring.lost;
  }

  /** Calls `visit` with every record that came since the last time; `type` is its kind, the bytes are its own. */
  read(visit: (type: number, record: Buffer) => void): void {
    this.#ring.read(visit);
  }

  close(): void {
    this.#memory.unmap();
    closeSync(this.#event);
  }
}
