// Values of options, read by commander: whatever is wrong with one gives one line that names the option, the value and
// what it must be, and exit status 2. For one of a few words there is `Option.choices`.
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';

type Parser<T> = (text: string) => T;

/** A whole number: `0` to 999999999 unless said otherwise. */
export function count(least = 0, most = 999_999_999): Parser<number> {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d{1,15}$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** A TCP port; 0 for any. */
export const port: Parser<number> = count(0, 65_535);

/** A number from 0 to 1. */
export function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError('It must be a number from 0 to 1.');
  }
  return value;
}

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** A length of time as `sleep` takes it: `5`, `0.5`, `500ms`, `5s`, `2m`, `1h`. The result is in seconds. */
export function seconds(text: string): number {
  const [, number, unit = 's'] = /^([\d.e+-]+)(ms|s|m|h)?$/.exec(text) ?? [];
  const value = Number(number) * (SECONDS[unit] ?? Number.NaN);
  if (!(value > 0 && value < 1e6)) {
    throw new InvalidArgumentError('It must be a time above 0, such as 5, 0.5, 500ms, 5s or 2m.');
  }
  return value;
}

const MEBIBYTES: Readonly<Record<string, number>> = { m: 1, g: 1024, t: 1024 * 1024 };

/** A size in mebibytes: `512M`, `2G`; without a unit mebibytes, as QEMU has it. */
export function mebibytes(text: string): number {
  const [, digits, unit = 'm'] = /^([1-9]\d{0,5})([mgt])?i?b?$/i.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('It must be a size such as 512M or 2G.');
  return Number(digits) * (MEBIBYTES[unit.toLowerCase()] ?? 1);
}

/** {@link mebibytes} as it is written. */
export function writtenSize(size: number): string {
  return size % 1024 === 0 ? `${size / 1024}G` : `${size}M`;
}

/** `0` or `1`. */
export function flag(text: string): boolean {
  if (text !== '0' && text !== '1') throw new InvalidArgumentError('It must be 0 or 1.');
  return text === '1';
}

/** Values with commas between them. */
export function list<T>(parse: Parser<T>): Parser<T[]> {
  return (text) => words(text).map(parse);
}

/** Words with commas between them. */
export function words(text: string): string[] {
  return text.split(',').filter((word) => word !== '');
}

/** Numbers below a limit, and ranges of them: `0,2-3`. */
export function ranges(limit: number): Parser<number[]> {
  const number = count(0, limit - 1);
  return (text) =>
    words(text).flatMap((part) => {
      const [first = 0, last = first, ...more] = part.split('-').map(number);
      if (more.length > 0 || last < first) {
        throw new InvalidArgumentError(`It must be numbers below ${limit} and ranges of them, such as 0,2-3.`);
      }
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

/** A file or folder, seen from the current directory. */
export function path(text: string): string {
  return resolve(text);
}

/** An option that may be given several times. */
export function repeated<T>(parse: Parser<T>): (text: string, previous: readonly T[] | undefined) => T[] {
  return (text, previous) => [...(previous ?? []), parse(text)];
}
