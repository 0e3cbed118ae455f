// A box as text, for a mail or a commit message: 75 columns.
import { printable } from '../text/copy.ts';
import { grouped, percent } from '../text/numbers.ts';
import { boxesTo, factsOf, type GraphModel } from './model.ts';

const WIDTH = 75;
/** Callers that are listed at most. */
const MOST = 10;

/** The path to a box, what it is, and what comes after it. Numbers with plain blanks, so that they can be read back. */
export function textOf(model: GraphModel, box: number): string {
  const path = boxesTo(model, box);
  const facts = factsOf(model, box);
  const [towards, next] = model.direction === 'callers' ? ['<- ', 'called by'] : ['-> ', 'calling'];
  const head = `${plain(grouped(facts.calls))} calls, ${plain(percent(facts.shareOfAll))} of all`;
  const lines = path.map((at, i) => {
    const { name, more, place } = factsOf(model, at);
    const text = `${i === 0 ? '' : towards}${printable(name)}${more > 0 ? ` (+${more})` : ''}`;
    return `  ${row(text, place)}`;
  });
  const { tree } = model;
  const children: string[] = [];
  const [from, to] = [tree.first[box] as number, tree.first[box + 1] as number];
  for (let child = from; child < Math.min(to, from + MOST); child++) {
    const { name, calls, shareOfParent } = factsOf(model, child);
    const numbers = `${plain(grouped(calls)).padStart(13)} ${plain(percent(shareOfParent)).padStart(8)}  `;
    children.push(numbers + printable(name));
  }
  if (to - from > MOST) children.push(`${' '.repeat(24)}and ${to - from - MOST} more`);
  return `${[head, ...lines, ...(children.length > 0 ? ['', `  ${next}:`, ...children] : [])].join('\n')}\n`;
}

/** A name with what belongs to it at the right edge, where there is room. Names are never cut. */
function row(text: string, right: string): string {
  const room = WIDTH - 2 - text.length - right.length;
  return right !== '' && room >= 2 ? text + ' '.repeat(room) + right : text;
}

function plain(text: string): string {
  return text.replaceAll('\u202f', ' ').replaceAll('\u00a0', ' ');
}
