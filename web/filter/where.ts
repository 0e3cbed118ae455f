// The language of `--where`, as the page understands it: comparisons `FIELD=VALUE`, `!=`, `~REGEX`, `!~REGEX`, joined
// with `&&`, `||`, `!` and parentheses. A test holds it against the one of the command line.

/** A comparison of one field with a value. */
export interface Comparison {
  readonly kind: 'comparison';
  readonly field: string;
  readonly isNegated: boolean;
  /** Whether any of the field's values matches. */
  readonly matches: (value: string) => boolean;
}

/** An expression, parsed. */
export type Where =
  | Comparison
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Where[] }
  | { readonly kind: 'not'; readonly part: Where };

/** What is wrong with an expression, and where. */
export class WhereError extends Error {
  /** From 0. */
  readonly at: number;

  constructor(problem: string, at: number) {
    super(problem);
    this.at = at;
  }
}

/** Fields whose values are meant by what stands before the bracket: `write` means `write(2)`. */
const SYSTEM_CALLS = new Set(['entry', 'syscall']);

/**
 * Parses a filter expression.
 *
 * @param fields the names that may be asked for
 * @throws {WhereError} a mistake in it
 */
export function parseWhere(text: string, fields: readonly string[]): Where {
  return new Parser(text, fields).parse();
}

/** Whether what an expression says holds, given what its comparisons say. */
export function holds(where: Where, compare: (comparison: Comparison) => boolean): boolean {
  switch (where.kind) {
    case 'comparison':
      return compare(where) !== where.isNegated;
    case 'not':
      return !holds(where.part, compare);
    case 'and':
      return where.parts.every((part) => holds(part, compare));
    case 'or':
      return where.parts.some((part) => holds(part, compare));
  }
}

/**
 * `FIELD=VALUE`, with quotes where the value needs them; null where it cannot be written.
 */
export function comparison(field: string, value: string): string | null {
  if (/^[\w.:@/+-]+(?:\(\d\))?$/.test(value)) return `${field}=${value}`;
  if (!value.includes('"')) return `${field}="${value}"`;
  return value.includes("'") ? null : `${field}='${value}'`;
}

/**
 * Both of two expressions; either may be ''.
 */
export function both(left: string, right: string): string {
  if (left === '' || right === '') return left + right;
  const wrap = (part: string) => (part.includes('||') ? `(${part})` : part);
  return `${wrap(left)} && ${wrap(right)}`;
}

/** `and frame ~`: a word where an operator is meant. */
const WORD_OPERATOR = /\s(and|or)\s+[!(\s]*\w+\s*[=!~]/i;

class Parser {
  readonly #text: string;
  readonly #fields: readonly string[];
  #at = 0;

  constructor(text: string, fields: readonly string[]) {
    this.#text = text;
    this.#fields = fields;
  }

  parse(): Where {
    const where = this.#joined('||', () => this.#joined('&&', () => this.#single()));
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#fail('expected && or ||');
    return where;
  }

  #joined(operator: '&&' | '||', next: () => Where): Where {
    const first = next();
    const parts = [first];
    while (this.#take(operator)) parts.push(next());
    return parts.length === 1 ? first : { kind: operator === '&&' ? 'and' : 'or', parts };
  }

  #single(): Where {
    if (this.#take('!')) return { kind: 'not', part: this.#single() };
    if (!this.#take('(')) return this.#comparison();
    const where = this.#joined('||', () => this.#joined('&&', () => this.#single()));
    if (!this.#take(')')) this.#fail('expected )');
    return where;
  }

  #comparison(): Comparison {
    const field = this.#field();
    const isNegated = this.#take('!');
    const isPattern = this.#take('~');
    if (!isPattern && !this.#take('==') && !this.#take('=')) this.#fail('expected =, !=, ~ or !~');
    const at = this.#at;
    const wanted = this.#value();
    const matches = isPattern ? this.#pattern(wanted, at) : equality(field, wanted);
    return { kind: 'comparison', field, isNegated, matches };
  }

  #field(): string {
    this.#skipBlanks();
    const word = /^\w*/.exec(this.#text.slice(this.#at))?.[0] ?? '';
    if (!this.#fields.includes(word)) {
      const known = this.#fields.join(', ');
      this.#fail(word === '' ? `expected one of ${known}` : `unknown field '${word}' (known: ${known})`);
    }
    this.#at += word.length;
    return word;
  }

  #value(): string {
    this.#skipBlanks();
    const quote = this.#text[this.#at];
    if (quote === '"' || quote === "'") {
      const end = this.#text.indexOf(quote, this.#at + 1);
      if (end < 0) this.#fail(`missing closing ${quote}`);
      const value = this.#text.slice(this.#at + 1, end);
      this.#at = end + 1;
      return value;
    }
    // An unquoted value ends at && or ||, or at a parenthesis it did not open: `entry=write(2)` needs no quotes.
    const end = this.#endOfValue();
    const value = this.#text.slice(this.#at, end).trim();
    if (value === '') this.#fail('expected a value');
    const [, word] = WORD_OPERATOR.exec(value) ?? [];
    if (word !== undefined) {
      this.#at += value.search(WORD_OPERATOR) + 1;
      this.#fail(`expected && or ||, not '${word}'`);
    }
    this.#at = end;
    return value;
  }

  #endOfValue(): number {
    let depth = 0;
    let end = this.#at;
    for (; end < this.#text.length; end++) {
      const two = this.#text.slice(end, end + 2);
      if (two === '&&' || (two === '||' && depth === 0)) break;
      if (this.#text[end] === '(') depth += 1;
      if (this.#text[end] === ')' && --depth < 0) break;
    }
    return end;
  }

  #pattern(source: string, at: number): (text: string) => boolean {
    try {
      const pattern = new RegExp(source);
      return (text) => pattern.test(text);
    } catch {
      this.#at = at;
      return this.#fail(`'${source}' is not a regular expression`);
    }
  }

  #take(token: string): boolean {
    this.#skipBlanks();
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #skipBlanks(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at += 1;
  }

  #fail(problem: string): never {
    throw new WhereError(problem, this.#at);
  }
}

function equality(field: string, wanted: string): (value: string) => boolean {
  if (!SYSTEM_CALLS.has(field)) return (value) => value === wanted;
  return (value) => value === wanted || value === `${wanted}(2)`;
}
