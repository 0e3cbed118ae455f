import type { ChangeRate } from './comparison.ts';
import { dimensionNamed, GROUPINGS } from './dimensions.ts';
import { type CallFilter, ExpressionError, parseWhere } from './where.ts';

/** Values of a dimension that only one side has: `new site`, `gone tree > 100`. */
export interface PresenceCondition {
  readonly kind: 'presence';
  readonly text: string;
  readonly status: 'new' | 'gone';
  /** Name of the dimension. */
  readonly by: string;
  /** Only values with more calls than this. */
  readonly moreThan: number;
}

/** A limit on calls, or on how they changed: `total > +5%`, `tree=ext4-extent-status > +100`, `total/op > 0.1`. */
export interface AmountCondition {
  readonly kind: 'amount';
  readonly text: string;
  /** What is measured: `total`, `lost` or an expression. */
  readonly of: string;
  /** null: all calls. */
  readonly filter: CallFilter | 'lost' | null;
  readonly per: ChangeRate;
  readonly isAbove: boolean;
  /** The limit itself strikes as well. */
  readonly isInclusive: boolean;
  readonly limit: number;
  /** A change from the base, as a number (`+100`) or as a share of the base (`+5%`); else the figure itself. */
  readonly change: 'absolute' | 'relative' | null;
}

/** What a comparison must not be. */
export type Condition = PresenceCondition | AmountCondition;

const RATES: Readonly<Record<string, ChangeRate>> = { op: 'operation', s: 'second' };

/**
 * Reads a condition: `new SITE` or `gone SITE` of any dimension, maybe with `> CALLS`; or `total`, `lost` or an expression
 * as filters have it, maybe with `/op` or `/s`, then `>`, `<`, `>=` or `<=`, then a number of calls, or with a sign a
 * change of as many, or of so many per cent.
 *
 * @throws {ExpressionError} what is wrong, and where
 */
export function parseCondition(text: string): Condition {
  const [, left = '', relation, right = ''] = /^(.*?)(?:(>=|<=|[<>])([^<>"']*))?$/s.exec(text) ?? [];
  const presence = /^\s*(new|gone)(?:\s+(\w*))?\s*$/.exec(left);
  if (presence) return presenceOf(text, presence, relation, right, left.length);
  if (relation === undefined)
    throw mistake('expected a limit, such as > +5%, or new site', text.trimEnd().length, text);
  const suffix = /\/(\w*)\s*$/.exec(left);
  const rate = suffix && RATES[suffix[1] ?? ''];
  const measured = suffix && rate ? left.slice(0, suffix.index) : left;
  return {
    kind: 'amount',
    text: text.trim(),
    of: left.trim(),
    filter: filterOf(measured, text),
    per: rate || 'call',
    isAbove: relation.startsWith('>'),
    isInclusive: relation.endsWith('='),
    ...amountOf(right, left.length + relation.length, text),
  };
}

function presenceOf(
  text: string,
  [, status, by = '']: RegExpExecArray,
  relation: string | undefined,
  right: string,
  end: number,
): PresenceCondition {
  if (!GROUPINGS.includes(by)) {
    const at = by === '' ? end : text.indexOf(by, text.indexOf(status ?? '') + (status ?? '').length);
    const what = dimensionNamed(by) ? `no two sides are told apart by ${by}` : `unknown dimension '${by}'`;
    const known = GROUPINGS.join(', ');
    throw mistake(by === '' ? `expected one of ${known}` : `${what} (known: ${known})`, at, text);
  }
  const parsed: PresenceCondition = {
    kind: 'presence',
    text: text.trim(),
    status: status === 'gone' ? 'gone' : 'new',
    by,
    moreThan: 0,
  };
  if (relation === undefined) return parsed;
  if (relation !== '>') throw mistake(`after ${status} ${by} only > can stand`, end, text);
  const { limit, change } = amountOf(right, end + 1, text);
  if (change !== null) throw mistake('expected a number of calls, without a sign', end + 1 + blanks(right), text);
  return { ...parsed, moreThan: limit };
}

function filterOf(left: string, text: string): AmountCondition['filter'] {
  const word = left.trim();
  if (word === 'total') return null;
  if (word === 'lost') return 'lost';
  try {
    return parseWhere(left);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const isWord = /^\w*(?:\/\w*)?$/.test(word);
    throw mistake(
      isWord ? `expected total, total/op, lost, new, gone or a filter such as site=NAME` : error.problem,
      isWord ? blanks(left) : error.at,
      text,
    );
  }
}

function amountOf(right: string, at: number, text: string): Pick<AmountCondition, 'limit' | 'change'> {
  const [, sign, digits, percent] = /^\s*([+-]?)\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*$/.exec(right) ?? [];
  const start = at + blanks(right);
  if (digits === undefined) throw mistake('expected a number, such as 1000, +100 or +5%', start, text);
  if (percent === '%' && sign === '') throw mistake('a percentage is of the base: write +5% or -5%', start, text);
  const number = Number(digits) * (sign === '-' ? -1 : 1);
  return percent === '%'
    ? { limit: number / 100, change: 'relative' }
    : { limit: number, change: sign === '' ? null : 'absolute' };
}

function blanks(text: string): number {
  return text.length - text.trimStart().length;
}

function mistake(problem: string, at: number, text: string): ExpressionError {
  return new ExpressionError(problem, at, text);
}
