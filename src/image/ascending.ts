/**
 * Index of the last of so many ascending values that is not above `wanted`; -1 where all are.
 *
 * @param valueAt value by index
 */
export function lastUpTo(wanted: number, count: number, valueAt: (index: number) => number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueAt(middle) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
