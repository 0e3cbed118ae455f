import { UsageError } from '../../errors.ts';
import { OwnExpression } from '../../text/own-expression.ts';

/** A pattern over names: `tcp_*`, `[eb]tr?_*` or `/^ext4_.*write/`. */
export class NamePattern {
  /** As it was written. */
  readonly text: string;
  readonly #expression: OwnExpression;

  private constructor(text: string, expression: OwnExpression) {
    this.text = text;
    this.#expression = expression;
  }

  /**
   * null for a plain name.
   * @throws {UsageError} not a regular expression
   */
  static parse(text: string): NamePattern | null {
    if (isExpression(text)) return new NamePattern(text, regularExpression(text.slice(1, -1)));
    if (!/[*?[]/.test(text)) return null;
    const source = text.replace(/\[[!^]?\]?[^\]]*\]|[\s\S]/g, expressionOf);
    return new NamePattern(text, regularExpression(`^${source}$`));
  }

  matches(name: string): boolean {
    return this.#expression.test(name);
  }
}

/** Whether this is a regular expression between slashes. */
export function isExpression(text: string): boolean {
  return text.length > 2 && text.startsWith('/') && text.endsWith('/');
}

function regularExpression(source: string): OwnExpression {
  try {
    return new OwnExpression(source);
  } catch (error) {
    throw new UsageError(`${source} is not a regular expression`, { cause: error });
  }
}

/** One class or character of a pattern as a regular expression. */
function expressionOf(part: string): string {
  if (part.length > 1) return part.replace(/^\[!/, '[^');
  if (part === '*') return '.*';
  return part === '?' ? '.' : part.replace(/\W/, '\\$&');
}
