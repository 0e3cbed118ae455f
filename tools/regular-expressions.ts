/** A regular expression in a source file. */
export interface SourceExpression {
  readonly source: string;
  readonly flags: string;
  /** 1 for the first. */
  readonly line: number;
}

/** Before an expression may stand one of these, before a division an operand does. */
const BEFORE_EXPRESSION =
  /(?:^|[([{,;=:!&|?+\-*%<>~^]|=>|\b(?:return|case|typeof|in|of|do|else|void|delete|await|yield) ?)$/;

/** Regular expressions written as such in the text of a TypeScript file. Text, comments and templates hold none. */
export function expressionsIn(text: string): SourceExpression[] {
  const found: SourceExpression[] = [];
  /** What stood before, without blanks and comments. */
  let before = '';
  /** How deep the braces are in which each open template continues. */
  const templates: number[] = [];
  let depth = 0;
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at, at + 2);
    const character = text[at] ?? '';
    let end = at + 1;
    if (rest === '//') end = endOf(text, text.indexOf('\n', at));
    else if (rest === '/*') end = endOf(text, text.indexOf('*/', at) + 2);
    else if (character === "'" || character === '"') {
      end = endOfText(text, at + 1, character);
      before = character;
    } else if (character === '`' || (character === '}' && templates.at(-1) === depth)) {
      if (character === '}') templates.pop();
      const stop = endOfTemplate(text, at + 1);
      end = stop.end;
      if (stop.isOpen) templates.push(depth);
      before = stop.isOpen ? '(' : '`';
    } else if (character === '/' && BEFORE_EXPRESSION.test(before)) {
      const stop = endOfExpression(text, at + 1);
      const flags = /^[a-z]*/.exec(text.slice(stop, stop + 10))?.[0] ?? '';
      found.push({ source: text.slice(at + 1, stop - 1), flags, line });
      end = stop + flags.length;
      before = '/';
    } else if (!/\s/.test(character)) {
      if (character === '{') depth += 1;
      if (character === '}') depth -= 1;
      before = `${before}${character}`.slice(-10);
    } else if (/\w$/.test(before)) before += ' ';
    for (let i = at; i < end; i++) if (text[i] === '\n') line += 1;
    at = end;
  }
  return found;
}

function endOf(text: string, at: number): number {
  return at < 0 ? text.length : at;
}

function endOfText(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === quote || text[at] === '\n') return at + 1;
  }
  return text.length;
}

/** Behind the template, or behind the `${` where it is interrupted. */
function endOfTemplate(text: string, from: number): { end: number; isOpen: boolean } {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '`') return { end: at + 1, isOpen: false };
    else if (text.startsWith('${', at)) return { end: at + 2, isOpen: true };
  }
  return { end: text.length, isOpen: false };
}

function endOfExpression(text: string, from: number): number {
  let inClass = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '/' && !inClass) return at + 1;
  }
  return text.length;
}
