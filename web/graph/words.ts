// Boxes in sentences.
import { calls, percent } from '../text/numbers.ts';
import { factsOf, type GraphModel } from './model.ts';

/** `enqueue_task_fair, 31 490 calls, 12.7 % of all, 3rd of 9 callers`: for who hears the graph. */
export function spoken(model: GraphModel, box: number): string {
  const facts = factsOf(model, box);
  const what = facts.isGroup ? 'groups' : model.direction === 'callers' ? 'callers' : 'callees';
  const rank = facts.siblings > 1 ? `${ordinal(facts.rank)} of ${facts.siblings} ${what}` : '';
  return [
    facts.more > 0 ? `${facts.name} and ${facts.more} more` : facts.name,
    calls(facts.calls),
    `${percent(facts.shareOfAll)} of all`,
    rank,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** 1st, 2nd, 3rd, 11th, 21st. */
export function ordinal(number: number): string {
  const tens = number % 100;
  const ending = tens > 10 && tens < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${ending}`;
}

/** What the graph is. */
export function titleOf(model: GraphModel): string {
  const targets = model.data.targets.slice(0, 3).join(', ') || 'the target';
  const total = calls(model.tree.total[0] as number);
  return model.direction === 'callers'
    ? `Callers of ${targets}, ${total}: arrows walk, Enter zooms`
    : `Flame graph of ${total} of ${targets}: arrows walk, Enter zooms`;
}
