/** Reads a 64-bit little-endian address as a signed number: `0xffffffff81000000` is `-0x7f000000`. */
export function readAddress(bytes: Buffer, offset: number): number {
  return bytes.readInt32LE(offset + 4) * 0x1_0000_0000 + bytes.readUInt32LE(offset);
}

/** The unsigned 64-bit form of an address. */
export function toUnsigned(address: number): bigint {
  return BigInt.asUintN(64, BigInt(address));
}

/** `0xffffffff81000000` */
export function formatAddress(address: number): string {
  return `0x${toUnsigned(address).toString(16)}`;
}
