import { UsageError } from '../errors.ts';
import { OwnExpression } from '../text/own-expression.ts';
import { type CallFacts, DIMENSIONS, type Dimension, dimensionNamed, valuesIn } from './dimensions.ts';

/** Whether calls are wanted. */
export type CallFilter = (facts: CallFacts) => boolean;

/** A mistake in an expression, for those who show it at its place. */
export class ExpressionError extends UsageError {
  /** What is wrong, without the place. */
  readonly problem: string;
  /** Index of the first character that cannot be taken. */
  readonly at: number;

  constructor(problem: string, at: number, text: string) {
    super(`--where: ${problem} at column ${at + 1} of '${text}'`);
    this.problem = problem;
    this.at = at;
  }
}

/**
 * Compiles a filter expression: comparisons `FIELD=VALUE`, `FIELD!=VALUE`, `FIELD~REGEX`, `FIELD!~REGEX`, joined with
 * `&&`, `||`, `!` and parentheses, such as `comm=db_bench && !frame~^ext4_`. A value with blanks or operators goes in
 * single or double quotes. `entry=write` and `syscall=write` mean write(2) as well.
 *
 * @throws {ExpressionError} what is wrong, and at which column
 */
export function parseWhere(expression: string): CallFilter {
  return new Parser(expression).parse();
}

/** Names of the dimensions an expression asks for. @throws {UsageError} it has a mistake */
export function dimensionsIn(expression: string): readonly string[] {
  const parser = new Parser(expression);
  parser.parse();
  return parser.dimensions;
}

/** `and frame ~`: a word where an operator is meant. */
const WORD_OPERATOR = /\s(and|or)\s+[!(\s]*\w+\s*[=!~]/i;

class Parser {
  /** Names of the dimensions met. */
  readonly dimensions: string[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): CallFilter {
    const filter = this.#either();
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#fail('expected && or ||');
    return filter;
  }

  #either(): CallFilter {
    const options = [this.#both()];
    while (this.#take('||')) options.push(this.#both());
    return (row) => options.some((option) => option(row));
  }

  #both(): CallFilter {
    const conditions = [this.#single()];
    while (this.#take('&&')) conditions.push(this.#single());
    return (row) => conditions.every((condition) => condition(row));
  }

  #single(): CallFilter {
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

  #comparison(): CallFilter {
    const dimension = this.#dimension();
    const negated = this.#take('!');
    const isPattern = this.#take('~');
    if (!isPattern && !this.#take('==') && !this.#take('=')) this.#fail('expected =, !=, ~ or !~');
    const at = this.#at;
    const value = this.#value();
    const matches = isPattern ? this.#pattern(value, at) : equality(dimension, value);
    return (facts) => valuesIn(dimension, facts).some(matches) !== negated;
  }

  #dimension(): Dimension {
    this.#skipBlanks();
    const word = /^\w*/.exec(this.#text.slice(this.#at))?.[0] ?? '';
    const dimension = dimensionNamed(word);
    if (!dimension) {
      const known = DIMENSIONS.map(({ name }) => name).join(', ');
      this.#fail(word === '' ? `expected one of ${known}` : `unknown field '${word}' (known: ${known})`);
    }
    this.dimensions.push(dimension.name);
    this.#at += word.length;
    return dimension;
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
    const [, word] = WORD_OPERATOR.exec(value) ?? [];
    if (word !== undefined) {
      this.#at += value.search(WORD_OPERATOR) + 1;
      this.#fail(`expected && or ||, not '${word}'`);
    }
    this.#at = end;
    return value;
  }

  #pattern(source: string, at: number): (text: string) => boolean {
    try {
      const pattern = new OwnExpression(source);
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
    throw new ExpressionError(problem, this.#at, this.#text);
  }
}

function equality({ isMeant }: Dimension, wanted: string): (value: string) => boolean {
  return isMeant ? (value) => isMeant(value, wanted) : (value) => value === wanted;
}
