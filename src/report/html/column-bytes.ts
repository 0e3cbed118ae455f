// Columns of numbers as bytes. docs/page-data.md describes the form, web/data/column-bytes.ts reads it.

/** How the numbers of a column are written. */
export type ColumnKind =
  /** LEB128: seven bits a byte, the lowest first; whole numbers from 0 to 2^53. */
  | 'leb'
  /** LEB128 of the difference from the number before, twice its size, less one where it is negative. */
  | 'delta'
  /** 64-bit floating point, little endian, for what is not whole or below 0. */
  | 'f64';

/** A column on its way into the page. */
export interface EncodedColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly bytes: Uint8Array;
}

/** A column of whole numbers from 0 on; of any numbers where some are not. */
export function column(name: string, values: ArrayLike<number>): EncodedColumn {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(Number.isSafeInteger(value) && value >= 0)) return { name, kind: 'f64', bytes: doubles(values) };
  }
  return { name, kind: 'leb', bytes: leb(values) };
}

/** A column whose numbers lie near the ones before. */
export function deltaColumn(name: string, values: ArrayLike<number>): EncodedColumn {
  const steps = new Float64Array(values.length);
  let before = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const step = value - before;
    steps[i] = step < 0 ? -2 * step - 1 : 2 * step;
    before = value;
  }
  return { name, kind: 'delta', bytes: leb(steps) };
}

function leb(values: ArrayLike<number>): Uint8Array {
  let bytes = new Uint8Array(values.length * 2 + 16);
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    let value = values[i] as number;
    if (at + 8 > bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    while (value >= 128) {
      bytes[at++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    bytes[at++] = value;
  }
  return bytes.subarray(0, at);
}

function doubles(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat64(i * 8, values[i] as number, true);
  return bytes;
}
