/** The unsigned 64-bit form of an address. */
export function toUnsigned(address: number): bigint {
  return BigInt.asUintN(64, BigInt(address));
}

/** `0xffffffff81000000` */
export function formatAddress(address: number): string {
  return `0x${toUnsigned(address).toString(16)}`;
}
