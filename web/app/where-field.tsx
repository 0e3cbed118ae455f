import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { FIELDS } from '../filter/fields.ts';
import { parseWhere, WhereError } from '../filter/where.ts';
import { where } from './state.ts';

const ID = 'where-field';

/** Puts the cursor into the field. */
export function focusWhere(): void {
  const field = document.getElementById(ID);
  if (field instanceof HTMLInputElement) field.select();
  field?.focus();
}

/** What is wrong with what stands in the field. */
const problem = signal<{ readonly text: string; readonly error: WhereError } | null>(null);

/** A filter in the language of `--where`, applied with Enter; a mistake is shown with a caret under its place. */
export function WhereField() {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (field.current && document.activeElement !== field.current) field.current.value = where.value;
    problem.value = problemOf(where.value);
  }, [where.value]);
  const shown = problem.value;
  return (
    <form
      class="field"
      onSubmit={(event) => {
        event.preventDefault();
        const text = field.current?.value.trim() ?? '';
        problem.value = problemOf(text);
        if (problem.value === null) where.set(text);
      }}
    >
      <input
        ref={field}
        id={ID}
        type="text"
        placeholder="Filter: comm=db_bench && !frame~^ext4_"
        aria-label="Filter, in the language of --where"
        aria-invalid={shown !== null}
        aria-describedby={shown === null ? undefined : 'where-problem'}
        title="Filter (f), applied with Enter"
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        defaultValue={where.value}
        onInput={({ currentTarget }) => {
          // A mistake is told when somebody says he is done; one that is mended goes at once.
          if (problem.value !== null) problem.value = problemOf(currentTarget.value);
        }}
      />
      {shown !== null && (
        <div id="where-problem" class="problem" role="alert">
          <pre>
            {shown.text}
            {'\n'}
            {' '.repeat([...shown.text.slice(0, shown.error.at)].length)}^
          </pre>
          {shown.error.message}
        </div>
      )}
    </form>
  );
}

function problemOf(text: string): { readonly text: string; readonly error: WhereError } | null {
  if (text.trim() === '') return null;
  try {
    parseWhere(text, FIELDS);
    return null;
  } catch (error) {
    if (error instanceof WhereError) return { text, error };
    throw error;
  }
}
