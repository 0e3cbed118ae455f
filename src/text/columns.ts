/** Laying out text in the columns of a terminal. Names come from recordings and may hold anything. */

const PLAIN = /^[\x20-\x7e]*$/;
/** Drawn over the character before them. */
const COMBINING = /^[\p{Mn}\p{Me}]$/u;
/** Drawn two columns wide. */
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]$/u;
/** Would be obeyed, or draws nothing: control and format characters, halves of pairs, private use. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu;

/** Text with what a terminal would obey replaced by a dot. */
export function printable(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNPRINTABLE, '·');
}

/** How many columns printable text takes. */
export function columns(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let sum = 0;
  for (const character of text) sum += widthOf(character);
  return sum;
}

function widthOf(character: string): number {
  return COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}

/** The text, its end replaced by `…` where it would take more than `room` columns. */
export function cut(text: string, room: number): string {
  if (columns(text) <= room) return text;
  return `${split(text, room - 1)[0]}…`;
}

/** As much of the text as fits, and the rest; at least one character, so that splitting again comes to an end. */
function split(text: string, room: number): [string, string] {
  let end = 0;
  let used = 0;
  for (const character of text) {
    used += widthOf(character);
    if (used > room && end > 0) break;
    end += character.length;
  }
  return [text.slice(0, end), text.slice(end)];
}

/** The text with blanks up to `room` columns. */
export function pad(text: string, room: number): string {
  return text + ' '.repeat(Math.max(0, room - columns(text)));
}

/** Breaks text into lines of at most `room` columns, at blanks where possible; `first` and `following` begin the lines. */
export function wrap(text: string, room: number, first = '', following = ''): string[] {
  const lines: string[] = [];
  const leading = /^ */.exec(text)?.[0] ?? '';
  let line = first + leading;
  let used = columns(line);
  let isEmpty = true;
  const next = () => {
    lines.push(line);
    line = following + leading;
    used = columns(line);
    isEmpty = true;
  };
  // A number and its per cent sign stay together.
  for (const word of text.trim().split(/ (?!%)/)) {
    let wide = columns(word);
    if (!isEmpty && used + 1 + wide > room) next();
    line += isEmpty ? '' : ' ';
    used += isEmpty ? 0 : 1;
    isEmpty = false;
    let rest = word;
    // A word wider than a line is cut into pieces of a line each.
    while (used + wide > room) {
      const [head, tail] = split(rest, Math.max(room - used, 1));
      line += head;
      rest = tail;
      wide -= columns(head);
      if (rest === '') break;
      next();
      isEmpty = false;
    }
    line += rest;
    used += wide;
  }
  lines.push(line);
  return lines;
}
