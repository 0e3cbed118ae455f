import { render } from 'preact';
import { App } from './app/app.tsx';
import { listenToKeys } from './app/keys.ts';
import { followAddress } from './app/parameters.ts';
import { showPage } from './app/selected.ts';
import { followTheme } from './app/theme.ts';
import { DamagedData } from './data/damaged.ts';
import { readPage } from './page.ts';
import './style.css';

const root = document.getElementById('app');

async function start(into: HTMLElement): Promise<void> {
  followTheme();
  try {
    const page = await readPage(document);
    showPage(page);
    followAddress(Object.entries(page.initial).map(([name, text]) => ({ name, text })));
    listenToKeys();
    render(<App page={page} />, into);
  } catch (error) {
    render(<Broken why={error instanceof Error ? error.message : String(error)} />, into);
    if (!(error instanceof DamagedData)) throw error;
  }
}

/** What is shown where the data cannot be read. */
function Broken({ why }: { readonly why: string }) {
  return (
    <main class="broken">
      <h1>This page cannot be shown</h1>
      <p>{why}</p>
      <p>
        Write it again: <code>whocalls read FILE --format html -o page.html</code>
      </p>
    </main>
  );
}

if (root !== null) void start(root);
