import { change } from '../app/parameters.ts';
import { shownCensus } from '../app/selected.ts';
import { by, chosen, sort } from '../app/state.ts';
import { tellsApart } from '../calls/dimensions.ts';
import { GROUPINGS } from '../filter/fields.ts';
import { grouped } from '../text/numbers.ts';

const ID = 'group-by';

/** Puts the cursor into the first menu. */
export function focusGrouping(): void {
  document.getElementById(ID)?.focus();
}

/** What calls are counted together by: one key, and another within it. */
export function GroupBy({ groups }: { readonly groups: number }) {
  const { data } = shownCensus.value;
  const [outer = 'site', inner = ''] = by.value;
  const choose = (list: readonly string[]) => change([by.to(list), chosen.to([]), sort.to('')]);
  const options = GROUPINGS.map(([name, says]) => ({
    name,
    says,
    isPossible: name === 'site' || (data !== null && tellsApart(data, name)),
  }));
  return (
    <div class="group-by">
      <label>
        Group by{' '}
        <select
          id={ID}
          value={outer}
          onChange={({ currentTarget: { value } }) =>
            choose(value === inner || inner === '' ? [value] : [value, inner])
          }
        >
          {options.map(({ name, says, isPossible }) => (
            <option key={name} value={name} disabled={!isPossible} title={says}>
              {name}
              {isPossible ? '' : ' (not recorded)'}
            </option>
          ))}
        </select>
      </label>
      <label>
        then by{' '}
        <select
          value={inner}
          disabled={data === null}
          onChange={({ currentTarget: { value } }) => choose(value === '' ? [outer] : [outer, value])}
        >
          <option value="">nothing</option>
          {options
            .filter(({ name, isPossible }) => isPossible && name !== outer)
            .map(({ name, says }) => (
              <option key={name} value={name} title={says}>
                {name}
              </option>
            ))}
        </select>
      </label>
      <span class="muted">
        {grouped(groups)} {groups === 1 ? 'group' : 'groups'}
      </span>
    </div>
  );
}
