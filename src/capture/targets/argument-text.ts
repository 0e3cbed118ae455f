/** Larger values are addresses, or sets of bits. */
const MOST_DECIMAL = 1n << 31n;
/** Error numbers are above minus this (include/linux/err.h). */
const MOST_ERRNO = 4095n;

/** A recorded argument: small numbers, such as sizes, and negative error numbers in decimal, everything else in hex. */
export function argumentText(value: bigint): string {
  const signed = BigInt.asIntN(64, value);
  return signed >= -MOST_ERRNO && signed < MOST_DECIMAL ? `${signed}` : `0x${BigInt.asUintN(64, value).toString(16)}`;
}
