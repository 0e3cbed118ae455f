import { describe, expect, it } from 'vitest';
import { RecordRing } from './record-ring.ts';

const HEAD_AT = 1024;
const TAIL_AT = 1032;
/** Further than a page of 4 KiB, as on machines with larger ones. */
const RING_AT = 16_384;
const RING_SIZE = 64;

/** Memory of a perf event as the kernel would have it, and a kernel that writes into it. */
class Kernel {
  readonly memory = Buffer.from(new ArrayBuffer(RING_AT + RING_SIZE + 4096));
  #head = 0;

  constructor() {
    this.memory.writeBigUInt64LE(BigInt(RING_AT), 1040);
    this.memory.writeBigUInt64LE(BigInt(RING_SIZE), 1048);
  }

  /** `words`: what follows the header, 8 bytes each. */
  write(type: number, ...words: number[]): void {
    const record = Buffer.alloc(8 + words.length * 8);
    record.writeUInt32LE(type, 0);
    record.writeUInt16LE(record.length, 6);
    for (const [index, word] of words.entries()) record.writeBigUInt64LE(BigInt(word), 8 + index * 8);
    for (const byte of record) this.memory[RING_AT + (this.#head++ % RING_SIZE)] = byte;
    this.memory.writeBigUInt64LE(BigInt(this.#head), HEAD_AT);
  }

  get tail(): number {
    return Number(this.memory.readBigUInt64LE(TAIL_AT));
  }
}

function readAll(ring: RecordRing): number[][] {
  const records: number[][] = [];
  ring.read((type, record) => {
    const words = Array.from({ length: record.length / 8 - 1 }, (_, i) => Number(record.readBigUInt64LE(8 + i * 8)));
    records.push([type, ...words]);
  });
  return records;
}

describe('ring of records', () => {
  it('lies where the kernel says, and goes on at its beginning', () => {
    const kernel = new Kernel();
    const ring = new RecordRing(kernel.memory);
    expect(readAll(ring)).toEqual([]);
    for (let round = 0; round < 10; round++) {
      kernel.write(10, round, round + 1);
      kernel.write(7, round);
      expect(readAll(ring)).toEqual([
        [10, round, round + 1],
        [7, round],
      ]);
      expect(kernel.tail).toBe((round + 1) * 40);
    }
    expect(ring.lost).toBe(0);
  });

  it('adds up what found no room', () => {
    const kernel = new Kernel();
    const ring = new RecordRing(kernel.memory);
    kernel.write(2, 4711, 30);
    readAll(ring);
    kernel.write(2, 4711, 12);
    readAll(ring);
    expect(ring.lost).toBe(42);
  });
});
