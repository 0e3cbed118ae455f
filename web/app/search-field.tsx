import { useEffect, useRef } from 'preact/hooks';
import { parseSearch } from '../filter/search.ts';
import { search } from './state.ts';

const ID = 'search-field';

/** Puts the cursor into the field. */
export function focusSearch(): void {
  const field = document.getElementById(ID);
  if (field instanceof HTMLInputElement) field.select();
  field?.focus();
}

/** Text or `/regex/`; applied while it is typed, one step for Back when the field is left. */
export function SearchField() {
  const before = useRef(search.value);
  const field = useRef<HTMLInputElement>(null);
  const { problem } = parseSearch(search.value);
  useEffect(() => {
    if (field.current && document.activeElement !== field.current) field.current.value = search.value;
  }, [search.value]);
  return (
    <div class="field">
      <input
        ref={field}
        id={ID}
        type="search"
        placeholder="Search: text or /regex/"
        aria-label="Search: text or /regex/"
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : 'search-problem'}
        title="Search (/)"
        spellcheck={false}
        autocomplete="off"
        defaultValue={search.value}
        onFocus={() => {
          before.current = search.value;
        }}
        onInput={({ currentTarget }) => {
          const { value } = currentTarget;
          // The first letter is a step of its own: Back leads to the page without the search.
          search.set(value, search.value === before.current ? 'step' : 'replace');
        }}
        onKeyDown={({ key, currentTarget }) => {
          if (key === 'Enter') currentTarget.blur();
        }}
      />
      {problem !== null && (
        <p id="search-problem" class="problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
