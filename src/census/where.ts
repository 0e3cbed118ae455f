import { UsageError } from '../errors.ts';

/** What a filter can ask of a row. Values are texts; a field may have several (every frame of the path). */
export interface Filterable {
  values(field: WhereField): readonly string[];
}

export const WHERE_FIELDS = [
  'comm',
  'pid',
  'cpu',
  'target',
  'site',
  'tree',
  'subsystem',
  'entry',
  'syscall',
  'frame',
  'module',
  'argument',
  'phase',
] as const;
export type WhereField = (typeof WHERE_FIELDS)[number];

/** Whether a row is wanted. */
export type Filter = (row: Filterable) => boolean;

/**
 * Compiles a filter expression: comparisons `FIELD=VALUE`, `FIELD!=VALUE`, `FIELD~REGEX`, `FIELD!~REGEX`, joined with
 * `&&`, `||`, `!` and parentheses, such as `comm=db_bench && !frame~^ext4_`. A value with blanks or operators goes in
 * single or double quotes. `entry=write` and `syscall=write` mean write(2) as well.
 *
 * @throws {UsageError} what is wrong, and at which column
 */
export function parseWhere(expression: string): Filter {
  return new Parser(expression).parse();
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Filter {
    const filter = this.#either();
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#fail('expected && or ||');
    return filter;
  }

  #either(): Filter {
    const options = [this.#both()];
    while (this.#take('||')) options.push(this.#both());
    return (row) => options.some((option) => option(row));
  }

  #both(): Filter {
    const conditions = [this.#single()];
    while (this.#take('&&')) conditions.push(this.#single());
    return (row) => conditions.every((condition) => condition(row));
  }

  #single(): Filter {
    if (this.#take('!')) {
      const filter = this.#single();
      return (row) => !filter(row);
    }
    if (this.#take('(')) {
      const filter = this.#either();
      if (!this.#take(')')) this.#fail('expected )');
      return filter;
    }
    return this.#comparison();
  }

  #comparison(): Filter {
    const field = this.#field();
    const negated = this.#take('!');
    const isPattern = this.#take('~');
    if (!isPattern && !this.#take('==') && !this.#take('=')) this.#fail('expected =, !=, ~ or !~');
    const at = this.#at;
    const value = this.#value();
    const matches = isPattern ? this.#pattern(value, at) : equality(field, value);
    return (row) => row.values(field).some(matches) !== negated;
  }

  #field(): WhereField {
    this.#skipBlanks();
    const word = /^\w*/.exec(this.#text.slice(this.#at))?.[0] ?? '';
    const field = WHERE_FIELDS.find((name) => name === word);
    if (!field) {
      const known = WHERE_FIELDS.join(', ');
      this.#fail(word === '' ? `expected one of ${known}` : `unknown field '${word}' (known: ${known})`);
    }
    this.#at += word.length;
    return field;
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
    let depth = 0;
    let end = this.#at;
    for (; end < this.#text.length; end++) {
      const two = this.#text.slice(end, end + 2);
      if (two === '&&' || (two === '||' && depth === 0)) break;
      if (this.#text[end] === '(') depth += 1;
      if (this.#text[end] === ')' && --depth < 0) break;
    }
    const value = this.#text.slice(this.#at, end).trim();
    if (value === '') this.#fail('expected a value');
    this.#at = end;
    return value;
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
    throw new UsageError(`--where: ${problem} at column ${this.#at + 1} of '${this.#text}'`);
  }
}

function equality(field: WhereField, value: string): (text: string) => boolean {
  if (field === 'entry' || field === 'syscall') return (text) => text === value || text === `${value}(2)`;
  return (text) => text === value;
}
