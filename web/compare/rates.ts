// Calls as they are, or for each operation of the workload or second.
import { grouped } from '../text/numbers.ts';
import type { Side } from './comparison.ts';

/** What calls are measured by. */
export const RATES = ['call', 'operation', 'second'] as const;
export type Rate = (typeof RATES)[number];

/** What one call of a run counts; null where it is not known. Operations are taken by the thousand. */
export function weightOf({ operations, seconds }: Side, run: number, rate: Rate): number | null {
  if (rate === 'call') return 1;
  const units = (rate === 'second' ? seconds : operations)?.[run] ?? 0;
  return units === 0 ? null : (rate === 'second' ? 1 : 1000) / units;
}

/** What figures are. */
export function rateText(rate: Rate): string {
  return rate === 'call' ? 'calls' : rate === 'operation' ? 'calls per 1000 operations' : 'calls a second';
}

/** Calls whole, rates with three digits. */
export function figure(value: number, rate: Rate): string {
  if (rate === 'call' || value === 0) return grouped(value);
  return grouped(Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3)));
}

/** With its sign: `+5`, `−5`, `0`. */
export function signed(value: number, rate: Rate): string {
  const text = figure(Math.abs(value), rate);
  return value > 0 ? `+${text}` : value < 0 ? `−${text}` : '0';
}

/** `+54.0 %`, `new`, `gone`, `0 %`. */
export function changeText(base: number, other: number): string {
  if (base === other) return '0 %';
  if (base === 0) return 'new';
  if (other === 0) return 'gone';
  const share = Math.abs(other - base) / base;
  const size = share < 0.001 ? '<0.1' : share < 10 ? (share * 100).toFixed(1) : grouped(Math.round(share * 100));
  return `${other > base ? '+' : '−'}${size} %`;
}
