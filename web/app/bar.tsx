import { isKeysShown } from './keys-dialog.tsx';
import { change } from './parameters.ts';
import { SearchField } from './search-field.tsx';
import { VIEWS, type ViewName, view } from './state.ts';
import { switchTheme } from './theme.ts';
import { WhereField } from './where-field.tsx';

const TITLES: Readonly<Record<ViewName, string>> = {
  overview: 'Overview',
  paths: 'Paths',
  functions: 'Functions',
  time: 'Time',
  compare: 'Compare',
};

/** Which view, and what of the calls: always in sight. */
export function Bar() {
  return (
    <div class="bar">
      <nav aria-label="Views">
        {VIEWS.map((name, i) => (
          <button
            key={name}
            type="button"
            aria-current={view.value === name ? 'page' : undefined}
            onClick={() => change([view.to(name)])}
          >
            {TITLES[name]} <kbd>{i + 1}</kbd>
          </button>
        ))}
      </nav>
      <WhereField />
      <SearchField />
      <div class="tools">
        <button type="button" onClick={switchTheme} title="Light or dark (t)" aria-label="Light or dark">
          ◐
        </button>
        <button
          type="button"
          onClick={() => {
            isKeysShown.value = true;
          }}
        >
          Keys <kbd>?</kbd>
        </button>
      </div>
    </div>
  );
}
