// What is copied out of the page, as plain text for a mail, a commit message, or another tool.

import type { Confidences } from '../calls/describe.ts';
import type { Border, Step, Story } from '../calls/story.ts';
import type { Report, Tally } from '../report.ts';
import { percent, roundPercent } from './numbers.ts';

/** Columns of a mail or a commit message. */
const COLUMNS = 75;

/** All that is told of a group. */
export interface GroupAsText {
  readonly title: string;
  readonly about: string;
  readonly count: number;
  readonly stacks: number;
  readonly explanation: string;
  readonly confidence: Confidences;
  readonly story: Story | null;
  readonly entries: readonly Tally[];
  readonly comms: readonly Tally[];
}

/** A group in 75 columns, without blanks at the ends of lines; ends with a newline. */
export function groupText(report: Report, group: GroupAsText): string {
  const { title, about, count, stacks, explanation, confidence, story, entries, comms } = group;
  const targets = report.targets.map(({ name }) => name).join(', ');
  const { total } = report.calls;
  const share = total === 0 ? '' : ` (${percent(count / total)})`;
  const head = [`${title}${about === '' ? '' : ` (${about})`}: ${count} of ${total} calls of ${targets}${share}`];
  const machine = [report.kernel === null ? '' : `Linux ${report.kernel}`, `${stacks} distinct stacks`];
  const unsure = Object.entries(confidence).filter(([, sure]) => sure !== 'certain');
  const lines = [
    ...wrap(head.join(''), '', '  '),
    ...wrap(machine.filter((part) => part !== '').join(', '), '', '  '),
    '',
    ...wrap(explanation, '', ''),
    ...wrap(unsure.map(([part, sure]) => `${part} ${sure}`).join(', '), 'confidence: ', '  '),
    '',
    ...(story?.path ?? []).flatMap(stepLines),
    '',
    ...wrap(tallies(entries, count), 'entries: ', '  '),
    ...wrap(tallies(comms, count), 'processes: ', '  '),
  ];
  const text = lines.map((line) => line.trimEnd()).join('\n');
  return `${text.replace(/\n{3,}/g, '\n\n').trim()}\n`;
}

/** Name left, file right where both fit. */
function stepLines(step: Step | Border): string[] {
  if (step.kind === 'border') return wrap(`-- ${step.text} --`, '  ', '     ');
  const name = `${step.isSite ? '> ' : '  '}${step.name}${step.module === '' ? '' : ` [${step.module}]`}`;
  const gap = COLUMNS - name.length - step.place.length;
  return [step.place === '' || gap < 2 ? name.slice(0, COLUMNS) : name + ' '.repeat(gap) + step.place];
}

function tallies(list: readonly Tally[], of: number): string {
  return list
    .slice(0, 6)
    .map(({ name, count }) => `${name} ${roundPercent(count / of)}`)
    .join(', ');
}

/** Words in lines of at most 75 columns; nothing for no words. A word that is too long is cut into lines. */
function wrap(text: string, first: string, following: string): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of printable(text).split(' ')) {
    if (word === '') continue;
    let rest = word;
    const gap = isEmpty ? '' : ' ';
    if (line.length + gap.length + rest.length > COLUMNS && !isEmpty) {
      lines.push(line);
      line = following;
      isEmpty = true;
    }
    while (line.length + rest.length > COLUMNS) {
      const room = COLUMNS - line.length;
      lines.push(line + rest.slice(0, room));
      rest = rest.slice(room);
      line = following;
    }
    line += (isEmpty ? '' : ' ') + rest;
    isEmpty = false;
  }
  return isEmpty ? lines : [...lines, line];
}

/** Control characters and marks that turn the direction of text are not passed on. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '·');
}

/** Paths as folded stacks: entry first, the call last, then a blank and its count. */
export function foldedText(paths: readonly { readonly names: readonly string[]; readonly count: number }[]): string {
  return paths.map(({ names, count }) => `${[...names].reverse().map(foldedName).join(';')} ${count}\n`).join('');
}

/** `;` parts frames, and a line is a stack. */
function foldedName(name: string): string {
  return printable(name).replaceAll(';', ',');
}
