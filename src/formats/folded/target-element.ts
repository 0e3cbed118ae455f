import type { SymbolSpace } from '../../census/symbol-table.ts';

/**
 * The innermost element of stacks whose target their frames do not tell, such as a tracepoint's:
 * `dd;write_[k];[target:sched:sched_switch] 3`; `[target:]` where it is known of other stacks only.
 */
const ELEMENT = /^\[target:(.*)\]$/;

export function targetElement(name: string): string {
  return `[target:${name}]`;
}

/** The name in an element that {@link targetElement} made; null for every other element. */
export function targetInElement(element: string): string | null {
  return ELEMENT.exec(element)?.[1] ?? null;
}

/** Index of the target, among several, that a stack with this innermost frame begins with; -1 where it is none. */
export function targetByFrame(targets: readonly string[], name: string, space: SymbolSpace): number {
  const exact = targets.indexOf(name);
  // The files of user functions have no place in folded stacks: `/usr/lib/libc.so.6:malloc` is told by its end.
  if (exact >= 0 || space !== 'user') return exact;
  return targets.findIndex((target) => target.includes('/') && target.endsWith(`:${name}`));
}
