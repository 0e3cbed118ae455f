import { change } from '../app/parameters.ts';
import { shownCensus, whereNow } from '../app/selected.ts';
import { hidden, span, where } from '../app/state.ts';
import { groupRows } from '../calls/groups.ts';
import { callsOf, rowsWhere } from '../calls/selection.ts';
import type { Where } from '../filter/where.ts';
import type { PageCensus } from '../page.ts';
import { calls } from '../text/numbers.ts';

/** Why there is nothing to show, and a way on. */
export function Empty({ census }: { readonly census: PageCensus }) {
  const { report } = census;
  const { total, attributed, losses } = report.calls;
  const names = report.targets.map(({ name }) => name).join(', ') || 'The function';
  if (total === 0) {
    const time = report.durationSeconds === null ? '' : ` in ${report.durationSeconds.toFixed(1)} s`;
    return (
      <section class="empty">
        <p>
          <strong>
            {names} {report.targets.length > 1 ? 'were' : 'was'} not called{time}.
          </strong>
        </p>
        <p>
          It may be inlined into its callers, go by another name on this kernel (<code>whocalls targets NAME</code>), or
          be called only by others: leave out <code>--only-command</code>, <code>--pid</code> and <code>--comm</code>,
          or watch the whole system with <code>--duration 5</code>.
        </p>
      </section>
    );
  }
  if (attributed === 0) {
    return (
      <section class="empty">
        <p>
          <strong>All {calls(total)} are lost: no stack accounts for any.</strong>
        </p>
        <ul>
          {losses.map(({ text, count }) => (
            <li key={text}>
              {calls(count)}: {text}
            </li>
          ))}
        </ul>
      </section>
    );
  }
  return <NothingMatches />;
}

/** Which part of what is narrowed leaves nothing, with a button that takes it back. */
function NothingMatches() {
  const { data, report } = shownCensus.value;
  const expression = where.value;
  const culprits = data && whereNow.value ? partsThatLetNothingThrough(data, whereNow.value, expression) : [];
  return (
    <section class="empty">
      <p>
        <strong>None of the {calls(report.calls.attributed)} is left.</strong>
      </p>
      {culprits.map(({ text, rest, others }) => (
        <p key={text}>
          No call has <code>{text}</code>
          {others === '' ? '' : ` (${others})`}.{' '}
          <button type="button" onClick={() => where.set(rest)}>
            Drop it
          </button>
        </p>
      ))}
      {culprits.length === 0 && <p>Each of the conditions is met by some calls, but not all together by any.</p>}
      <p>
        <button type="button" onClick={() => change([where.to(''), span.to(null), hidden.to([])])}>
          Show all calls
        </button>
      </p>
    </section>
  );
}

interface Culprit {
  readonly text: string;
  /** The expression without it. */
  readonly rest: string;
  /** What could have been asked for. */
  readonly others: string;
}

type Data = NonNullable<PageCensus['data']>;

function partsThatLetNothingThrough(data: Data, parsed: Where, expression: string): Culprit[] {
  const parts = parsed.kind === 'and' ? parsed.parts : [parsed];
  const texts = splitAnd(expression);
  if (texts.length !== parts.length) return [];
  return parts.flatMap((part, i) => {
    if (callsOf(data, rowsWhere(data, part)) > 0) return [];
    const rest = texts.filter((_, j) => j !== i).join(' && ');
    return [{ text: texts[i] ?? '', rest, others: otherValues(data, part) }];
  });
}

/** `comm is one of …` */
function otherValues(data: Data, part: Where): string {
  if (part.kind !== 'comparison') return '';
  const known = groupRows(data, part.field, null).filter(({ isUnknown }) => !isUnknown);
  if (known.length === 0)
    return part.field === 'frame' || part.field === 'module' ? '' : `${part.field} was not recorded`;
  const shown = known.slice(0, 6).map(({ label }) => label);
  const rest = known.length - shown.length;
  return `${part.field} is one of ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** The parts of an expression that `&&` joins, outside of brackets and quotes. */
function splitAnd(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i] ?? '';
    if (quote !== '') {
      if (letter === quote) quote = '';
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === '(') depth += 1;
    else if (letter === ')') depth -= 1;
    else if (depth === 0 && text.startsWith('&&', i)) {
      parts.push(text.slice(from, i).trim());
      from = i + 2;
    }
  }
  return [...parts, text.slice(from).trim()];
}
