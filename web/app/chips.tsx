import { calls } from '../text/numbers.ts';
import { namesSet } from './parameters.ts';
import { narrowings } from './state.ts';

/**
 * What is left out or marked now, each with × to take it back, and what is left.
 */
export function Chips({ matching, total }: { readonly matching: number; readonly total: number }) {
  const order = namesSet();
  const active = narrowings
    .filter(({ parameter }) => parameter.isSet)
    .sort((a, b) => order.indexOf(a.parameter.name) - order.indexOf(b.parameter.name));
  if (active.length === 0) return null;
  return (
    <div class="chips">
      <ul aria-label="What is shown only in part">
        {active.map(({ parameter, label, text, clear }) => (
          <li key={parameter.name}>
            <span>
              {label} <code>{text()}</code>
            </span>
            <button type="button" aria-label={`Take back: ${label} ${text()}`} onClick={clear}>
              ×
            </button>
          </li>
        ))}
      </ul>
      <p role="status">
        matching {calls(matching)} of {calls(total)}
      </p>
    </div>
  );
}

/** Takes back what was narrowed last; false where nothing was. */
export function takeBackLast(): boolean {
  const last = namesSet()
    .map((name) => narrowings.find(({ parameter }) => parameter.name === name))
    .findLast((narrowing) => narrowing !== undefined);
  last?.clear();
  return last !== undefined;
}
