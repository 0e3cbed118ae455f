// What happened, in words, for groups that were made on the page.
import type { Decision } from '../calls/describe.ts';
import { roundPercent } from './numbers.ts';

/** From this share on the rest is not worth a word. */
const NEARLY_ALL = 0.9;
/** Decisions that are told of one by one. */
const MOST_DECISIONS = 3;

/** `An expired timer re-arms itself.`, `55 %: an expired timer re-arms itself. Otherwise: a task sleeps.` */
export function decisionsText(decisions: readonly Decision[], isDoubtful: boolean): string {
  const [first] = decisions;
  if (!first) return '';
  const all = decisions.reduce((sum, { count }) => sum + count, 0);
  const probably = isDoubtful ? 'Probably: ' : '';
  if (first.count >= NEARLY_ALL * all || decisions.length === 1) {
    return `${probably === '' ? capital(first.text) : probably + first.text}.`;
  }
  const shown = decisions.slice(0, MOST_DECISIONS).map(({ text, count }) => `${roundPercent(count / all)}: ${text}.`);
  const rest = decisions.slice(MOST_DECISIONS);
  const other = rest.reduce((sum, { count }) => sum + count, 0);
  if (rest.length === 1 && rest[0]) shown.push(`Otherwise: ${rest[0].text}.`);
  else if (rest.length > 1) shown.push(`${roundPercent(other / all)}: ${rest.length} others.`);
  return probably + shown.join(' ');
}

/** With a capital first letter, unless the first word is the name of a function. */
function capital(text: string): string {
  return /^[a-z]+[ ,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
