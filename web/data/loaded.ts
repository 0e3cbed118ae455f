// The columns of each census, unpacked when a view first asks for them.
import { type ReadonlySignal, signal } from '@preact/signals';
import type { Page } from '../page.ts';
import { type PageData, readColumns } from './columns.ts';
import { unpack } from './unpack.ts';

/** Columns on their way. */
export type Loaded =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly data: PageData }
  /** What is wrong, as a sentence. */
  | { readonly state: 'broken'; readonly why: string };

const loaded = new WeakMap<Page['censuses'][number], ReadonlySignal<Loaded>>();

/** The columns of one census of the page. */
export function columnsOf(page: Page, index: number): ReadonlySignal<Loaded> {
  const census = page.censuses[index] ?? page.censuses[0];
  let found = loaded.get(census);
  if (!found) {
    const own = signal<Loaded>({ state: 'loading' });
    found = own;
    loaded.set(census, found);
    read(census.columns).then(
      (data) => {
        own.value = { state: 'ready', data };
      },
      (error: unknown) => {
        own.value = { state: 'broken', why: error instanceof Error ? error.message : String(error) };
      },
    );
  }
  return found;
}

async function read(columns: string | null): Promise<PageData> {
  if (columns === null) throw new Error('This page holds no calls, only the report: it was written without them.');
  return readColumns(await unpack(columns));
}
