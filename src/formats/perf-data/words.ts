/** Reads numbers of one byte order out of bytes that are not to be trusted: beyond their end all is 0. */
export class Words {
  readonly bytes: Buffer;
  readonly isLittle: boolean;

  constructor(bytes: Buffer, isLittle: boolean) {
    this.bytes = bytes;
    this.isLittle = isLittle;
  }

  get length(): number {
    return this.bytes.length;
  }

  u16(at: number): number {
    if (at < 0 || at + 2 > this.bytes.length) return 0;
    return this.isLittle ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at);
  }

  u32(at: number): number {
    if (at < 0 || at + 4 > this.bytes.length) return 0;
    return this.isLittle ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }

  i32(at: number): number {
    return this.u32(at) | 0;
  }

  /** 64 bits, unsigned; what is larger than 2^53 is not exact. */
  u64(at: number): number {
    return this.isLittle
      ? this.u32(at + 4) * 0x1_0000_0000 + this.u32(at)
      : this.u32(at) * 0x1_0000_0000 + this.u32(at + 4);
  }

  /** 64 bits as a signed number: addresses of the kernel are negative, and exact. */
  i64(at: number): number {
    return this.isLittle
      ? this.i32(at + 4) * 0x1_0000_0000 + this.u32(at)
      : this.i32(at) * 0x1_0000_0000 + this.u32(at + 4);
  }

  /** Text up to a zero byte, within `length` bytes. */
  text(at: number, length: number): string {
    const end = Math.min(at + Math.max(length, 0), this.bytes.length);
    if (at >= end) return '';
    const zero = this.bytes.indexOf(0, at);
    return this.bytes.toString('utf8', at, zero >= 0 && zero < end ? zero : end);
  }

  /** A part of the same bytes. */
  part(start: number, end: number): Words {
    return new Words(this.bytes.subarray(start, end), this.isLittle);
  }
}
