import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** Reads a length of time as `sleep` takes it: `5`, `0.5`, `500ms`, `5s`, `2m`, `1h`. The result is in seconds. */
export function seconds(text: string): number {
  const [, number, unit = 's'] = /^([\d.e+-]+)(ms|s|m|h)?$/.exec(text) ?? [];
  const value = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (!(value > 0 && value < 1e6)) throw new InvalidArgumentError('A time above 0 is wanted: 5, 0.5, 500ms, 5s, 2m.');
  return value;
}
