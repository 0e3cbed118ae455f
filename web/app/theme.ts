// Light or dark: the address says so, else what was chosen last here, else the system.
import { effect, signal } from '@preact/signals';
import { theme } from './state.ts';

const KEY = 'whocalls-theme';
type Theme = 'system' | 'light' | 'dark';

/** Pages opened from files may have no storage: it is a convenience. */
function remembered(): Theme {
  try {
    const text = localStorage.getItem(KEY);
    return text === 'light' || text === 'dark' ? text : 'system';
  } catch {
    return 'system';
  }
}

function remember(value: Theme): void {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // not to be had
  }
}

const systemDark = signal(false);

/** What is shown now. */
export function shownTheme(): 'light' | 'dark' {
  const wanted = theme.value === 'system' ? remembered() : theme.value;
  if (wanted !== 'system') return wanted;
  return systemDark.value ? 'dark' : 'light';
}

/** Changes from light to dark or back. */
export function switchTheme(): void {
  const next = shownTheme() === 'dark' ? 'light' : 'dark';
  remember(next);
  theme.set(next, 'replace');
}

/** Keeps the document in the theme, as `data-theme` of its root; on paper it is light. */
export function followTheme(): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  systemDark.value = system.matches;
  system.addEventListener('change', ({ matches }) => {
    systemDark.value = matches;
  });
  const { dataset } = document.documentElement;
  effect(() => {
    dataset.theme = shownTheme();
  });
  addEventListener('beforeprint', () => {
    dataset.theme = 'light';
  });
  addEventListener('afterprint', () => {
    dataset.theme = shownTheme();
  });
}
