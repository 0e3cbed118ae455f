import type { KeyId } from '../../census/call-key.ts';
import type { Census } from '../../census/census.ts';
import type { StackId } from '../../census/stack-table.ts';
import { lossText } from '../loss-text.ts';

/**
 * The census as folded stacks, outermost frame first: the process, then user frames, then kernel frames marked
 * `_[k]`. Losses are lines of their own (`[lost];[not-printed] 66`), so that the counts add up to the total, and
 * targets lines that count nothing (`[target];[vfs_write] 0`).
 * Offsets, process numbers and CPUs have no place in this format.
 */
export function foldedStacks(census: Census): string {
  const lines = new Map<string, number>();
  const tasks = new Map<KeyId, string>();
  const stackTexts = new Map<StackId, string>();
  for (const row of census.rows) {
    let stack = stackTexts.get(row.stack);
    if (stack === undefined) {
      stack = foldedFrames(census, row.stack);
      stackTexts.set(row.stack, stack);
    }
    let task = tasks.get(row.key);
    if (task === undefined) {
      task = element(census.keys.at(row.key).comm || '-');
      tasks.set(row.key, task);
    }
    const line = `${task};${stack}`;
    lines.set(line, (lines.get(line) ?? 0) + row.count);
  }
  for (const name of census.targets) lines.set(`[target];[${element(name)}]`, 0);
  for (const { count, ...cause } of census.losses) lines.set(`[lost];[${element(lossText(cause))}]`, count);
  return [...lines].map(([line, count]) => `${line} ${count}\n`).join('');
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
