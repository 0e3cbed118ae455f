// Numbers as the page shows them.

const NARROW = '\u202f';

/** `248 627`, with narrow spaces that do not break; fractions are left alone. */
export function grouped(value: number): string {
  const [whole = '', fraction] = String(value).split('.');
  const text = whole.replace(/\B(?=(?:\d{3})+$)/g, NARROW);
  return fraction === undefined ? text : `${text}.${fraction}`;
}

/** `1 call`, `248 627 calls`. */
export function calls(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'call' : 'calls'}`;
}

/** `51.1 %`, `100 %`, `0.03 %`: never 100 % or 0 % for what is not quite, as in the text report. */
export function percent(share: number): string {
  if (share === 1) return '100 %';
  if (share === 0) return '0 %';
  const value = share * 100;
  if (value > 99.9) return `${Math.min(value, 99.99).toFixed(2)} %`;
  if (value < 0.1) return value < 0.01 ? '<0.01 %' : `${value.toFixed(2)} %`;
  return `${value.toFixed(1)} %`;
}

/**
 * `51 %`, for lists and sentences: a whole number, never 100 for what is not quite.
 */
export function roundPercent(share: number): string {
  if (share === 1) return '100 %';
  const value = share * 100;
  return `${value < 1 ? '<1' : Math.min(99, Math.round(value))} %`;
}

/**
 * 0.31, 12.5, 0.0004: three digits that say something.
 */
export function perOperation(value: number): string {
  return value === 0 ? '0' : grouped(Number(value.toPrecision(3)));
}
