import { createContext, Script } from 'node:vm';
import { UsageError } from '../errors.ts';

/** Longer than anybody waits for one name. */
const MILLISECONDS = 1000;

/** Names as they are; on these an expression without repeated groups is quick whatever it is. */
const SHORT = 200;

let testing: Script | undefined;

/**
 * A regular expression that somebody wrote on the command line, for names that somebody else made: `^(a+)+$` takes hours
 * on forty letters. Each text is looked at once, and for a second at most.
 */
export class OwnExpression {
  readonly #expression: RegExp;
  readonly #isPlain: boolean;
  readonly #known = new Map<string, boolean>();
  #context: { text: string } | undefined;

  /** @throws {SyntaxError} it is none */
  constructor(source: string) {
    this.#expression = new RegExp(source);
    const quantifiers = source.match(/[*+{]/g)?.length ?? 0;
    this.#isPlain = quantifiers <= 3 && !/\)[*+{]/.test(source);
  }

  /** @throws {UsageError} it takes too long */
  test(text: string): boolean {
    if (this.#isPlain && text.length <= SHORT) return this.#expression.test(text);
    let is = this.#known.get(text);
    if (is === undefined) {
      is = this.#tried(text);
      this.#known.set(text, is);
    }
    return is;
  }

  #tried(text: string): boolean {
    // Made when it is needed: most expressions are simple, and most names short.
    this.#context ??= createContext({ expression: this.#expression, text: '' }) as { text: string };
    this.#context.text = text;
    try {
      testing ??= new Script('expression.test(text)');
      return testing.runInContext(this.#context, { timeout: MILLISECONDS }) === true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      throw new UsageError(
        `the regular expression ${this.#expression.source} takes more than a second on a name of ${text.length} characters`,
        { cause: error },
      );
    }
  }
}
