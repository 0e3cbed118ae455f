import type { KeyId } from '../../census/call-key.ts';
import type { Census } from '../../census/census.ts';
import type { Row } from '../../census/row-table.ts';
import type { StackId } from '../../census/stack-table.ts';
import { lossText } from '../loss-text.ts';
import { targetByFrame, targetElement } from './target-element.ts';

/** What begins lines that are no stacks cannot be the name of a process. */
const RESERVED = /^\[(lost|target)\]$/;

/**
 * The census as folded stacks, outermost frame first: the process, then user frames, then kernel frames marked
 * `_[k]`. Losses are lines of their own (`[lost];[not-printed] 66`), so that the counts add up to the total, and
 * targets lines that count nothing (`[target];[vfs_write] 0`). Where there are several, stacks that do not begin with
 * theirs name it in an element of its own, the innermost.
 * Offsets, process numbers and CPUs have no place in this format.
 */
export function foldedStacks(census: Census): string {
  const lines = new Map<string, number>();
  const tasks = new Map<KeyId, string>();
  const stackTexts = new Map<StackId, string>();
  const targetTexts = isAmbiguous(census) ? targetsTold(census) : () => '';
  for (const row of census.rows) {
    let stack = stackTexts.get(row.stack);
    if (stack === undefined) {
      stack = foldedFrames(census, row.stack);
      stackTexts.set(row.stack, stack);
    }
    let task = tasks.get(row.key);
    if (task === undefined) {
      task = element(census.keys.at(row.key).comm || '-').replace(RESERVED, '($1)');
      tasks.set(row.key, task);
    }
    // A name that ends in a number would be a second count.
    const line = `${task};${stack}${targetTexts(row)}`.replace(/\s(\d+(?:\.\d+)?)$/, ':$1');
    lines.set(line, (lines.get(line) ?? 0) + row.count);
  }
  for (const name of census.targets) lines.set(`[target];[${element(name)}]`, 0);
  for (const { count, ...cause } of census.losses) lines.set(`[lost];[${element(lossText(cause))}]`, count);
  return [...lines].map(([line, count]) => `${line} ${count}\n`).join('');
}

/** Whether stacks and the list of targets leave open whose call one of them is. */
function isAmbiguous(census: Census): boolean {
  // All stacks are the one target's, where there is but one.
  const otherwise = census.targets.length === 1 ? 0 : -1;
  return [...census.rows].some((row) => {
    const read = byFrame(census, row.stack);
    return (read < 0 ? otherwise : read) !== row.target;
  });
}

/** The element of rows whose target their stack does not tell; '' for the others. */
function targetsTold(census: Census): (row: Row) => string {
  return ({ stack, target }) => {
    const isOnly = target < 0 && census.targets.length === 1;
    if (byFrame(census, stack) === target && !isOnly) return '';
    const name = census.targets[target];
    return `;${targetElement(name === undefined ? '' : element(name))}`;
  };
}

/** The target as {@link foldedFrames} tells it. */
function byFrame({ stacks, symbols, targets }: Census, stack: StackId): number {
  const [innermost = stack] = stacks.prefixes(stack);
  const symbol = stacks.symbol(innermost);
  return targetByFrame(targets, symbols.name(symbol), symbols.space(symbol));
}

function foldedFrames(census: Census, stack: StackId): string {
  const { stacks, symbols } = census;
  return stacks
    .prefixes(stack)
    .reverse()
    .map((at) => {
      const symbol = stacks.symbol(at);
      const name = `${stacks.isUnreliable(at) ? '? ' : ''}${element(symbols.name(symbol))}`;
      return symbols.space(symbol) === 'kernel' ? `${name}_[k]` : name;
    })
    .join(';');
}

/** Semicolons and line breaks separate things here; an element of nothing but blanks would be none. */
function element(text: string): string {
  return text.replace(/[;\p{Cc}\u2028\u2029]/gu, ':').trim() || '[unknown]';
}
