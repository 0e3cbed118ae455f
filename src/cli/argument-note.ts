import { parseKeys } from '../capture/targets/arguments.ts';
import type { Census } from '../census/census.ts';

/** Says how arguments get into a census, to who groups by them and asked for none to be recorded. */
export function noteMissingArgument(census: Census, by: string, keys = 'comm'): void {
  if (by !== 'argument' || parseKeys(keys).argument) return;
  if ([...census.rows].some(({ argument }) => census.string(argument) !== '')) return;
  census.note('No argument was recorded; --keys argN records one.');
}
