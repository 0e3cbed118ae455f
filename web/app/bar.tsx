import { useEffect, useRef } from 'preact/hooks';
import { VIEW_COMPONENTS } from '../views/views.ts';
import { isKeysShown } from './keys-dialog.tsx';
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
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { current } = bar;
    if (!current) return;
    // What sticks below the bar has to know where that ends.
    const observer = new ResizeObserver(() => {
      document.documentElement.style.setProperty('--bar-height', `${current.offsetHeight}px`);
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return (
    <div class="bar" ref={bar}>
      <nav aria-label="Views">
        {VIEWS.map(
          (name, i) =>
            VIEW_COMPONENTS[name] && (
              <button
                key={name}
                type="button"
                aria-current={view.value === name ? 'page' : undefined}
                onClick={() => view.set(name)}
              >
                {TITLES[name]} <kbd>{i + 1}</kbd>
              </button>
            ),
        )}
      </nav>
      <WhereField />
      <SearchField />
      <div class="tools">
        <button type="button" onClick={switchTheme} title="Light or dark (t)" aria-label="Light or dark">
          ◐
        </button>
        <button
          type="button"
          aria-label="Keys"
          onClick={() => {
            isKeysShown.value = true;
          }}
        >
          <span class="label">Keys </span>
          <kbd>?</kbd>
        </button>
      </div>
    </div>
  );
}
