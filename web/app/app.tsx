import { useMemo } from 'preact/hooks';
import type { Page } from '../page.ts';
import { TimeStrip } from '../time/strip.tsx';
import { VIEW_COMPONENTS } from '../views/views.ts';
import { Bar } from './bar.tsx';
import { Chips, takeBackLast } from './chips.tsx';
import { copied } from './clipboard.ts';
import { Head } from './head.tsx';
import { type KeyGroup, useKeys } from './keys.ts';
import { isKeysShown, KeysDialog } from './keys-dialog.tsx';
import { focusSearch } from './search-field.tsx';
import { matchingCalls, shownCensus } from './selected.ts';
import { VIEWS, view } from './state.ts';
import { switchTheme } from './theme.ts';
import { focusWhere } from './where-field.tsx';

/** The page: head, bar, and the view that is chosen. */
export function App({ page }: { readonly page: Page }) {
  useKeys(useMemo(pageKeys, []));
  const View = VIEW_COMPONENTS[view.value] ?? VIEW_COMPONENTS.overview;
  return (
    <>
      <Head page={page} />
      <Bar />
      <Chips matching={matchingCalls.value} total={shownCensus.value.report.calls.total} />
      {view.value !== 'time' && view.value !== 'compare' && <TimeStrip />}
      {shownCensus.value.problem !== '' && (
        <p class="trouble">{shownCensus.value.problem} What follows is the report alone.</p>
      )}
      <main>{View && <View page={page} />}</main>
      <KeysDialog />
      <p class="announcement" role="status">
        {copied.value}
      </p>
    </>
  );
}

/** Keys that hold in every view. */
function pageKeys(): KeyGroup {
  return {
    title: 'Everywhere',
    bindings: [
      ...VIEWS.map((name, i) => ({ keys: [String(i + 1)], does: `view: ${name}`, run: () => view.set(name) })),
      { keys: ['/'], does: 'search', run: focusSearch },
      { keys: ['f'], does: 'filter', run: focusWhere },
      { keys: ['t'], does: 'light or dark', run: switchTheme },
      {
        keys: ['?'],
        does: 'these keys',
        run: () => {
          isKeysShown.value = !isKeysShown.value;
        },
      },
      { keys: ['Escape'], does: 'leave a field, or take back what was narrowed last', run: leave },
    ],
  };
}

function leave({ target }: KeyboardEvent): boolean {
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) {
    target.blur();
    return true;
  }
  return takeBackLast();
}
