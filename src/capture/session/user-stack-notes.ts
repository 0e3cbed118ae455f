import type { Census } from '../../census/census.ts';
import { UNKNOWN_CODE } from '../symbols/user-symbols.ts';

/** Where a thread of a process begins: beyond there is nothing to see. */
const BEGINNINGS = /^(?:_start|__libc_start_main|__libc_start_call_main|main|start_thread|clone3?|__clone3?)$/;

/**
 * Says of functions of executables how many calls have a stack that ends early: libraries are mostly compiled without
 * frame pointers, and no other way out of a function is known to the kernel.
 *
 * @param targets names of the targets that are functions of executables
 */
export function noteShortStacks(census: Census, targets: readonly string[]): void {
  const { stacks, symbols, rows } = census;
  for (const name of targets) {
    const target = census.targets.indexOf(name);
    let calls = 0;
    let alone = 0;
    let short = 0;
    let unknown = 0;
    for (const row of rows) {
      if (row.target !== target) continue;
      calls += row.count;
      const depth = stacks.depth(row.stack);
      const outermost = symbols.name(stacks.symbol(row.stack));
      if (depth === 1) alone += row.count;
      else if (outermost === UNKNOWN_CODE) unknown += row.count;
      else if (depth === 2 && !BEGINNINGS.test(outermost)) short += row.count;
    }
    if (alone > 0) census.note({ code: 'user-no-caller', target: name, part: alone, calls });
    if (short > 0) census.note({ code: 'user-one-caller', target: name, part: short, calls });
    if (unknown > 0) {
      census.note({ code: 'user-ends-unknown', target: name, part: unknown, calls, symbol: UNKNOWN_CODE });
    }
  }
}

/** Says in which files callers have no names, and what brings them. */
export function noteStripped(census: Census, files: ReadonlySet<string>): void {
  if (files.size > 0) census.note({ code: 'user-stripped', files: [...files].sort() });
}

/** Notes mappings that the kernel had no room to tell of (`PERF_RECORD_LOST`), new processes among them. */
export function noteLostMappings(census: Census, lost: number): void {
  if (lost > 0) census.note({ code: 'user-mappings-lost', lost });
}
