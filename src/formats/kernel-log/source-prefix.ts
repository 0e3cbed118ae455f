import { type LogPrefix, splitLogLine } from './line.ts';

/**
 * Texts by which the beginning of a line of the kernel is told, whatever stands before it. Some are preceded by the name
 * of a part of the kernel, which is none of a prefix.
 */
const ANCHOR =
  /Call [Tt]race:\s*$|CPU: \d+ (?:UID: \d+ )?PID: \d+ Comm: |RIP: 0010:|Hardware name: |Modules linked in:|-{12}\[ cut here|(?:(?:NMI )?watchdog: |\brcu: )?(?:BUG: (?:K[A-Z]+|unable|soft|kernel)|INFO: (?:task|rcu)|WARNING: (?:CPU: |possible )|UBSAN: |Kernel panic - not|kernel BUG at |Oops: )/;

const MAXIMUM_LENGTH = 160;
const MAXIMUM_KINDS = 32;

/** What prefixes of one source have in common, in the order of the line. */
type Token =
  /** Up to the closing bracket, whatever it holds: `[  100.000001]`, `(2)`, `[412:kworker/0:1]`. */
  | { readonly kind: 'group'; readonly open: string; readonly close: string }
  /** Letters and digits with a digit among them, or the name of a day or month. */
  | { readonly kind: 'word' }
  | { readonly kind: 'blanks'; readonly least: number; readonly most: number }
  | { readonly kind: 'text'; readonly text: string };

const CLOSING: Readonly<Record<string, string>> = { '[': ']', '(': ')', '<': '>' };
const DATE = /^(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun)$/;
const WORD = /[A-Za-z0-9_]+/y;
const CALLER = /^\s*([TC]\d+)$/;
const LONGEST_GROUP = 64;

/**
 * Prefixes of lines in logs that are none of {@link splitLogLine}'s: quoted in mail, indented, stamped by a terminal
 * program or another logger. What stands before `Call Trace:` and the like is a prefix; lines alike are read with it.
 */
export class SourcePrefixes {
  readonly #kinds: (readonly Token[])[] = [];

  /** Splits a line of the log. */
  split(line: string): LogPrefix {
    for (const kind of this.#kinds) {
      const prefix = match(kind, line);
      if (prefix) return prefix;
    }
    return splitLogLine(line);
  }

  /** Learns the prefix of a line of which only `known` characters were told to be one. @returns whether there is more */
  learn(line: string, known: number): boolean {
    const anchor = ANCHOR.exec(line);
    if (!anchor || anchor.index <= known || anchor.index > MAXIMUM_LENGTH || this.#kinds.length >= MAXIMUM_KINDS)
      return false;
    const prefix = line.slice(0, anchor.index);
    if (prefix.trim() === '' || /\w$/.test(prefix) || this.#kinds.some((kind) => match(kind, line))) return false;
    this.#kinds.push(tokensOf(prefix));
    return true;
  }
}

function tokensOf(prefix: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < prefix.length; ) {
    const token = tokenAt(prefix, at, tokens.length === 0);
    tokens.push(token.token);
    at = token.end;
  }
  return tokens;
}

function tokenAt(prefix: string, at: number, isFirst: boolean): { token: Token; end: number } {
  const character = prefix.charAt(at);
  const close = CLOSING[character];
  const closing = close === undefined ? -1 : prefix.indexOf(close, at);
  if (close !== undefined && closing > at)
    return { token: { kind: 'group', open: character, close }, end: closing + 1 };
  if (/\s/.test(character)) {
    const end = at + prefix.slice(at).length - prefix.slice(at).trimStart().length;
    // The text itself may begin with blanks; padding of numbers varies.
    const length = end - at;
    const token: Token =
      end === prefix.length || isFirst
        ? { kind: 'blanks', least: length, most: length }
        : { kind: 'blanks', least: 1, most: length + 12 };
    return { token, end };
  }
  WORD.lastIndex = at;
  const word = WORD.exec(prefix)?.[0];
  if (word !== undefined && (/\d/.test(word) || DATE.test(word)))
    return { token: { kind: 'word' }, end: at + word.length };
  const text = word ?? character;
  return { token: { kind: 'text', text }, end: at + text.length };
}

function match(tokens: readonly Token[], line: string): LogPrefix | null {
  let at = 0;
  let caller = '';
  for (const token of tokens) {
    const end = endOf(token, line, at);
    if (end < 0) return null;
    if (token.kind === 'group') caller = CALLER.exec(line.slice(at + 1, end - 1))?.[1] ?? caller;
    at = end;
  }
  return { text: at, caller };
}

function endOf(token: Token, line: string, at: number): number {
  switch (token.kind) {
    case 'text':
      return line.startsWith(token.text, at) ? at + token.text.length : -1;
    case 'word': {
      WORD.lastIndex = at;
      const word = WORD.exec(line);
      return word ? at + word[0].length : -1;
    }
    case 'blanks': {
      let end = at;
      while (end - at < token.most && (line.charCodeAt(end) === 32 || line.charCodeAt(end) === 9)) end += 1;
      // A line without text has no blanks at its end.
      return end - at >= token.least || end === line.length ? end : -1;
    }
    case 'group': {
      const end = line.charAt(at) === token.open ? line.indexOf(token.close, at) : -1;
      return end < 0 || end - at > LONGEST_GROUP ? -1 : end + 1;
    }
  }
}
