/** 51.1 %, 100 %, 0.03 %: never 100 % or 0 % for what is not quite; at most seven characters. */
export function percent(share: number): string {
  if (share === 1) return '100 %';
  if (share === 0) return '0 %';
  const value = share * 100;
  if (value > 99.9) return `${Math.min(value, 99.99).toFixed(2)} %`;
  if (value < 0.1) return value < 0.01 ? '<0.01 %' : `${value.toFixed(2)} %`;
  return `${value.toFixed(1)} %`;
}

/** 51 %, 100 %, <1 %, for lists and sentences: a whole number, never 100 for what is not quite. */
export function roundPercent(share: number): string {
  if (share === 1) return '100 %';
  const value = share * 100;
  return `${value < 1 ? '<1' : Math.min(99, Math.round(value))} %`;
}
