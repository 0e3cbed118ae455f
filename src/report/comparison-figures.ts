import type { ChangeRate } from '../census/comparison.ts';
import type { Difference, Spread } from '../census/spread.ts';
import { percent } from '../text/percent.ts';

// Figures of comparisons as they are printed.

/** Calls as they are, also of a median between two; rates with three digits that say something. */
export function figureText(value: number, per: ChangeRate): string {
  if (per === 'call' || value === 0) return String(value);
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** `+5`, `-5`, `0`. */
export function signedText(value: number, per: ChangeRate): string {
  return value > 0 ? `+${figureText(value, per)}` : figureText(value, per);
}

/** `+86.8 %`, `new`, `gone`, `0 %`; behind a `~` where the runs of both sides overlap. */
export function relativeText({ absolute, relative, beyondSpread }: Difference): string {
  const mark = beyondSpread === false && absolute !== 0 ? '~ ' : '';
  if (absolute === 0) return '0 %';
  if (relative === null) return `${mark}new`;
  if (relative === -1) return `${mark}gone`;
  return `${mark}${relative > 0 ? '+' : '-'}${percentOf(Math.abs(relative))}`;
}

/** More than the whole is possible here. */
function percentOf(share: number): string {
  if (share <= 0.999) return percent(share);
  return share < 10 ? `${(share * 100).toFixed(1)} %` : `${Math.round(share * 100)} %`;
}

/** `12800..13300`; '' for a single run, or where all are the same. */
export function rangeText({ runs, least, most }: Spread, per: ChangeRate): string {
  if (runs.length < 2) return '';
  return least === most ? `all ${figureText(least, per)}` : `${figureText(least, per)}..${figureText(most, per)}`;
}
