/** In `struct perf_event_mmap_page`: where the kernel writes next, how far has been read, and where the ring lies. */
const HEAD_AT = 1024;
const TAIL_AT = 1032;
const DATA_OFFSET_AT = 1040;
const DATA_SIZE_AT = 1048;

/** `enum perf_event_type` */
const RECORD_LOST = 2;
/** In a `PERF_RECORD_LOST`: how many records found no room, after the header and the event's id. */
const LOST_AT = 16;

/**
 * Reads the records the kernel writes into the memory of a perf event: a page that says how far it has come, and a ring
 * after it (perf_event_open(2)).
 */
export class RecordRing {
  /** Records that found no room, as far as the kernel has said so: it does with the next one that does. */
  lost = 0;
  readonly #page: BigUint64Array;
  readonly #ring: Buffer;

  /** `memory`: page and ring as they are mapped. */
  constructor(memory: Buffer) {
    this.#page = new BigUint64Array(memory.buffer, memory.byteOffset, (DATA_SIZE_AT + 8) / 8);
    const start = Number(memory.readBigUInt64LE(DATA_OFFSET_AT));
    this.#ring = memory.subarray(start, start + Number(memory.readBigUInt64LE(DATA_SIZE_AT)));
  }

  /** Calls `visit` with every record that came since the last time; `type` is its kind, the bytes are its own. */
  read(visit: (type: number, record: Buffer) => void): void {
    const ring = this.#ring;
    // Atomics keep the order: no byte is read before the head that covers it, and none after the tail that gives it back.
    const head = Number(Atomics.load(this.#page, HEAD_AT / 8));
    let at = Number(Atomics.load(this.#page, TAIL_AT / 8));
    while (at < head) {
      const start = at % ring.length;
      const size = ring.readUInt16LE(start + 6);
      if (size === 0) break;
      // Records are multiples of 8 bytes and may go on at the beginning of the ring.
      const record = Buffer.concat([
        ring.subarray(start, start + size),
        ring.subarray(0, Math.max(0, start + size - ring.length)),
      ]);
      const type = record.readUInt32LE(0);
      if (type === RECORD_LOST) this.lost += Number(record.readBigUInt64LE(LOST_AT));
      visit(type, record);
      at += size;
    }
    Atomics.store(this.#page, TAIL_AT / 8, BigInt(head));
  }
}
