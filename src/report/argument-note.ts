import type { Census } from '../census/census.ts';

/** Says how arguments get into a census, to who groups by them and asked for none to be recorded. */
export function noteMissingArgument(census: Census, by: string | undefined, isAskedFor: boolean): void {
  if (by !== 'argument' || isAskedFor) return;
  for (const { key } of census.rows) if (census.keys.at(key).argument !== '') return;
  census.note({ code: 'argument-not-recorded' });
}
